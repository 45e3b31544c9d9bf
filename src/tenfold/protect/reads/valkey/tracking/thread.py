"""Follows a server in a thread of its own: for any program, sync or async.

An event loop that is blocked hears no invalidation, while its other callbacks go on reading; a thread hears it.
"""

import os
import random
import socket
import ssl
import threading
from collections.abc import Mapping

from tenfold.engines.valkey.address import Access, Endpoint
from tenfold.kernel import Clock, SystemClock
from tenfold.kernel.forks import tell_forks
from tenfold.protect.reads.valkey.tracking.follower import TrackingFollower
from tenfold.protect.reads.valkey.tracking.gap import TrackingPace
from tenfold.protect.reads.valkey.tracking.subscription import TrackingTarget
from tenfold.telemetry import EventLog, Registry

RECEIVED_BYTES_MAX = 1 << 16


class Tracking:
    """Keeps targets coherent with what is announced on a server (`Announcer`), or with its keys themselves (`keys`).

    `follows` names the target of each prefix; they see keys without it. `url` may name several servers: the one that
    is the primary is followed. Between `open` and `close` a daemon thread runs; a forked child has its own.
    """

    def __init__(
        self,
        name: str,
        url: str,
        follows: Mapping[str, TrackingTarget],
        *,
        keys: bool = False,
        pace: TrackingPace | None = None,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
        seed: int | None = None,
    ) -> None:
        self._seed = seed
        self._follower = TrackingFollower(
            name, url, follows, keys=keys, pace=pace, chance=self._chance(), registry=registry, events=events
        )
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    def __enter__(self) -> "Tracking":
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def proven(self) -> bool:
        """Whether every target is proven, as of now: false too when this process itself stood still for too long."""
        return self._follower.proven(self._now_ns())

    def open(self) -> None:
        """Begin to listen; the targets are in doubt until it is certain that every invalidation is heard."""
        if self._thread is None:
            self._follower.open(self._now_ns())
            self._begin()
            tell_forks(self)

    def close(self) -> None:
        """Listen no more; the targets are in doubt. Ends within a heartbeat, or an attempt to connect."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._closing.set()
            pace = self._follower.pace
            thread.join((pace.attempt.s + pace.heartbeat.s) * 4)

    def _begin(self) -> None:
        self._closing = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self._closing,), name=f"tracking-{self._follower.name}", daemon=True
        )
        self._thread.start()

    def after_fork(self) -> None:
        """The thread is gone and the connection is the parent's; doubt, and begin anew."""
        if self._thread is None:
            return
        inherited, self._socket = self._socket, None
        if inherited is not None:
            inherited.close()
        self._follower.forget(self._now_ns(), self._chance())
        self._begin()

    def _run(self, closing: threading.Event) -> None:
        while not closing.is_set():
            try:
                self._follow(closing)
            except Exception as error:  # whatever it is, it is a gap, and never the end
                closing.wait(self._follower.lost(error, self._now_ns()))
        self._follower.close(self._now_ns())

    def _follow(self, closing: threading.Event) -> None:
        follower, now_ns = self._follower, self._now_ns
        endpoint = follower.dial(now_ns())
        with _connected(endpoint, follower.access, follower.pace.attempt.s) as connection:
            self._socket = connection
            connection.sendall(follower.greet(now_ns()))
            while not closing.is_set():
                if said := follower.speak(now_ns()):
                    connection.sendall(said)
                connection.settimeout(follower.wait_s(now_ns()))
                try:
                    received = connection.recv(RECEIVED_BYTES_MAX)
                except TimeoutError:
                    continue
                follower.hear(received, now_ns())

    def _chance(self) -> random.Random:
        return random.Random(None if self._seed is None else self._seed ^ os.getpid())


def _connected(endpoint: Endpoint, access: Access, timeout_s: float) -> socket.socket:
    connection = socket.create_connection(endpoint, timeout=timeout_s)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not access.tls:
        return connection
    return ssl.create_default_context().wrap_socket(connection, server_hostname=endpoint.host)
