"""What a process tells the control node of its switches: which there are, how often each is read, how it stands, and
what else is said along with it.

Nobody waits for it and nothing depends on it but what people see before they press.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any

import msgspec

from tenfold.channel import RecordChannel
from tenfold.protect.live.switches.declaration import DECLARED, Declaration, DeclarationReport
from tenfold.protect.live.switches.loads import LOADS, PLACES_MAX, SWITCHES_MAX, Load, LoadReport
from tenfold.protect.live.switches.meters import Meters
from tenfold.protect.live.switches.standing import STANDING, Comparison, Standing
from tenfold.protect.live.switches.switch import Switch

LOADS_EVERY_MS = 5_000
AGAIN_EVERY_MS = 10_000
BYTES_MAX = 48 << 10
"""Of one report, well below what the channel takes."""


class Reporter:
    """Says again what the node, which may have begun anew or lost it, does not know. For one thread; time comes in."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._told: tuple[str, str] | None = None
        self._told_ms = 0
        self._names: set[str] = set()
        self._loads_ms: int | None = None
        self._comparison = Comparison()
        self._stood = Standing()
        self._stood_ms = 0
        self._also: tuple[tuple[str, Callable[[], Any]], ...] = ()

    def report_also(self, topic: str, say: Callable[[], Any]) -> None:
        """What `say` answers, as often as the loads."""
        self._also = (*self._also, (topic, say))

    def report(
        self,
        channel: RecordChannel,
        declared: Sequence[Switch[Any]],
        read: Iterable[Switch[Any]],
        refused: Mapping[str, tuple[int, str]],
        now_ms: int,
    ) -> None:
        """`now_ms` is monotonic."""
        node = (channel.state.boot, channel.process.id)
        if node[0]:
            new = node != self._told
            self._report_declarations(channel, declared, node, now_ms)
            standing = self._comparison.standing(declared, channel.current(DECLARED), refused)
            self._report_standing(channel, standing, now_ms, new=new)
        if self._loads_ms is None:
            self._loads_ms = now_ms
        if now_ms - self._loads_ms >= LOADS_EVERY_MS:
            self._report_loads(channel, read, (now_ms - self._loads_ms) / 1000)
            self._loads_ms = now_ms
            for topic, say in self._also:
                with suppress(Exception):
                    channel.report(topic, say())

    def _report_declarations(
        self, channel: RecordChannel, switches: Iterable[Switch[Any]], node: tuple[str, str], now_ms: int
    ) -> None:
        if node != self._told:
            self._told, self._told_ms, self._names = node, now_ms, set()
        elif now_ms - self._told_ms >= AGAIN_EVERY_MS:
            self._told_ms, self._names = now_ms, self._names & channel.current(DECLARED).keys()
        new = [switch.declaration for switch in switches if switch.name not in self._names]
        for part in _parts(new):
            channel.report(DECLARED, DeclarationReport(part))
        self._names.update(declaration.name for declaration in new)

    def _report_standing(self, channel: RecordChannel, standing: Standing, now_ms: int, *, new: bool) -> None:
        """When it is another one, to a node that is new, and now and then, since a report may be lost."""
        due = new or now_ms - self._stood_ms >= AGAIN_EVERY_MS
        if standing != self._stood or (due and standing != Standing()):
            self._stood, self._stood_ms = standing, now_ms
            channel.report(STANDING, standing)

    def _report_loads(self, channel: RecordChannel, switches: Iterable[Switch[Any]], seconds: float) -> None:
        loads: list[Load] = []
        elsewhere_per_s: dict[str, float] = {}
        for switch in switches:
            reads, elsewhere = switch.reads(), switch.reads_elsewhere()
            self._meters.reads.child(switch.name).inc(sum(reads.values()) + elsewhere)
            loads += [Load(switch.name, count / seconds, *place, *said) for (place, said), count in reads.items()]
            if elsewhere:
                elsewhere_per_s[switch.name] = elsewhere / seconds
        loads.sort(key=lambda load: load.reads_per_s, reverse=True)
        channel.report(LOADS, _fitting(seconds, loads, elsewhere_per_s))


def _parts(declarations: Iterable[Declaration]) -> Iterable[list[Declaration]]:
    """As many reports as it takes."""
    part: list[Declaration] = []
    size = 0
    for declaration in declarations:
        size += len(msgspec.json.encode(declaration))
        if part and size > BYTES_MAX:
            yield part
            part, size = [], len(msgspec.json.encode(declaration))
        part.append(declaration)
    if part:
        yield part


def _fitting(seconds: float, loads: Sequence[Load], elsewhere_per_s: Mapping[str, float]) -> LoadReport:
    """Those read most one by one, as many as one report holds."""
    report = _cut(PLACES_MAX, seconds, loads, elsewhere_per_s)
    while report.loads and len(msgspec.json.encode(report)) > BYTES_MAX:
        report = _cut(len(report.loads) // 2, seconds, loads, elsewhere_per_s)
    return report


def _cut(count: int, seconds: float, loads: Sequence[Load], elsewhere_per_s: Mapping[str, float]) -> LoadReport:
    """The first `count` one by one, the others by switch, and what is too much even so as one figure."""
    rates = dict(elsewhere_per_s)
    for load in loads[count:]:
        rates[load.switch] = rates.get(load.switch, 0.0) + load.reads_per_s
    most_first = sorted(rates.items(), key=itemgetter(1), reverse=True)
    unnamed_per_s = sum(rate for _, rate in most_first[SWITCHES_MAX:])
    return LoadReport(seconds, list(loads[:count]), dict(most_first[:SWITCHES_MAX]), unnamed_per_s)
