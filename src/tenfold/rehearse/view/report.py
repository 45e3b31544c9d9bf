"""What a run leaves for people: one page that opens from disk without a network, and `verdict.json` for machines.

The page carries everything inside: its data, its style, its own script, and Plotly's, which is taken from the
installed wheel. It states the hash of each script in its Content-Security-Policy, so a browser runs these and no other.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from tenfold.kernel import TenfoldError
from tenfold.rehearse.headline import IN_SIGHT
from tenfold.rehearse.verdict import Verdict
from tenfold.rehearse.view.machine_row import machine_rows
from tenfold.rehearse.view.progress import Mark, Sample

PAGE = "index.html"
VERDICT = "verdict.json"

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
    scripts = [_inline(get_plotlyjs()), _inline((_TEMPLATES / "report.js").read_text())]
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.filters.update(clock=_clock, count=_count, ms=_ms)
    return environment.get_template("report.html").render(
        verdict=verdict,
        evidence=evidence,
        machine_rows=machine_rows([*verdict.steps, *verdict.drills]),
        in_sight=IN_SIGHT,
        data=_inline_json({"verdict": verdict, "evidence": evidence}),
        scripts=scripts,
        policy=_policy(scripts),
        style=(_TEMPLATES / "report.css").read_text(),
    )


def _policy(scripts: Iterable[str]) -> str:
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    # Plotly writes style elements of its own while it draws, so style alone may be inline.
    return f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'"


def _inline(script: str) -> str:
    """A script that may stand between script tags: what would end the element, written so that it does not."""
    return re.sub(r"<(?=/script|!--)", r"\\x3c", script, flags=re.IGNORECASE)


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
