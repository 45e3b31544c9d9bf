"""A server that tells its trackers, in memory, the wire to it, and a target that remembers; on virtual time."""

import random
from collections.abc import Mapping

import hiredis

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.reads.valkey.tracking.follower import TrackingFollower
from tenfold.protect.reads.valkey.tracking.gap import Gap, StreamBroken, TrackingPace
from tenfold.protect.reads.valkey.tracking.notice import Notice, name_of
from tenfold.protect.reads.valkey.tracking.subscription import TrackingTarget
from tenfold.telemetry import EventLog, Registry

MS_NS = 1_000_000
TURN_MS = 5
"""How often the driver has its turn."""
PREFIX = "price:"


class Memory:
    """A target as plain as can be: a version for each key, and whether it may be answered as fresh."""

    def __init__(self) -> None:
        self.proven = True
        self.epoch = 0
        self.versions: dict[str, int] = {}
        self.told: list[tuple[str, int]] = []
        self._laid: dict[str, int] = {}

    def invalidate(self, key: str, version: int = 0) -> None:
        self.told.append((key, version))
        self._laid[key] = max(version, self._laid.get(key, 0))
        if self.versions.get(key, version) < version or not version:
            self.versions.pop(key, None)

    def doubt(self) -> None:
        self.proven = False
        self.epoch += 1
        self.versions.clear()

    def prove(self) -> None:
        self.proven = True
        self.epoch += 1

    def put(self, key: str, version: int, epoch: int) -> None:
        """What was loaded since `epoch`."""
        if self.proven and epoch == self.epoch and version >= self._laid.get(key, 0):
            self.versions[key] = version


class Connection:
    """Bytes under way in both directions. `swallows`: they stay under way."""

    def __init__(self) -> None:
        self.up, self.down = bytearray(), bytearray()
        self.tracks: list[bytes] = []
        self.ended = False
        self._reader = hiredis.Reader()

    def commands(self) -> list[list[bytes]]:
        self._reader.feed(bytes(self.up))
        self.up.clear()
        return list(iter(self._reader.gets, False))


class MemoryServer:
    """What Valkey does for trackers: answers in order, and tells the names of what was written."""

    def __init__(self) -> None:
        self.alive = True
        self.hung = False
        self.role = b"master"
        self.connections: list[Connection] = []
        self.refusal = b""

    def accept(self) -> Connection | None:
        if not self.alive:
            return None
        self.connections.append(connection := Connection())
        return connection

    def work(self) -> None:
        if self.alive and not self.hung:
            for connection in self.connections:
                for command in connection.commands():
                    connection.down += self._reply(connection, command)

    def write(self, name: str) -> bool:
        """Whether the write was done; everyone who tracks its prefix is told."""
        if not self.alive or self.hung:
            return False
        self.work()
        raw = name.encode()
        for connection in self.connections:
            if any(raw.startswith(prefix) for prefix in connection.tracks):
                connection.down += b">2\r\n$10\r\ninvalidate\r\n*1\r\n$%d\r\n%b\r\n" % (len(raw), raw)
        return True

    def flush(self) -> None:
        self.work()
        for connection in self.connections:
            if connection.tracks:
                connection.down += b">2\r\n$10\r\ninvalidate\r\n_\r\n"

    def kill(self) -> None:
        self.alive = self.hung = False
        self.drop_all()

    def restart(self) -> None:
        self.alive, self.role = True, b"master"

    def drop_all(self) -> None:
        for connection in self.connections:
            connection.ended = True
        self.connections.clear()

    def _reply(self, connection: Connection, command: list[bytes]) -> bytes:
        if self.refusal:
            return b"-%b\r\n" % self.refusal
        if command[0] == b"HELLO":
            return b"%%1\r\n$4\r\nrole\r\n$%d\r\n%b\r\n" % (len(self.role), self.role)
        if command[:3] == [b"CLIENT", b"TRACKING", b"ON"]:
            connection.tracks = command[5::2]
        return b"+OK\r\n"


class World:
    """Follower, wire and server; `run` lets time pass and drives them as a real driver does."""

    def __init__(
        self,
        targets: Mapping[str, TrackingTarget] | None = None,
        *,
        pace: TrackingPace | None = None,
        keys: bool = False,
        seed: int = 0,
    ) -> None:
        self.clock = VirtualClock(monotonic_ns=1_000 * MS_NS)
        self.server = MemoryServer()
        self.memory = Memory()
        self.registry, self.events = Registry(), EventLog("test", clock=self.clock)
        self.follower = TrackingFollower(
            "main",
            "redis://:secret@server:1",
            targets or {PREFIX: self.memory},
            keys=keys,
            pace=pace,
            chance=random.Random(seed),
            registry=self.registry,
            events=self.events,
        )
        self.swallowed = False
        self.cuts = random.Random(seed)
        self._connection: Connection | None = None
        self._dial_ns = self.now_ns
        self._wake_ns = 0
        self.follower.open(self.now_ns)

    @property
    def now_ns(self) -> int:
        return self.clock.monotonic_ns()

    def announce(self, key: str, version: int) -> bool:
        return self.server.write(name_of(PREFIX, Notice(key, version)))

    def run(self, ms: int) -> None:
        for _ in range(0, ms, TURN_MS):
            self.turn()
            self.clock.advance(Duration(TURN_MS * MS_NS))

    def turn(self) -> None:
        """One turn of a driver's loop: dial, carry bytes, hear, speak."""
        try:
            if self._connection is None:
                self._dial()
            elif not self.swallowed:
                self._carry(self._connection)
            if self._connection is not None and self.now_ns >= self._wake_ns:
                self._connection.up += self.follower.speak(self.now_ns)
                self._wake()
        except (StreamBroken, OSError) as error:
            self._connection = None
            self._dial_ns = self.now_ns + round(self.follower.lost(error, self.now_ns) * 1e9)

    def _dial(self) -> None:
        if self.now_ns < self._dial_ns:
            return
        self.follower.dial(self.now_ns)
        connection = self.server.accept() if not self.swallowed else Connection()
        if connection is None:
            raise ConnectionRefusedError
        self._connection = connection
        connection.up += self.follower.greet(self.now_ns)
        self._wake()

    def _carry(self, connection: Connection) -> None:
        """Some of the bytes arrive, cut anywhere; the end comes after the last of them."""
        self.server.work()
        size = self.cuts.randint(0, len(connection.down)) if self.cuts.random() < 0.5 else len(connection.down)
        arrived = bytes(connection.down[:size])
        del connection.down[:size]
        if arrived:
            self.follower.hear(arrived, self.now_ns)
            connection.up += self.follower.speak(self.now_ns)
            self._wake()
        elif connection.ended and not connection.down:
            raise StreamBroken(Gap.CLOSED)

    def _wake(self) -> None:
        self._wake_ns = self.now_ns + round(self.follower.wait_s(self.now_ns) * 1e9)
