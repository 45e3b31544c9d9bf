"""What a process tells the control node of its switches: which there are, how often each is read, how it stands, and
what else is said along with it.

Nobody waits for it and nothing depends on it but what people see before they press.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any

import msgspec

from tenfold.channel import Change, RecordChannel
from tenfold.protect.live.switches.declaration import DECLARED, Declaration, DeclarationReport
from tenfold.protect.live.switches.reports import (
    LOADS,
    PLACES_MAX,
    STANDING,
    SWITCHES_MAX,
    LoadReport,
    Otherwise,
    ReadRate,
    RecordRefusal,
    SwitchStanding,
)
from tenfold.protect.live.switches.switch import Switch
from tenfold.protect.live.switches.switch_table import SwitchMetrics

LOADS_EVERY_MS = 5_000
AGAIN_EVERY_MS = 10_000
BYTES_MAX = 48 << 10
"""Of one report, well below what the channel takes."""
NAMES_MAX = 100
WHY_LENGTH_MAX = 200


class Reporter:
    """Says again what the node, which may have begun anew or lost it, does not know. For one thread; time comes in."""

    def __init__(self, metrics: SwitchMetrics) -> None:
        self._metrics = metrics
        self._told: tuple[str, str] | None = None
        self._told_ms = 0
        self._names: set[str] = set()
        self._loads_ms: int | None = None
        self._comparison = DeclarationComparison()
        self._stood = SwitchStanding()
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

    def _report_standing(self, channel: RecordChannel, standing: SwitchStanding, now_ms: int, *, new: bool) -> None:
        """When it is another one, to a node that is new, and now and then, since a report may be lost."""
        due = new or now_ms - self._stood_ms >= AGAIN_EVERY_MS
        if standing != self._stood or (due and standing != SwitchStanding()):
            self._stood, self._stood_ms = standing, now_ms
            channel.report(STANDING, standing)

    def _report_loads(self, channel: RecordChannel, switches: Iterable[Switch[Any]], seconds: float) -> None:
        loads: list[ReadRate] = []
        elsewhere_per_s: dict[str, float] = {}
        for switch in switches:
            reads, elsewhere = switch.reads(), switch.reads_elsewhere()
            self._metrics.reads.child(switch.name).inc(sum(reads.values()) + elsewhere)
            loads += [ReadRate(switch.name, count / seconds, *place, *said) for (place, said), count in reads.items()]
            if elsewhere:
                elsewhere_per_s[switch.name] = elsewhere / seconds
        loads.sort(key=lambda load: load.reads_per_s, reverse=True)
        channel.report(LOADS, _fitting(seconds, loads, elsewhere_per_s))


class DeclarationComparison:
    """Compares declarations with the node's, each once as long as both stay the same. For one thread."""

    def __init__(self) -> None:
        self._compared: dict[str, tuple[int, tuple[str, ...]]] = {}

    def standing(
        self,
        declared: Iterable[Switch[Any]],
        records: Mapping[str, Change],
        refused: Mapping[str, tuple[int, str]],
    ) -> SwitchStanding:
        """`records` are the node's declarations by name; `refused` what is refused, by name, since which epoch."""
        compared = ((switch.name, self._parts(switch.declaration, records.get(switch.name))) for switch in declared)
        otherwise = [Otherwise(name, parts) for name, parts in compared if parts]
        refusals = [RecordRefusal(name, epoch, why[:WHY_LENGTH_MAX]) for name, (epoch, why) in sorted(refused.items())]
        return SwitchStanding(tuple(refusals[:NAMES_MAX]), tuple(otherwise[:NAMES_MAX]))

    def _parts(self, declaration: Declaration, record: Change | None) -> tuple[str, ...]:
        if record is None:
            return ()
        epoch, parts = self._compared.get(declaration.name, (-1, ()))
        if epoch != record.epoch:
            parts = _differing(declaration, record.json or b"")
            self._compared[declaration.name] = (record.epoch, parts)
        return parts


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


def _fitting(seconds: float, loads: Sequence[ReadRate], elsewhere_per_s: Mapping[str, float]) -> LoadReport:
    """Those read most one by one, as many as one report holds."""
    report = _cut(PLACES_MAX, seconds, loads, elsewhere_per_s)
    while report.loads and len(msgspec.json.encode(report)) > BYTES_MAX:
        report = _cut(len(report.loads) // 2, seconds, loads, elsewhere_per_s)
    return report


def _cut(count: int, seconds: float, loads: Sequence[ReadRate], elsewhere_per_s: Mapping[str, float]) -> LoadReport:
    """The first `count` one by one, the others by switch, and what is too much even so as one figure."""
    rates = dict(elsewhere_per_s)
    for load in loads[count:]:
        rates[load.switch] = rates.get(load.switch, 0.0) + load.reads_per_s
    most_first = sorted(rates.items(), key=itemgetter(1), reverse=True)
    unnamed_per_s = sum(rate for _, rate in most_first[SWITCHES_MAX:])
    return LoadReport(seconds, list(loads[:count]), dict(most_first[:SWITCHES_MAX]), unnamed_per_s)


def _differing(declaration: Declaration, json: bytes) -> tuple[str, ...]:
    """By name, what is not the same; nothing when the node's cannot be read."""
    with suppress(ValueError, RecursionError):
        here = msgspec.to_builtins(declaration)
        there = msgspec.to_builtins(msgspec.json.decode(json, type=Declaration))
        return tuple(part for part in sorted(here.keys() | there.keys()) if here.get(part) != there.get(part))
    return ()
