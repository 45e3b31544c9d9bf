"""What is asked of a PostgreSQL server about itself; needs the extra `postgres`.

position   how far a server is in its log: the version of what is read from it
"""

from tenfold.engines.postgres.position import NEVER, TIMEOUT, LogPosition, Position, written_lsn

__all__ = ["NEVER", "TIMEOUT", "LogPosition", "Position", "written_lsn"]
