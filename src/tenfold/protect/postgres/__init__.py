"""Reading from PostgreSQL; needs the extra `postgres`.

rung       values by a query, many keys in one round trip
position   how far a server is in its log: the version of what is read from it
"""

from tenfold.protect.postgres.position import NEVER, TIMEOUT, LogPosition, Position, written_lsn
from tenfold.protect.postgres.rung import Pool, PostgresRung, ReadMany

__all__ = ["NEVER", "TIMEOUT", "LogPosition", "Pool", "Position", "PostgresRung", "ReadMany", "written_lsn"]
