"""All switches of one process: declared in code, set by people and rules, followed by themselves.

switches = Switches()                                              # in a module; nothing runs yet
recommendations = switches.boolean("recommendations", default=True, tier="P3", says="what others bought")

with Channel(url, token, service="shop", keepsake=path) as channel, switches.following(channel):
    ...                                                            # recommendations() is what people set
"""

import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from tenfold.kernel import Clock, SystemClock, TenfoldError
from tenfold.kernel.forks import tell_forks
from tenfold.protect.channel import Change
from tenfold.protect.switches.channel import Channel
from tenfold.protect.switches.declaration import DECLARED, STORES_MAX, Declaration, Kind, Tier, read_declaration
from tenfold.protect.switches.meters import Meters
from tenfold.protect.switches.record import TOPIC, RecordInvalid, SwitchRecord
from tenfold.protect.switches.reporter import Reporter
from tenfold.protect.switches.rule import Place, Scalar
from tenfold.protect.switches.shelf import Shelf
from tenfold.protect.switches.switch import BooleanSwitch, PercentageSwitch, Switch
from tenfold.telemetry import EventLog, Registry

LOOK_S = 1.0
"""So long until somebody looks again what is over or is to be told, at the latest."""
SOON_S = 0.1
FAR_MS = 1 << 62
"""While somebody looks, every end that comes in is one more reason to look again."""
CLOSE_TIMEOUT_S = 2.0

OnName = Callable[[str], object]


class SwitchesBusy(TenfoldError):
    """The switches follow another channel already."""


class Switches:
    """Everything may be called from any thread. Without `open`, or with the node away, switches are as last known.

    One daemon thread, from `open` to `close`, ends what is over and reports; a forked child gets its own.
    """

    def __init__(
        self, *, registry: Registry | None = None, events: EventLog | None = None, clock: Clock | None = None
    ) -> None:
        self._meters = Meters(registry or Registry())
        self._shelf = Shelf(self._meters, events, self._guarded)
        self._reporter = Reporter(self._meters)
        self._clock = clock or SystemClock()
        self._channel: Channel | None = None
        self._leave: Callable[[], None] | None = None
        self._borrowed_names: set[str] = set()
        self._listeners: tuple[OnName, ...] = ()
        self._closing = False
        self._looks_at_ms = 0
        self._thread: threading.Thread | None = None
        self._begin_life()

    def _begin_life(self) -> None:
        """What belongs to one process and not to its children."""
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._news = threading.Event()

    def _begin_tending(self) -> None:
        self._closing = False
        self._thread = threading.Thread(target=self._tend, name="tenfold-switches", daemon=True)
        self._thread.start()

    def boolean(self, name: str, *, default: bool, **said: Any) -> BooleanSwitch:
        """On or off. `said` is what `declare` takes, here and below. Raises DeclarationInvalid."""
        switch = self.declare(name, "boolean", default, **said)
        assert isinstance(switch, BooleanSwitch)
        return switch

    def integer(
        self, name: str, *, default: int, minimum: int | None = None, maximum: int | None = None, **said: Any
    ) -> Switch[int]:
        """A whole number, between bounds that may be stated."""
        return self.declare(name, "integer", default, schema=_bounds(minimum, maximum), **said)

    def number(
        self, name: str, *, default: float, minimum: float | None = None, maximum: float | None = None, **said: Any
    ) -> Switch[float]:
        """A number, between bounds that may be stated."""
        return self.declare(name, "number", default, schema=_bounds(minimum, maximum), **said)

    def percentage(self, name: str, *, default: float, **said: Any) -> PercentageSwitch:
        """A share of subjects, 0 to 100."""
        switch = self.declare(name, "percentage", default, **said)
        assert isinstance(switch, PercentageSwitch)
        return switch

    def text(self, name: str, *, default: str, choices: Collection[str] = (), **said: Any) -> Switch[str]:
        """A text, one of `choices` when they are stated."""
        return self.declare(name, "text", default, schema={"enum": list(choices)} if choices else {}, **said)

    def json(self, name: str, *, default: Any, schema: Mapping[str, Any], **said: Any) -> Switch[Any]:
        """Anything that JSON can say and `schema` allows."""
        return self.declare(name, "json", default, schema=dict(schema), **said)

    def declare(
        self,
        name: str,
        kind: Kind,
        default: Any,
        *,
        schema: Mapping[str, Any] | None = None,
        says: str = "",
        tier: Tier = "",
        functions: Collection[str] = (),
        owner: str = "",
        stores_max: int | None = STORES_MAX,
        variants: Mapping[str, Any] | None = None,
        labels: Mapping[str, Scalar] | None = None,
    ) -> Switch[Any]:
        """The switch of that name; what the words mean stands in `Declaration`. Raises DeclarationInvalid."""
        declaration = Declaration(
            name=name,
            kind=kind,
            default=default,
            schema=dict(schema or {}),
            says=says,
            tier=tier,
            functions=tuple(functions),
            owner=owner,
            stores_max=stores_max,
            variants=dict(variants or {}),
            labels=dict(labels or {}),
        )
        with self._guarded():
            switch = self._shelf.declare(declaration, self._now_ms())
        self._news.set()
        return switch

    def get(self, name: str) -> Switch[Any] | None:
        """The switch of that name, None when none is declared in this process."""
        return self._shelf.get(name)

    def known(self, name: str) -> Switch[Any] | None:
        """The same, or else as any other process has declared it to the node; None when nobody has."""
        return self._shelf.get(name) or self._borrowed(name)

    def record(self, name: str) -> SwitchRecord | None:
        """What is set for a name, whoever declared it."""
        return self._shelf.record(name)

    def __iter__(self) -> Iterator[Switch[Any]]:
        return iter(self._shelf)

    def listen(self, listener: OnName) -> Callable[[], None]:
        """Call `listener` with the name of every switch that is set to anything else; answers how to stop."""
        self._listeners = (*self._listeners, listener)
        return lambda: self._forget(listener)

    def report_also(self, topic: str, say: Callable[[], Any]) -> None:
        """Have what `say` answers told to the control node too, as often as how often the switches are read. It must
        be quick; what it raises goes nowhere.
        """
        self._reporter.report_also(topic, say)

    def open(self, channel: Channel, *, tended: bool = True) -> None:
        """Follow `channel`, which the caller opens and closes. Without `tended` there is no thread, and whoever keeps
        time himself calls `look`. Raises SwitchesBusy.
        """
        with self._guarded():
            if self._channel is not None:
                raise SwitchesBusy("These switches follow a channel already; they go on following it.")
            self._channel = channel
            self._shelf.live_at(_place_of(channel), self._now_ms())
        self._leave = channel.subscribe(TOPIC, self._hear)
        if tended:
            tell_forks(self)
            self._begin_tending()

    def close(self) -> None:
        """Follow no longer, within CLOSE_TIMEOUT_S; every switch stays as it is."""
        if self._channel is None:
            return
        self._closing = True
        self._news.set()
        if self._leave is not None:
            self._leave()
        if self._thread is not None and threading.current_thread() is not self._thread:
            self._thread.join(CLOSE_TIMEOUT_S)
        self._channel = self._thread = None

    @contextmanager
    def following(self, channel: Channel, *, tended: bool = True) -> Iterator["Switches"]:
        """Open for as long as the block lasts."""
        self.open(channel, tended=tended)
        try:
            yield self
        finally:
            self.close()

    def look(self) -> float:
        """End what is over, say what is to be said; answers in how many seconds to look again.

        The thread does it, or whoever opened these switches without one.
        """
        channel = self._channel
        self._looks_at_ms = FAR_MS
        with self._guarded():
            ended = self._shelf.end_what_is_over(self._now_ms())
            end_ms = self._shelf.next_end_ms()
            if channel is not None:
                own = [switch for switch in self if switch.name not in self._borrowed_names]
                now_ms = self._clock.monotonic_ns() // 1_000_000
                self._reporter.report(channel, own, list(self), self._shelf.refused, now_ms)
        self._tell(ended)
        rest_s = LOOK_S if channel is not None and channel.state.boot else SOON_S
        if end_ms is not None:
            rest_s = max(0.001, min(rest_s, (end_ms - self._now_ms()) / 1000))
        self._looks_at_ms = self._now_ms() + int(rest_s * 1000)
        return rest_s

    def _tend(self) -> None:
        rest_s = 0.0
        while not self._closing:
            self._news.wait(rest_s)
            self._news.clear()
            try:
                rest_s = self.look()
            except Exception:  # also what a listener of events raises: nothing may end this thread
                rest_s = LOOK_S

    def _hear(self, change: Change) -> None:
        """The channel's word. Raises RecordInvalid and CallbackFailed, so that the acknowledgement says so."""
        try:
            with self._guarded():
                self._shelf.take(change.key, change.json, change.epoch, self._now_ms())
        except RecordInvalid:
            self._news.set()
            raise
        finally:
            self._wake_for(change.key)
            self._tell((change.key,))

    def _wake_for(self, name: str) -> None:
        """Have the thread look sooner when something ends before it would; else it sleeps on, as in a moment of
        change every process of a machine has better things to do.
        """
        switch = self._shelf.get(name)
        end_ms = switch.record.next_end_ms if switch is not None else None
        if end_ms is not None and end_ms < self._looks_at_ms:
            self._news.set()

    def _tell(self, names: Iterable[str]) -> None:
        for name in names:
            for listener in self._listeners:
                with suppress(Exception):
                    listener(name)

    def _borrowed(self, name: str) -> Switch[Any] | None:
        """Declared here from now on, as it was declared there; it is not this process that says so to the node."""
        record = self._channel.current(DECLARED).get(name) if self._channel is not None else None
        if record is None:
            return None
        with suppress(TenfoldError, ValueError), self._guarded():
            self._borrowed_names.add(name)
            return self._shelf.declare(read_declaration(record.json or b""), self._now_ms())
        return None

    def _guarded(self) -> threading.RLock:
        """The lock; in a child that was forked while another thread held it, a new one."""
        if self._pid != os.getpid():
            self._begin_life()
        return self._lock

    def after_fork(self) -> None:
        """Begin this process's own life, and take up anew what the parent may have been taking up just then."""
        channel = self._channel
        if channel is None or self._thread is None:
            return
        if self._pid != os.getpid():
            self._begin_life()
        records = channel.current(TOPIC)
        for name in {*self._shelf.names_set(), *records}:
            record = records.get(name)
            json, epoch = (record.json, record.epoch) if record is not None else (None, 0)
            with self._lock, suppress(TenfoldError):
                self._shelf.take(name, json, epoch, self._now_ms())
        self._begin_tending()

    def _now_ms(self) -> int:
        return self._clock.wall_ns() // 1_000_000

    def _forget(self, listener: OnName) -> None:
        self._listeners = tuple(other for other in self._listeners if other is not listener)


def _place_of(channel: Channel) -> Place:
    process = channel.process
    return Place(process.service, process.store, process.instance)


def _bounds(minimum: float | None, maximum: float | None) -> dict[str, Any]:
    stated = {"minimum": minimum, "maximum": maximum}
    return {name: bound for name, bound in stated.items() if bound is not None}
