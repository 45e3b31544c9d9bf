"""Reading from PostgreSQL; needs the extra `postgres`.

rung       values by a query, many keys in one round trip
"""

from tenfold.protect.reads.postgres.rung import Pool, PostgresRung, ReadMany

__all__ = ["Pool", "PostgresRung", "ReadMany"]
