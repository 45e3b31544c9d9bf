"""Charts as SVG text: pure, without a script, so that a page opens at once, prints, and follows light and dark.

Colours are classes that the page's style names; a chart states no colour of its own.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 960.0
LEFT, RIGHT = 58.0, 12.0
LOW = 50.0


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to pixels along one direction."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low or 1.0
        return round(self.start + (value - self.low) / span * (self.end - self.start), 1)


def nice_top(value: float) -> float:
    """The next round number of 1, 2, 2.5, 5 or 10 times a power of ten: what an axis ends with."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * (1 - 1e-9))


def figure(parts: Iterable[str], height: float, label: str, *, more: str = "") -> str:
    """One picture, as wide as there is room for."""
    body = "".join(parts)
    return (
        f'<svg viewBox="0 0 {WIDTH:g} {height:g}" role="img" aria-label="{escape(label)}"'
        f"{f' {more}' if more else ''}>{body}</svg>"
    )


def line(points: Sequence[tuple[float, float]], name: str) -> str:
    return f'<polyline class="{name}" points="{" ".join(f"{x:g},{y:g}" for x, y in points)}"/>' if points else ""


def bar(x: float, y: float, width: float, height: float, name: str, title: str = "") -> str:
    said = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<rect class="{name}" x="{x:g}" y="{y:g}" width="{max(width, 0):g}" height="{max(height, 0):g}">{said}</rect>'
    )


def rule(x1: float, y1: float, x2: float, y2: float, name: str = "grid") -> str:
    return f'<line class="{name}" x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>'


def word(x: float, y: float, text: str, anchor: str = "middle", name: str = "") -> str:
    classes = f' class="{name}"' if name else ""
    return f'<text{classes} x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def scale(y: Axis, unit: str) -> list[str]:
    """Three lines with their values at the left (two where it is low), and what they count above them."""
    values = (y.low, y.high) if abs(y.end - y.start) < LOW else (y.low, (y.low + y.high) / 2, y.high)
    lines = [rule(LEFT, y(value), WIDTH - RIGHT, y(value)) for value in values]
    words = [word(LEFT - 8, y(value) + 4, f"{value:,g}", "end") for value in values]
    return [*lines, *words, word(0, y.end - 8, unit, "start", "unit")]
