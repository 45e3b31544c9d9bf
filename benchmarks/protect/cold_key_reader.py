"""One process of the fleet that `cold_key` measures: two hundred clients who all want the same cold key.

    python -m benchmarks.protect.cold_key_reader VALKEY_URL POSTGRES_URL [alone]

A line on standard input is a key; the answer is one line of JSON when every client has its value. When this process
begins to load, it says so first. `alone`: single flight in the process only, no lease.
"""

import asyncio
import os
import sys
import time
from functools import partial

import asyncpg
import msgspec

from tenfold.kernel import Duration, TenfoldError
from tenfold.protect.reads.flight import LeasedFlight, SingleFlight
from tenfold.protect.reads.found import Found
from tenfold.protect.reads.valkey import ValkeyRung
from tenfold.protect.reads.valkey.lease import ValkeyLeases

CLIENTS = 200
LOAD = "INSERT INTO load (key) SELECT $1 FROM pg_sleep(0.1) RETURNING key"
"""A slow query that leaves a row, so that the database itself counts its loads."""
PATIENCE = Duration.from_ms(500)
"""For the servers to answer: eight processes of two hundred clients share two cores here."""


class Line(msgspec.Struct, omit_defaults=True):
    """What this process says: `kind` is ready, loading or read."""

    kind: str
    at_ns: int = 0
    right: int = 0


def say(line: Line) -> None:
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()


def complain(why: object) -> None:
    """A busy machine is told from a wrong program by what is said here."""
    print(f"cold_key_reader {os.getpid()}: {why}", file=sys.stderr)


class Reader:
    """cache → in-process flight → lease → database, as a ladder puts them together."""

    def __init__(self, valkey_url: str, database: asyncpg.Pool, *, alone: bool) -> None:
        self._cache = ValkeyRung("main", valkey_url, ttl=Duration.from_s(60), prefix="cold:", timeout=PATIENCE)
        self._leases = ValkeyLeases("main", valkey_url, timeout=PATIENCE)
        self._database = database
        self._alone = alone
        self._flight = SingleFlight[bytes]()
        self._warming = LeasedFlight[int]("warming", self._leases)
        self._leased = LeasedFlight[bytes]("cold", self._leases, wait_max=Duration.from_s(2))

    async def read(self, key: str) -> bytes:
        return await self._flight.do(key, lambda: self._climb(key))

    async def warm_up(self) -> None:
        """A process that serves has its connections."""
        await self._database.fetchval("SELECT 1")
        while not await self._is_warm():  # noqa: ASYNC110  # the servers are other processes
            await asyncio.sleep(0.05)

    async def _is_warm(self) -> bool:
        async def fence(fence: int) -> int:
            return fence

        async def nothing() -> None:
            return None

        try:
            await self._cache.fill({"warm": Found(b"", version=1)})
            return await self._warming.lead_or_follow(f"warm-{os.getpid()}", fence, nothing) > 0
        except TenfoldError:
            return False

    async def close(self) -> None:
        await self._warming.close()
        await self._flight.close()
        await self._leased.close()
        await self._leases.close()
        await self._cache.close()

    async def _climb(self, key: str) -> bytes:
        value = await self._look(key)
        if value is not None:
            return value
        if self._alone:
            return await self._load(key, 0)
        return await self._leased.lead_or_follow(key, partial(self._load, key), lambda: self._look(key))

    async def _look(self, key: str) -> bytes | None:
        try:
            found = await self._cache.read(key)
        except TenfoldError as error:
            complain(error)
            return None
        return found.value if found is not None else None

    async def _load(self, key: str, fence: int) -> bytes:
        if not fence and not self._alone:
            complain(f"no lease for '{key}'")
        say(Line("loading", at_ns=time.monotonic_ns()))
        value: str = await self._database.fetchval(LOAD, key)
        try:
            await self._cache.fill({key: Found(value.encode(), version=1)})
        except TenfoldError as error:
            complain(error)
        return value.encode()


async def main(valkey_url: str, postgres_url: str, *, alone: bool) -> None:
    loop, orders = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    async with asyncpg.create_pool(postgres_url, min_size=1, max_size=1) as database:
        reader = Reader(valkey_url, database, alone=alone)
        await reader.warm_up()
        say(Line("ready"))
        while key := (await orders.readline()).decode().strip():
            answers = await asyncio.gather(*(reader.read(key) for _ in range(CLIENTS)), return_exceptions=True)
            for error in {repr(answer) for answer in answers if isinstance(answer, BaseException)}:
                complain(error)
            say(Line("read", right=answers.count(key.encode())))
        await reader.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], alone="alone" in sys.argv[3:]))
