"""Whom to follow, asked of those who know: the Sentinels, or any node of a Cluster. No I/O, no clock."""

from collections.abc import Iterator, Sequence
from typing import Any

import hiredis

from tenfold.engines.valkey.address import Address, Endpoint, Kind
from tenfold.engines.valkey.slots import slot_of
from tenfold.protect.reads.valkey.tracking.gap import Gap, StreamBroken, TrackingPace
from tenfold.protect.reads.valkey.tracking.notice import HOME
from tenfold.protect.reads.valkey.tracking.session import Command, Heard, packed


class Referred(Exception):
    """The answer: follow `endpoint`. Ends the connection to whom was asked."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(str(endpoint))
        self.endpoint = endpoint


class Question:
    """One question on one connection, in a session's place: it hears nothing but an answer, within one attempt."""

    def __init__(self, address: Address, *, begun_ns: int, pace: TrackingPace) -> None:
        self._kind = address.kind
        self._commands = _commands(address)
        self._replies: list[Any] = []
        self._reader = hiredis.Reader()
        self.wake_ns = begun_ns + pace.attempt.ns

    def greet(self, now_ns: int) -> bytes:
        return b"".join(packed(command) for command in self._commands)

    def speak(self, now_ns: int) -> bytes:
        """Raises StreamBroken when the attempt is over."""
        if now_ns >= self.wake_ns:
            raise StreamBroken(Gap.UNREACHABLE, "no answer in time")
        return b""

    def hear(self, received: bytes) -> Iterator[Heard]:
        """Raises Referred, or StreamBroken when whom was asked does not know."""
        if not received:
            raise StreamBroken(Gap.UNREACHABLE)
        try:
            self._reader.feed(received)
            self._replies += iter(self._reader.gets, False)
        except hiredis.ProtocolError as error:
            raise StreamBroken(Gap.GARBLED, "no protocol") from error
        if len(self._replies) >= len(self._commands):
            raise Referred(self._endpoint(self._replies[-1]))
        yield from ()

    def _endpoint(self, reply: Any) -> Endpoint:
        if isinstance(reply, hiredis.ReplyError):
            raise StreamBroken(Gap.REFUSED, str(reply).partition(" ")[0])
        try:
            host, port = reply if self._kind is Kind.SENTINEL else _owner(reply)
            return Endpoint(host.decode(), int(port))
        except (TypeError, ValueError, AttributeError) as error:
            raise StreamBroken(Gap.UNREACHABLE, "it is not known who the primary is") from error


def _commands(address: Address) -> Sequence[Command]:
    sentinel = address.kind is Kind.SENTINEL
    password = address.sentinel_password if sentinel else address.access.password
    username = None if sentinel else address.access.username
    auth: list[Command] = [("AUTH", username or "default", password)] if password is not None else []
    asked = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", address.primary_name) if sentinel else ("CLUSTER", "SLOTS")
    return [*auth, asked]


def _owner(ranges: list[Any]) -> tuple[bytes, int]:
    """The primary that holds all notices. Raises ValueError when the slot is nobody's."""
    slot = slot_of(HOME)
    for first, last, primary, *_ in ranges:
        if first <= slot <= last:
            return primary[0], primary[1]
    raise ValueError(f"slot {slot} is nobody's")
