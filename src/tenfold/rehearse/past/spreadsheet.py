"""The steps of a run as CSV (RFC 4180): one line a journey of a step, figures as numbers, units in the head."""

import csv
import io

from tenfold.rehearse.past.archive import PastRun
from tenfold.rehearse.past.comparison import cpu_ms_per_request

HEAD = (
    "run_id",
    "plan",
    "step",
    "held",
    "target_rps",
    "sent_rps",
    "dropped",
    "limited_by",
    "culprit",
    "cpu_ms_per_request",
    "journey",
    "requests",
    "errors",
    "p50_ms",
    "p99_ms",
    "p99_max_ms",
    "p999_ms",
    "slo_held",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def steps_csv(run: PastRun) -> str:
    """With a head; a step without journeys has no line."""
    text = io.StringIO()
    write = csv.writer(text)
    write.writerow(HEAD)
    for step in run.verdict.steps:
        cpu_ms = cpu_ms_per_request(step)
        whole = (
            _word(run.id),
            _word(run.verdict.plan),
            f"{step.factor:g}",
            step.held,
            f"{step.target_rps:g}",
            f"{step.sent_rps:.1f}",
            step.dropped,
            step.limited_by,
            _word(step.culprit),
            "" if cpu_ms is None else f"{cpu_ms:.3f}",
        )
        for name, found in step.journeys.items():
            latencies = (found.p50_ms, found.p99_ms, found.p99_max_ms or "", found.p999_ms)
            write.writerow((*whole, _word(name), found.requests, found.errors, *latencies, found.slo_held))
    return text.getvalue()


def _word(text: str) -> str:
    """A name that a spreadsheet would take for a formula is made text."""
    return f"'{text}" if text.startswith(_FORMULA) else text
