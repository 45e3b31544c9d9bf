"""How every program of freshmart talks to PostgreSQL: what a session is set to, what says that the server is away, and
pools of connections for reads.
"""

from typing import Any

import asyncpg

from tenfold.kernel import Duration

DATABASE_TIMEOUT = Duration.from_s(1)
UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TransactionRollbackError,
)
"""What says nothing against the statement: the same batch may be sent again."""


def session_settings(program: str) -> dict[str, str]:
    """Settings for a connection that reads and writes by key, named `program` in the server's views.

    Plans are made once and kept. They are made on the first day, while the order tables are empty, when reading a
    whole table costs nothing, and kept until the peak, when it is full: order status had a p50 of 34 ms at ten times
    the daily peak, and 7 to 9 ms without scans. Everything here is asked for by key, so no session scans tables.
    """
    return {
        "application_name": f"freshmart-{program}",
        "jit": "off",
        "plan_cache_mode": "force_generic_plan",
        "enable_seqscan": "off",
    }


async def _keep(_: Any) -> None:
    """A connection of ours holds no state to reset, and resetting would be a round trip for each read."""


def make_pool(url: str, program: str) -> Any:
    return asyncpg.create_pool(
        url,
        min_size=0,
        max_size=6,
        timeout=1.0,
        command_timeout=DATABASE_TIMEOUT.s,
        reset=_keep,
        server_settings=session_settings(program),
    )


async def open_pool(pool: Any) -> None:
    await pool  # with min_size 0 it connects to nobody yet


async def answers(pool: Any) -> bool:
    try:
        async with pool.acquire(timeout=DATABASE_TIMEOUT.s) as connection:
            return bool(await connection.fetchval("SELECT true", timeout=DATABASE_TIMEOUT.s))
    except UNREACHABLE:
        return False
