"""What must hold from one connection to the next: doubt at once, prove when it is certain, dial again in time.

No I/O, no clock: `Tracking` and `AsyncTracking` drive it.

    dial ─► greet ─► hear, speak, hear … ─► lost ─► wait ─► dial

Where the URL names Sentinels or nodes of a Cluster, one of them is dialled first and asked whom to follow.
"""

import random
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from tenfold.engines.valkey.address import Access, Address, Endpoint, Kind
from tenfold.kernel import Backoff, Duration, TenfoldError
from tenfold.protect.reads.valkey.tracking.gap import Gap, StreamBroken, TrackingPace
from tenfold.protect.reads.valkey.tracking.notice import HOME, NoticeInvalid
from tenfold.protect.reads.valkey.tracking.question import Question, Referred
from tenfold.protect.reads.valkey.tracking.session import Answered, Command, Flushed, Heard, Names, TrackingSession
from tenfold.protect.reads.valkey.tracking.subscription import Subscription, TrackingTarget
from tenfold.telemetry import EventLog, Registry

WAIT_S_MIN = 0.001
REST_FIRST = Duration.from_ms(20)
REST_LONGEST = Duration.from_s(1)
"""They begin anew only after a connection that held for the longest: who accepts and drops is not stormed."""


class TrackingInvalid(TenfoldError):
    """Prefixes or an address that cannot be followed."""


class TrackingFollower:
    """Follows one server for targets by prefix. Every method but `proven` is the driver's, from one thread."""

    def __init__(
        self,
        name: str,
        url: str,
        follows: Mapping[str, TrackingTarget],
        *,
        keys: bool = False,
        pace: TrackingPace | None = None,
        chance: random.Random | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
    ) -> None:
        self.name = name
        self.pace = pace or TrackingPace()
        self._address = Address.parse(url)
        _require_sound(self._address, keys, self.pace)
        registry = registry or Registry()
        self._subscriptions = [
            Subscription(name, prefix, target, keys=keys, pace=self.pace, registry=registry)
            for prefix, target in _apart(follows).items()
        ]
        self._prefixes = [subscription.heard_prefix.decode() for subscription in self._subscriptions]
        self._events = events
        self._backoff = Backoff(chance or random.Random(), first=REST_FIRST, longest=REST_LONGEST)
        self._dials = 0
        self._session: TrackingSession | Question | None = None
        self._named = cycle(self._address.endpoints)
        self._referred: Endpoint | None = None
        self._established_ns: int | None = None
        self._whole_until_ns = 0
        dials = registry.counter("tenfold_tracking_dials_total", "Attempts to connect.", ("tracking",))
        self._dialed = dials.child(name)

    @property
    def access(self) -> Access:
        return self._address.access

    def proven(self, now_ns: int) -> bool:
        """Whether every target is proven, and the last heartbeat's answer is young enough to say so now."""
        lease_ns = self.pace.heartbeat.ns + self.pace.silence.ns
        return now_ns - self._whole_until_ns <= lease_ns and all(each.proven for each in self._subscriptions)

    def open(self, now_ns: int) -> None:
        """No connection listens yet: the targets are put in doubt."""
        for subscription in self._subscriptions:
            subscription.open(now_ns)

    def close(self, now_ns: int) -> None:
        """No connection listens any more: the targets are put in doubt."""
        self._session = None
        self._doubt(StreamBroken(Gap.ENDED), now_ns)

    def forget(self, now_ns: int, chance: random.Random) -> None:
        """In the child of a fork: doubt, and wait as nobody else does."""
        self._session, self._established_ns = None, None
        self._backoff = Backoff(chance, first=REST_FIRST, longest=REST_LONGEST)
        for subscription in self._subscriptions:
            subscription.forget(now_ns)

    def dial(self, now_ns: int) -> Endpoint:
        """Begin an attempt; answers whom to connect to: all whom the URL names take turns."""
        self._dials += 1
        self._dialed.inc()
        self._established_ns = None
        referred, self._referred = self._referred, None
        if referred is None and self._address.kind is not Kind.STANDALONE:
            self._session = Question(self._address, begun_ns=now_ns, pace=self.pace)
        else:
            self._session = TrackingSession(
                self.access, self._prefixes, begun_ns=now_ns, pace=self.pace, extra=self._extra
            )
        return referred or next(self._named)

    def greet(self, now_ns: int) -> bytes:
        """There is a connection: what to send first."""
        return self._now.greet(now_ns)

    def hear(self, received: bytes, now_ns: int) -> None:
        """Bytes came; b"": the connection ended. Whatever it raises: then `lost`."""
        for heard in self._now.hear(received):
            self._take(heard, now_ns)

    def speak(self, now_ns: int) -> bytes:
        """What to send now, often nothing. Raises StreamBroken: then `lost`."""
        said = self._now.speak(now_ns)
        for subscription in self._subscriptions:
            self._tell("tracking-lost", subscription, subscription.check(now_ns))
        if self._nobody_announces(now_ns):
            raise StreamBroken(Gap.UNANNOUNCED)
        return said

    def wait_s(self, now_ns: int) -> float:
        """How long to wait for bytes before `speak` is due again."""
        return max(WAIT_S_MIN, (self._now.wake_ns - now_ns) / 1e9)

    def lost(self, error: Exception, now_ns: int) -> float:
        """The connection failed or never came about: doubt; answers for how many seconds to leave the server alone."""
        if isinstance(error, Referred):
            self._referred = error.endpoint
            return 0.0
        held_ns = now_ns - self._established_ns if self._established_ns is not None else 0
        self._doubt(self._broken(error), now_ns)
        self._session = None
        if held_ns >= REST_LONGEST.ns:
            self._backoff.reset()
        return self._backoff.next_s()

    @property
    def _extra(self) -> Sequence[Command]:
        """A slot that has moved to another node is told there; this is answered MOVED then."""
        return (("EXISTS", HOME),) if self._address.kind is Kind.CLUSTER else ()

    @property
    def _now(self) -> TrackingSession | Question:
        assert self._session is not None, "dial first"
        return self._session

    def _nobody_announces(self, now_ns: int) -> bool:
        """Perhaps another server has become the primary, and this one does not know."""
        since_ns = self._established_ns
        return since_ns is not None and all(each.unannounced(since_ns, now_ns) for each in self._subscriptions)

    def _take(self, heard: Heard, now_ns: int) -> None:
        match heard:
            case Names(names):
                self._dispatch(names, now_ns)
            case Flushed():
                self._doubt(StreamBroken(Gap.FLUSHED), now_ns)
            case Answered(sent_ns):
                self._established_ns = self._established_ns if self._established_ns is not None else now_ns
                self._whole_until_ns = sent_ns
                for subscription in self._subscriptions:
                    self._tell("tracking-proven", subscription, subscription.answered(now_ns))

    def _dispatch(self, names: list[bytes], now_ns: int) -> None:
        for name in names:
            for subscription in self._subscriptions:
                if name.startswith(subscription.heard_prefix):
                    try:
                        subscription.tell(name, now_ns)
                    except NoticeInvalid as error:
                        raise StreamBroken(Gap.GARBLED, "a notice that is none") from error
                    break

    def _doubt(self, broken: StreamBroken, now_ns: int) -> None:
        """First all are doubted, then it is told: telling takes time."""
        doubted = [(each, each.doubt(broken.gap, broken.detail, now_ns)) for each in self._subscriptions]
        for subscription, evidence in doubted:
            self._tell("tracking-lost", subscription, evidence)

    def _broken(self, error: Exception) -> StreamBroken:
        if isinstance(error, StreamBroken):
            return error
        if isinstance(error, OSError):
            gap = Gap.UNREACHABLE if self._established_ns is None else Gap.CLOSED
            return StreamBroken(gap, type(error).__name__)
        return StreamBroken(Gap.FAILED, type(error).__name__)

    def _tell(self, kind: str, subscription: Subscription, evidence: dict[str, Any] | None) -> None:
        if evidence is not None and self._events is not None:
            self._events.emit(kind, f"{self.name}/{subscription.prefix}", **evidence, dials=self._dials)


def _apart(follows: Mapping[str, TrackingTarget]) -> Mapping[str, TrackingTarget]:
    """The server refuses prefixes of which one begins with another."""
    for prefix in follows:
        for other in follows:
            if prefix != other and other.startswith(prefix):
                raise TrackingInvalid(f"Prefix '{other}' begins with prefix '{prefix}'; a key would belong to both.")
    if not follows:
        raise TrackingInvalid("There is nothing to follow: no prefix is given.")
    return follows


def _require_sound(address: Address, keys: bool, pace: TrackingPace) -> None:
    """Refuse what would call stale values fresh."""
    if keys and address.kind is Kind.CLUSTER:
        raise TrackingInvalid("A Cluster's keys are on many nodes, of which one is followed; announce changes instead.")
    if keys and pace.beat_max:
        raise TrackingInvalid("Nobody beats where keys themselves are followed; leave out either.")
    if address.kind is Kind.SENTINEL and not pace.beat_max:
        raise TrackingInvalid(
            "A primary that Sentinels have replaced may not know it for seconds, and says that all is well.",
            remedy="Have the announcer beat, and give a `beat_max`.",
        )
