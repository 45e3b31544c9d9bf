"""Switches in a terminal. Pure: records in, lines out; nothing longer than it must be."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from tenfold.kernel.clock import utc
from tenfold.protect.live.switches import Rule, SwitchRecord
from tenfold.respond.switchboard.effect import Effect
from tenfold.respond.switchboard.following import Following, Refused, apart_sentence
from tenfold.respond.switchboard.history import HistoryEntry, Wholeness
from tenfold.respond.switchboard.shield import ShieldView
from tenfold.respond.switchboard.view import SwitchView
from tenfold.respond.switchboard.watch import Away, Back


def table(views: Sequence[SwitchView], now_ms: int) -> list[str]:
    """One line a switch."""
    rows: list[tuple[str, ...]] = [("SWITCH", "TIER", "VALUE", "ELSEWHERE", "TIME LEFT", "OWNER", "REASON")]
    rows += [_row(view, now_ms) for view in views]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return [_aligned(row, widths) for row in rows]


def page(view: SwitchView, follows: Following | None, now_ms: int, shield: ShieldView | None = None) -> Iterator[str]:
    """Everything about one; `shield` is given of a feature that processes told of."""
    yield f"{view.name}  {said(view.value)}  ({view.kind}{', ' + view.tier if view.tier else ''})"
    if view.says:
        yield f"  {view.says}"
    if view.functions and view.functions != (view.says,):
        yield f"  touches: {', '.join(view.functions)}"
    if view.problem:
        yield f"  {view.problem}"
    if view.otherwise:
        yield f"  declared otherwise by {_some(view.otherwise)}; what was declared last is shown"
    yield f"  default: {said(view.default)}"
    for rule in reversed(view.rules):
        yield f"  {set_as(rule, now_ms)}"
    if view.epoch:
        yield f"  epoch {view.epoch}, changed {at(view.changed_at_ns)} by {view.changed_by}"
    if follows is not None:
        yield f"  {acknowledged(follows)}"
    if shield is not None:
        yield f"  {missed(shield)}"
        yield f"  {saved(shield)}"


def missed(shield: ShieldView) -> str:
    """Why people miss a feature now."""
    causes = ", ".join(f"by {cause} in {many} of {shield.processes} processes" for cause, many in shield.by.items())
    return f"shielded {causes}" if causes else "not shielded now"


def saved(shield: ShieldView) -> str:
    """What the shield saved."""
    if not shield.spared_all:
        return "every request was served since these processes began"
    causes = ", ".join(f"{cause} {count:,}" for cause, count in shield.spared.items())
    taken = "unknown, as none was served and timed"
    if shield.saved_s is not None:
        taken = f"{shield.saved_s:.3g} s" if shield.saved_s < 60 else _length(shield.saved_s)
    return f"{shield.spared_all:,} requests did without since these processes began ({causes}); saved: {taken}"


def effect_lines(effect: Effect, now_ms: int) -> Iterator[str]:
    """What a draft would touch, for how long, and whose settings would go."""
    yield f"{effect.name}: {said(effect.before)} -> {said(effect.after)} wherever nothing narrower is set"
    if effect.undoes:
        yield f"  takes back epoch {effect.undoes}"
    for rule in effect.new:
        yield f"  sets: {said(rule.value)} for {scope(rule)}, {left(rule, now_ms)}"
    for rule in effect.gone:
        yield f"  takes away: {set_as(rule, now_ms)}"
    yield (
        f"  touches {effect.processes} of {effect.processes_all} processes, {len(effect.stores)} of "
        f"{effect.stores_all} known stores, "
        f"about {rate(effect.reads_per_s)} of {rate(effect.reads_per_s_all)} reads a second"
    )
    if effect.no_subject_per_s:
        yield f"  about {rate(effect.no_subject_per_s)} of them name no subject: a percentage passes those by"
    if effect.elsewhere_per_s:
        yield f"  at least: about {rate(effect.elsewhere_per_s)} more come from places that are not told apart"
    if not effect.declared:
        yield "  no process has declared a switch of this name"
    if effect.functions:
        yield f"  functions: {', '.join(effect.functions)}"
    for rule in effect.narrower:
        yield f"  stays as it is, being narrower: {said(rule.value)} for {scope(rule)} (--override takes it along)"


def rate(per_s: float) -> str:
    """A figure as exact as it was measured: whole from ten on, two digits below."""
    return f"{per_s:,.0f}" if per_s >= 10 or per_s == 0 else f"{per_s:.2g}"


def entry_line(entry: HistoryEntry) -> str:
    return f"{entry.epoch:>6}  {at(entry.at_ns)}  {entry.switch}  {_set(entry)}  by {entry.by}: {entry.reason}"


def acknowledged(follows: Following) -> str:
    line = f"in force in {follows.applied} of {follows.processes} processes"
    if follows.median_ms is not None:
        line += f", median {follows.median_ms:.1f} ms, slowest {follows.slowest_ms:.1f} ms ({follows.slowest})"
    if follows.failures:
        line += f"; {follows.failures} times somebody raised at it"
    if follows.refused:
        line += f"; {_refused(follows.refused)}"
    if follows.missing:
        line += f"; not yet in {_some(follows.missing)}"
    if follows.apart:
        line += f". {apart_sentence(follows.apart)}"
    return line


def _refused(refused: Sequence[Refused]) -> str:
    """With the reason of the first, which is mostly everybody's."""
    names = _some([one.process for one in refused])
    processes = "1 process" if len(refused) == 1 else f"{len(refused)} processes"
    return f"refused in {processes}: {refused[0].why.rstrip('.')} ({names})"


def away_line(away: Away) -> str:
    return f"The control node has not answered since {at(away.since_ns)} ({away.why}); every process keeps what it has."


def back_line(back: Back) -> str:
    return f"The control node answers again, after {_length(back.away_s)}."


def wholeness_line(wholeness: Wholeness) -> str:
    if wholeness.problem:
        return f"{wholeness.problem} {wholeness.entries} entries before it are what was written."
    whole = f"{wholeness.entries} entries are what was written; the newest is {wholeness.epoch}:{wholeness.digest}"
    if not wholeness.checkpoint:
        return whole
    since = utc(wholeness.since_ns)
    return f"{whole}; verified from {since}, {wholeness.pruned} earlier entries pruned at epoch {wholeness.checkpoint}"


def said(value: Any) -> str:
    """A value as people say it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def scope(rule: Rule) -> str:
    """The scope of a rule in words."""
    parts = [
        f"{rule.percent:g} % of subjects" if rule.percent is not None else "",
        _named("store", rule.stores),
        _named("service", rule.services),
        _named("instance", rule.instances),
        *(f"{name}={value}" for name, value in rule.where.items()),
    ]
    return ", ".join(filter(None, parts)) or "everybody"


def set_as(rule: Rule, now_ms: int) -> str:
    """One setting with whom to ask about it."""
    return f"{said(rule.value)} for {scope(rule)}, {left(rule, now_ms)}; {rule.owner}: {rule.reason}"


def left(rule: Rule, now_ms: int) -> str:
    if not rule.until_ms:
        return "until somebody changes it"
    return f"for {_length((rule.until_ms - now_ms) / 1000)}, until {at(rule.until_ms * 1_000_000)}"


def at(wall_ns: int) -> str:
    """In this machine's own zone."""
    return datetime.fromtimestamp(wall_ns // 1_000_000_000).astimezone().strftime("%Y-%m-%d %H:%M:%S%z")


def _set(entry: HistoryEntry) -> str:
    if entry.record is None:
        return "default"
    try:
        record = msgspec.convert(entry.record, SwitchRecord)
    except msgspec.ValidationError:
        return "what cannot be read"
    return "; ".join(f"{said(rule.value)} for {scope(rule)}" for rule in record.rules)


def _row(view: SwitchView, now_ms: int) -> tuple[str, ...]:
    whole = next((rule for rule in reversed(view.rules) if not rule.scoped), None)
    scoped = [rule for rule in view.rules if rule.scoped]
    ends = [rule.until_ms for rule in view.rules if rule.until_ms]
    newest = view.rules[-1] if view.rules else None
    return (
        view.name,
        view.tier,
        said(view.value) + ("" if whole is not None else " (default)"),
        _some([f"{said(rule.value)} {scope(rule)}" for rule in scoped]),
        _length((min(ends) - now_ms) / 1000) if ends else "",
        newest.owner if newest is not None else "",
        newest.reason if newest is not None else view.problem,
    )


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    return "  ".join((*cells, row[-1])).rstrip()


def _named(noun: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    return f"{noun} {names[0]}" if len(names) == 1 else f"{noun}s {_some(names)}"


def _some(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _length(seconds: float) -> str:
    if seconds < 60:
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"


def lines(parts: Iterable[str]) -> str:
    return "".join(f"{part}\n" for part in parts)
