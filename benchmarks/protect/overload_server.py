"""What is overloaded: HTTP/1.1 over a handler that has so many slots and no more, behind the contender's door.

    python -m benchmarks.protect.overload_server CONTENDER SLOTS SERVICE_MS

Prints its port, serves `GET /<tier>/<tenant>`, and ends when its standard input does. A refusal is answered by the
protocol itself: no task, no framework.
"""

import asyncio
import random
import sys
from collections.abc import Callable

from benchmarks.protect.vegas import VegasLimit
from tenfold.protect.calls.limit import FixedLimit, GradientLimit, Limit
from tenfold.protect.doors.admission import Fate, Shedder, Ticket
from tenfold.protect.doors.admission.admit import wait

LIMITS: dict[str, Callable[[int], Limit]] = {
    "tenfold": lambda _slots: GradientLimit(),
    "fixed, tuned": FixedLimit,
    "fixed, 10x too high": lambda slots: FixedLimit(10 * slots),
    "fixed, 4x too low": lambda slots: FixedLimit(slots // 4),
    "vegas": lambda _slots: VegasLimit(),
    "fixed, tuned, no tiers": FixedLimit,
    "nothing": lambda _slots: FixedLimit(1 << 30),
}
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"


class House:
    """The door and the slots behind it."""

    def __init__(self, contender: str, slots: int, service_s: float) -> None:
        self.shedder = Shedder(contender, LIMITS[contender](slots))
        self.tiers = contender != "fixed, tuned, no tiers"
        self._slots = asyncio.Semaphore(slots)
        self._service_s = service_s
        self._chance = random.Random(slots)

    async def work(self) -> None:
        async with self._slots:
            await asyncio.sleep(self._service_s * self._chance.uniform(0.75, 1.25))


class Connection(asyncio.Protocol):
    """One request at a time, as the clients send them."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._transport: asyncio.Transport
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        tier, tenant = int(data[5:6]), data[7 : data.index(b" ", 7)].decode()
        ticket = self._house.shedder.enter(tier if self._house.tiers else 0, tenant)
        if ticket.fate is Fate.ADMITTED or ticket.fate is Fate.WAITING:
            self._task = asyncio.get_running_loop().create_task(self._serve(ticket))
        else:
            self._transport.write(REFUSED)

    async def _serve(self, ticket: Ticket) -> None:
        if ticket.fate is Fate.WAITING:
            await wait(self._house.shedder, ticket)
        if ticket.fate is not Fate.ADMITTED:
            self._transport.write(REFUSED)
            return
        await self._house.work()
        self._house.shedder.leave(ticket)
        self._transport.write(OK)


async def main(contender: str, slots: str, service_ms: str) -> None:
    loop = asyncio.get_running_loop()
    house = House(contender, int(slots), float(service_ms) / 1000)
    server = await loop.create_server(lambda: Connection(house), "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
