"""What a run leaves for people: one page that opens from disk without a network, and `verdict.json` for machines.

The page carries everything inside: its charts as SVG, its style, and a small script that reads the charts to whoever
points at them. Without the script nothing is missing but that. Its Content-Security-Policy states the hash of style and
script, so a browser takes these and no other, and lets the page ask for nothing.
"""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tenfold.kernel import TenfoldError
from tenfold.rehearse.summary import summary_of
from tenfold.rehearse.verdict import Verdict
from tenfold.rehearse.view.charts import course_chart, drill_chart, p99_chart, rate_chart
from tenfold.rehearse.view.machine_row import machine_rows
from tenfold.rehearse.view.progress import Mark, Sample
from tenfold.rehearse.view.thinning import thinned

PAGE = "index.html"
VERDICT = "verdict.json"
POINTS_READ_MAX = 4000
"""Of the whole run: 16 minutes at four samples a second as they were measured, longer runs thinned."""

_TEMPLATES = Path(__file__).parent / "templates"


class ReportUnwritableError(TenfoldError):
    """The report's folder takes no file: a full disk, or no permission."""


class RunEvidence(msgspec.Struct, kw_only=True):
    """What the page shows beside the verdict: how the run went, and what is needed to repeat it."""

    title: str
    began_at: str
    elapsed_s: float
    daily_peak_rps: float
    seed: int
    repeat: str
    """The command that repeats this run."""
    versions: dict[str, str] = {}
    """Of everything that took part, by name."""
    p99_max_ms: dict[str, float] = {}
    """What the plan promises, by journey."""
    says: dict[str, str] = {}
    """What each invariant says, by name."""
    faults: dict[str, str] = {}
    """What each drill does to whom, by name: `kill main.primary`."""
    left_out: list[str] = []
    """Drills of the plan that were not carried out."""
    samples: list[Sample] = []
    marks: list[Mark] = []


def write_report(folder: Path, verdict: Verdict, evidence: RunEvidence) -> Path:
    """Write `verdict.json` and `index.html` into `folder`; answer the page's path. Raises ReportUnwritableError."""
    page = render_report(verdict, evidence)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / VERDICT, encode_verdict(verdict))
        return _write(folder / PAGE, page.encode())
    except OSError as error:
        raise ReportUnwritableError(
            f"The report cannot be written to {folder}: {error.strerror or error}. The verdict is {verdict.verdict}.",
            remedy="Make room or choose another folder, and run again.",
        ) from error


def encode_verdict(verdict: Verdict) -> bytes:
    """`verdict.json`: indented, since people read it too."""
    return msgspec.json.format(msgspec.json.encode(verdict), indent=2) + b"\n"


def render_report(verdict: Verdict, evidence: RunEvidence) -> str:
    """The page as text: nothing in it comes from elsewhere, everything in it is escaped."""
    style, script = ((_TEMPLATES / name).read_text() for name in ("report.css", "report.js"))
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(clock=_clock, count=_count, ms=_ms)
    return environment.get_template("report.html").render(
        verdict=verdict,
        evidence=evidence,
        summary=summary_of(verdict),
        charts=_charts(verdict, evidence),
        machine_rows=machine_rows([*verdict.steps, *verdict.drills]),
        data=_inline_json(_points(evidence.samples)),
        policy=_policy(style, script),
        script=script,
        style=style,
    )


def _charts(verdict: Verdict, evidence: RunEvidence) -> dict[str, Any]:
    return {
        "rate": rate_chart(verdict.steps),
        "p99": p99_chart(verdict.steps, evidence.p99_max_ms),
        "course": course_chart(evidence.samples, evidence.marks),
        "drills": {one.name: drill_chart(one.name, evidence.samples, evidence.marks) for one in verdict.drills},
    }


def _points(samples: Sequence[Sample]) -> list[tuple[float, ...]]:
    """What the script reads out: at, rate, target, p50, p99, errors; as fine as a chart of one drill."""
    points = thinned(samples, POINTS_READ_MAX)
    return [
        (
            round(one.at, 2),
            round(one.rate_rps),
            round(one.target_rps),
            round(one.p50_ms, 1),
            round(one.p99_ms, 1),
            one.errors,
        )
        for one in points
    ]


def _policy(style: str, script: str) -> str:
    own = f"script-src {_hash(script)}; style-src {_hash(style)}"
    return f"default-src 'none'; {own}; img-src data:; base-uri 'none'"


def _hash(inline: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"


def _inline_json(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _write(path: Path, body: bytes) -> Path:
    """All of it or nothing: a reader never finds half a file."""
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_bytes(body)
        return partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _count(number: float) -> str:
    return f"{number:,.0f}"


def _ms(milliseconds: float | None) -> str:
    """Three digits are what a reader compares: 2.14, 20.3, 903."""
    if milliseconds is None:
        return "never"
    digits = 0 if milliseconds >= 100 else 1 if milliseconds >= 10 else 2
    return f"{milliseconds:,.{digits}f}"
