"""Pools of connections to PostgreSQL, for reads."""

from typing import Any

import asyncpg

from freshmart.orders import UNREACHABLE
from freshmart.session import session_settings
from tenfold.kernel import Duration

DATABASE_TIMEOUT = Duration.from_s(1)


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
