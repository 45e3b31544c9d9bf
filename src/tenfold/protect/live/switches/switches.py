"""All switches of one process: declared in code, set by people and rules, followed by themselves.

switches = Switches()                                              # in a module; nothing runs yet
recommendations = switches.boolean("recommendations", default=True, tier="P3", says="what others bought")

with Channel(url, token, service="shop", keepsake=path) as channel, switches.following(channel):
    ...                                                            # recommendations() is what people set
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tenfold.channel import Change, RecordChannel
from tenfold.kernel import Clock, SystemClock, TenfoldError
from tenfold.kernel.forks import tell_forks
from tenfold.protect.live.switches.declaration import DECLARED, Declaration, read_declaration
from tenfold.protect.live.switches.kinds import Kinds
from tenfold.protect.live.switches.lookout import LOOK_S, SOON_S, Lookout
from tenfold.protect.live.switches.reporter import Reporter
from tenfold.protect.live.switches.rule import TOPIC, Place, RecordInvalid, SwitchRecord
from tenfold.protect.live.switches.switch import Switch
from tenfold.protect.live.switches.switch_table import SwitchMetrics, SwitchTable
from tenfold.telemetry import EventLog, Registry

CLOSE_TIMEOUT_S = 2.0

OnName = Callable[[str], object]


class SwitchesBusy(TenfoldError):
    """The switches follow another channel already."""


class Switches(Kinds):
    """Everything may be called from any thread. Without `open`, or with the node away, switches are as last known.

    One daemon thread, from `open` to `close`, ends what is over and reports; a forked child gets its own.
    """

    def __init__(
        self, *, registry: Registry | None = None, events: EventLog | None = None, clock: Clock | None = None
    ) -> None:
        self._metrics = SwitchMetrics(registry or Registry())
        self._table = SwitchTable(self._metrics, events, self._guarded)
        self._reporter = Reporter(self._metrics)
        self._clock = clock or SystemClock()
        self._channel: RecordChannel | None = None
        self._leave: Callable[[], None] | None = None
        self._borrowed: dict[str, Change] = {}
        self._listeners: tuple[OnName, ...] = ()
        self._tended = False
        self._settled = True
        self._begin_life()

    def _begin_life(self) -> None:
        """What belongs to one process and not to its children."""
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._lookout = Lookout(self.look, self._now_ms)

    def declared(self, declaration: Declaration) -> Switch[Any]:
        """The switch of that declaration, made when it is the first of its name here. Raises DeclarationInvalid."""
        with self._guarded():
            switch = self._declare(declaration)
            self._borrowed.pop(declaration.name, None)
        self._lookout.wake()
        return switch

    def get(self, name: str) -> Switch[Any] | None:
        """The switch of that name, None when none is declared in this process."""
        return self._table.get(name)

    def known(self, name: str) -> Switch[Any] | None:
        """The same, or else as any other process has declared it to the node; None when nobody has. Ask at each read:
        there is another one once that is declared otherwise, or here.
        """
        switch = self._table.get(name)
        return switch if switch is not None and name not in self._borrowed else self._borrow(name)

    def record(self, name: str) -> SwitchRecord | None:
        """What is set for a name, whoever declared it."""
        return self._table.record(name)

    def __iter__(self) -> Iterator[Switch[Any]]:
        return iter(self._table)

    def listen(self, listener: OnName) -> Callable[[], None]:
        """Call `listener` with the name of every switch that is set to anything else; answers how to stop."""
        self._listeners = (*self._listeners, listener)
        return lambda: self._forget(listener)

    def report_also(self, topic: str, say: Callable[[], Any]) -> None:
        """Have what `say` answers told to the control node too, as often as how often the switches are read. It must
        be quick; what it raises goes nowhere.
        """
        self._reporter.report_also(topic, say)

    def open(self, channel: RecordChannel, *, tended: bool = True) -> None:
        """Follow `channel`, which the caller opens and closes. Without `tended` there is no thread: the caller
        calls `look`. Raises SwitchesBusy.
        """
        with self._guarded():
            if self._channel is not None:
                raise SwitchesBusy("These switches follow a channel already; they go on following it.")
            self._channel, self._settled = channel, False
            self._table.live_at(_place_of(channel), self._now_ms())
        self._leave = channel.subscribe(TOPIC, self._hear)
        self._settle(channel)
        self._tended = tended
        if tended:
            tell_forks(self)
            self._lookout.open()

    def close(self) -> None:
        """Follow no longer, within CLOSE_TIMEOUT_S; every switch stays as it is."""
        if self._channel is None:
            return
        if self._leave is not None:
            self._leave()
        self._lookout.close(CLOSE_TIMEOUT_S)
        self._lookout = Lookout(self.look, self._now_ms)
        self._channel, self._tended = None, False

    @contextmanager
    def following(self, channel: RecordChannel, *, tended: bool = True) -> Iterator["Switches"]:
        """Open for as long as the block lasts."""
        self.open(channel, tended=tended)
        try:
            yield self
        finally:
            self.close()

    def look(self) -> float:
        """End what is over, say what is to be said; answers in how many seconds to look again.

        The thread calls it, or the caller that opened these switches without one.
        """
        channel = self._channel
        if channel is not None:
            self._settle(channel)
        with self._guarded():
            ended = self._table.end_what_is_over(self._now_ms())
            end_ms = self._table.next_end_ms()
            if channel is not None:
                own = [switch for switch in self if switch.name not in self._borrowed]
                now_ms = self._clock.monotonic_ns() // 1_000_000
                self._reporter.report(channel, own, list(self), self._table.refused, now_ms)
        self._tell(ended)
        rest_s = LOOK_S if channel is not None and channel.state.boot else SOON_S
        if end_ms is not None:
            rest_s = max(0.001, min(rest_s, (end_ms - self._now_ms()) / 1000))
        return rest_s

    def _hear(self, change: Change) -> None:
        """The channel's word. Raises RecordInvalid and CallbackFailed, so that the acknowledgement says so."""
        if change.key in self._borrowed:
            self._borrow(change.key)
        try:
            with self._guarded():
                self._table.take(change.key, change.json, change.epoch, self._now_ms())
        except RecordInvalid:
            self._lookout.wake()
            raise
        finally:
            switch = self._table.get(change.key)
            self._lookout.expect(switch.record.next_end_ms if switch is not None else None)
            self._tell((change.key,))

    def _settle(self, channel: RecordChannel) -> None:
        """Take back, once, what was set here when another channel, or none, was followed, and is set no longer: a
        channel tells what there is. Until the node is heard everything stays as last known.
        """
        if self._settled or not channel.state.boot:
            return
        self._settled = True
        gone = {*self._table.names_set(), *self._table.refused} - channel.current(TOPIC).keys()
        self._take_up(channel, gone)
        self._tell(gone)

    def _take_up(self, channel: RecordChannel, names: Iterable[str]) -> None:
        """What is set of these by now. What is newer than what is read here is told afterwards, by the channel."""
        for name in names:
            with self._guarded(), suppress(Exception):  # of one name: the others are taken up all the same
                record = channel.current(TOPIC).get(name)
                json, epoch = (record.json, record.epoch) if record is not None else (None, 0)
                self._table.take(name, json, epoch, self._now_ms())

    def _tell(self, names: Iterable[str]) -> None:
        for name in names:
            for listener in self._listeners:
                with suppress(Exception):
                    listener(name)

    def _borrow(self, name: str) -> Switch[Any] | None:
        """Declared here too, as it is declared there by now; it is not this process that says so to the node."""
        channel = self._channel
        record = channel.current(DECLARED).get(name) if channel is not None else None
        if record is None or record is self._borrowed.get(name):
            return self._table.get(name)
        with self._guarded():
            if name in self._borrowed or self._table.get(name) is None:
                self._borrowed[name] = record
                with suppress(TenfoldError, ValueError, RecursionError):
                    self._declare(read_declaration(record.json or b""))
        return self._table.get(name)

    def _declare(self, declaration: Declaration) -> Switch[Any]:
        """Instead of a borrowed one; what that refused may be what this one was made for. With the lock held."""
        name, channel = declaration.name, self._channel
        switch = self._table.declare(declaration, self._now_ms(), instead=name in self._borrowed)
        if name in self._borrowed and name in self._table.refused and channel is not None:
            self._take_up(channel, (name,))
        return switch

    def _guarded(self) -> threading.RLock:
        """The lock; in a child that was forked while another thread held it, a new one."""
        if self._pid != os.getpid():
            self._begin_life()
        return self._lock

    def after_fork(self) -> None:
        """Begin this process's own life, and take up anew what the parent may have been taking up just then."""
        channel = self._channel
        if channel is None or not self._tended:
            return
        if self._pid != os.getpid():
            self._begin_life()
        set_before = self._table.names_set() if self._settled else []
        self._take_up(channel, {*set_before, *channel.current(TOPIC)})
        self._lookout.open()

    def _now_ms(self) -> int:
        return self._clock.wall_ns() // 1_000_000

    def _forget(self, listener: OnName) -> None:
        self._listeners = tuple(other for other in self._listeners if other is not listener)


def _place_of(channel: RecordChannel) -> Place:
    process = channel.process
    return Place(process.service, process.store, process.instance)
