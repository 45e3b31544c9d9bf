"""What is said on one connection: a greeting, heartbeats, and what the server tells in between. No I/O, no clock."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import hiredis

from tenfold.engines.valkey.address import Access
from tenfold.protect.reads.valkey.tracking.gap import Gap, StreamBroken, TrackingPace

Command = Sequence[str]

MESSAGE_BYTES_MAX = 64 << 20
"""A message that is longer is none of ours."""
_HEARTBEAT: Command = ("HELLO",)
_UNFINISHED = object()


class Names(NamedTuple):
    """Keys that were written, have expired or were evicted."""

    names: list[bytes]


class Flushed(NamedTuple):
    """Everything is gone."""


class Answered(NamedTuple):
    """Whatever the server had to tell before it read a heartbeat sent at `sent_ns` has been heard."""

    sent_ns: int


Heard = Names | Flushed | Answered


class Awaited(NamedTuple):
    """A reply that must come. `proves`: it is the last to a heartbeat."""

    sent_ns: int
    proves: bool


class TrackingSession:
    """The conversation on one connection.

    The greeting is HELLO 3, CLIENT TRACKING in broadcast mode, and the first heartbeat, all at once. A heartbeat is
    HELLO without arguments: every user may say it, and its reply says whether the server is still the primary.
    Replies and messages come in one order, so an answered heartbeat proves that everything told before was heard.
    `extra` is said with each heartbeat: an error to it is a gap too.
    """

    def __init__(
        self,
        access: Access,
        prefixes: Sequence[str],
        *,
        begun_ns: int,
        pace: TrackingPace,
        extra: Sequence[Command] = (),
    ) -> None:
        self._access = access
        self._prefixes = prefixes
        self._begun_ns = begun_ns
        self._attempt_ns = pace.attempt.ns
        self._greeted = False
        self._heartbeat_ns, self._silence_ns = pace.heartbeat.ns, pace.silence.ns
        self._beat: Sequence[Command] = (*extra, _HEARTBEAT)
        self._reader = hiredis.Reader(notEnoughData=_UNFINISHED)
        self._unfinished_bytes = 0
        self._awaited: deque[Awaited] = deque()
        self._beat_due_ns = begun_ns

    def greet(self, now_ns: int) -> bytes:
        """What to send first. It must be answered within the attempt that this connection is the result of."""
        prefixes = [word for prefix in self._prefixes for word in ("PREFIX", prefix)]
        return self._say((_hello(self._access), ("CLIENT", "TRACKING", "ON", "BCAST", *prefixes), *self._beat), now_ns)

    def speak(self, now_ns: int) -> bytes:
        """A heartbeat when one is due. Raises StreamBroken when an earlier one was not answered in time."""
        if self._awaited and now_ns >= self._overdue_ns:
            raise StreamBroken(Gap.SILENT if self._greeted else Gap.UNREACHABLE, "no answer in time")
        return self._say(self._beat, now_ns) if now_ns >= self._beat_due_ns else b""

    @property
    def wake_ns(self) -> int:
        """When `speak` has something to say or to complain of."""
        return min(self._beat_due_ns, self._overdue_ns) if self._awaited else self._beat_due_ns

    def hear(self, received: bytes) -> Iterator[Heard]:
        """What the bytes say, in its order; they may be cut anywhere. Raises StreamBroken, also when there are none."""
        if not received:
            raise StreamBroken(Gap.CLOSED)
        self._unfinished_bytes += len(received)
        if self._unfinished_bytes > MESSAGE_BYTES_MAX:
            raise StreamBroken(Gap.GARBLED, "a message that does not end")
        try:
            self._reader.feed(received)
            while (message := self._reader.gets()) is not _UNFINISHED:
                self._unfinished_bytes = 0
                heard = self._pushed(message) if isinstance(message, hiredis.PushNotification) else self._reply(message)
                if heard is not None:
                    yield heard
        except hiredis.ProtocolError as error:
            raise StreamBroken(Gap.GARBLED, "no protocol") from error

    @property
    def _overdue_ns(self) -> int:
        if self._greeted:
            return self._awaited[0].sent_ns + self._silence_ns
        return self._begun_ns + self._attempt_ns

    def _say(self, commands: Sequence[Command], now_ns: int) -> bytes:
        self._awaited += [Awaited(now_ns, proves=command is _HEARTBEAT) for command in commands]
        self._beat_due_ns = now_ns + self._heartbeat_ns
        return b"".join(packed(command) for command in commands)

    def _reply(self, reply: Any) -> Heard | None:
        if isinstance(reply, hiredis.ReplyError):
            raise StreamBroken(Gap.REFUSED, str(reply).partition(" ")[0])
        if not self._awaited:
            raise StreamBroken(Gap.GARBLED, "a reply to nothing")
        sent_ns, proves = self._awaited.popleft()
        if not proves:
            return None
        if not isinstance(reply, dict) or reply.get(b"role") != b"master":
            raise StreamBroken(Gap.NOT_PRIMARY)
        self._greeted = True
        return Answered(sent_ns)

    def _pushed(self, message: list[Any]) -> Heard | None:
        """Other kinds of messages are nothing to us."""
        if len(message) < 2 or message[0] != b"invalidate":
            return None
        if message[1] is not None:
            return Names(message[1])
        self._beat_due_ns = 0  # it can prove itself at once
        return Flushed()


def _hello(access: Access) -> Command:
    if access.password is None:
        return ("HELLO", "3")
    return ("HELLO", "3", "AUTH", access.username or "default", access.password)


def packed(command: Command) -> bytes:
    """As it goes over the wire."""
    words: bytes = hiredis.pack_command(tuple(command))  # type: ignore[arg-type]  # its stub knows one argument only
    return words
