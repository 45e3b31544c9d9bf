"""The report's charts: what was sent by step, p99 by step with its promise, and a course of time with its faults."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from tenfold.rehearse.verdict import StepVerdict
from tenfold.rehearse.view.progress import Mark, Sample
from tenfold.rehearse.view.svg import LEFT, RIGHT, WIDTH, Axis, bar, figure, line, nice_top, rule, scale, word
from tenfold.rehearse.view.thinning import thinned

AROUND_S = 3.0
"""So long before and after a drill's moments its chart shows."""
DRILL_POINTS_MAX = 160
_TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
_WORDS_APART = 62.0


def rate_chart(steps: Sequence[StepVerdict]) -> str:
    """What fell due (outline) and what was sent (filled), a bar a step."""
    y = Axis(0, nice_top(max([step.target_rps for step in steps], default=1)), 170, 24)
    room = (WIDTH - LEFT - RIGHT) / max(1, len(steps))
    parts = scale(y, "requests/s")
    for place, step in enumerate(steps):
        x, wide = LEFT + room * (place + 0.25), room * 0.5
        said = f"{step.factor:g}×: {step.sent_rps:,.0f} of {step.target_rps:,.0f} requests/s sent"
        parts += [
            bar(x, y(step.sent_rps), wide, y(0) - y(step.sent_rps), "sent" if step.held else "sent missed", said),
            bar(x, y(step.target_rps), wide, y(0) - y(step.target_rps), "due"),
            word(x + wide / 2, 188, f"{step.factor:g}×{'' if step.held else ' ✕'}"),
        ]
    return figure(parts, 196, "Requests a second that fell due and that were sent, by step")


def p99_chart(steps: Sequence[StepVerdict], promises: Mapping[str, float]) -> str:
    """A line a journey and dotted lines for what is promised; the scale ends at four promises, so that one is seen."""
    names = list(dict.fromkeys(name for step in steps for name in step.journeys))
    slowest = max([step.slowest_p99_ms for step in steps], default=1.0)
    y = Axis(0, nice_top(min(slowest, 4 * max(promises.values(), default=slowest)) or 1), 200, 24)
    room = (WIDTH - LEFT - RIGHT) / max(1, len(steps))
    parts = scale(y, "p99, ms")
    for promised in sorted(set(promises.values())):
        if promised <= y.high:
            parts += [rule(LEFT, y(promised), WIDTH - RIGHT, y(promised), "promise")]
            parts += [word(LEFT + 4, y(promised) - 4, f"promised {promised:g} ms", "start")]
    for index, name in enumerate(names):
        found = [(place, step.journeys[name].p99_ms) for place, step in enumerate(steps) if name in step.journeys]
        at = [(round(LEFT + room * (place + 0.5), 1), y(min(p99, y.high))) for place, p99 in found]
        parts.append(f"<g><title>{escape(name)}</title>{line(at, f'journey j{index % 6}')}</g>")
        parts += [f'<circle class="dot j{index % 6}" cx="{px:g}" cy="{py:g}" r="3"/>' for px, py in at]
    parts += [word(LEFT + room * (place + 0.5), 218, f"{step.factor:g}×") for place, step in enumerate(steps)]
    return figure(parts, 226, "p99 response time of each journey by step")


def course_chart(samples: Sequence[Sample], marks: Sequence[Mark]) -> str:
    """The whole run: rate, response time, errors; shaded where a fault was in place."""
    return _course(thinned(samples), _faults(marks, samples[-1].at if samples else 0.0), [], 0.0, "The whole run")


def drill_chart(name: str, samples: Sequence[Sample], marks: Sequence[Mark]) -> str:
    """One drill, its seconds counted from the fault; empty when it left no mark."""
    own = sorted((mark for mark in marks if mark.subject == name), key=lambda mark: mark.at)
    if not own:
        return ""
    zero = next((mark.at for mark in own if mark.kind == "inject"), own[0].at)
    seen = [sample for sample in samples if own[0].at - AROUND_S <= sample.at <= own[-1].at + AROUND_S]
    return _course(thinned(seen, DRILL_POINTS_MAX), _faults(own, own[-1].at), own, zero, f"Drill {name}")


def _faults(marks: Sequence[Mark], end: float) -> list[tuple[float, float]]:
    """From each injection to the next revert of the same drill."""
    spans = []
    for mark in marks:
        if mark.kind == "inject":
            over = (
                one.at for one in marks if one.subject == mark.subject and one.kind == "revert" and one.at > mark.at
            )
            spans.append((mark.at, min(over, default=end)))
    return spans


def _course(
    samples: Sequence[Sample],
    faults: Sequence[tuple[float, float]],
    marks: Sequence[Mark],
    zero: float,
    label: str,
) -> str:
    """Three bands under one another; `zero` is the moment that the axis of time calls 0."""
    if not samples:
        return ""
    x = Axis(samples[0].at, samples[-1].at, LEFT, WIDTH - RIGHT)
    rate = Axis(0, nice_top(max(max(one.rate_rps, one.target_rps) for one in samples)), 126, 36)
    time = Axis(0, nice_top(max(one.p99_ms for one in samples)), 222, 148)
    errors = Axis(0, nice_top(max(5, *(one.errors for one in samples))), 276, 244)
    parts = [
        bar(x(begin), 30, x(min(end, x.high)) - x(begin), 246, "fault") for begin, end in faults if begin <= x.high
    ]
    parts += [*scale(rate, "ended/s"), *scale(time, "ms"), *scale(errors, "errors")]
    parts += [
        line([(x(one.at), rate(one.target_rps)) for one in samples], "target"),
        line([(x(one.at), rate(one.rate_rps)) for one in samples], "rate"),
        line([(x(one.at), time(one.p50_ms)) for one in samples], "p50"),
        line([(x(one.at), time(one.p99_ms)) for one in samples], "p99"),
        *(
            bar(x(one.at) - 1, errors(one.errors), 2, 276 - errors(one.errors), "errors")
            for one in samples
            if one.errors
        ),
        *_moments(marks, x),
        *_clock(x, zero),
    ]
    values = f'data-from="{x.low:g}" data-to="{x.high:g}" data-zero="{zero:g}" tabindex="0"'
    return figure(parts, 300, label, more=values)


def _moments(marks: Sequence[Mark], x: Axis) -> Iterator[str]:
    """Lines through all bands; words in two rows, in turn where they stand close together."""
    before, low = -_WORDS_APART, False
    for mark in marks:
        at = x(mark.at)
        low = not low if at - before < _WORDS_APART else False
        before = at
        yield rule(at, 28, at, 276, "moment")
        yield word(min(at, WIDTH - _WORDS_APART), 24 if low else 12, mark.kind, "start")


def _clock(x: Axis, zero: float) -> Iterator[str]:
    """At most twelve moments; minutes and seconds of the run, or seconds from the fault."""
    length = x.high - x.low
    step = next((one for one in _TIME_STEPS_S if length / one <= 10), _TIME_STEPS_S[-1])
    first = -int((zero - x.low) // step) if zero else int(-(-x.low // step))
    for number in range(first, first + 1 + int(length // step)):
        at = zero + number * step
        if x.low <= at <= x.high:
            yield word(
                x(at), 292, f"{number * step:g} s" if zero else f"{number * step // 60:.0f}:{number * step % 60:02.0f}"
            )
