"""What is sent: a normal day, the kinds of requests and their mix, the climb to the peak."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from tenfold.plan.form import Form, ScalarForm, Such
from tenfold.plan.model import Journey, Peak, Steps, Tier, Traffic
from tenfold.plan.schema.promise import promise
from tenfold.plan.shapes import ListOf, MappingOf, RecordOf, optional, required
from tenfold.plan.words import choice, duration, flag, matching, name, number, rate, request, share, text

_TCHAR = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_HEADER = matching(rf"^{_TCHAR}$", "the name of an HTTP header", "X-Tenfold-Test")
_HEADER_VALUE = matching(r"^[ -~]*$", "the value of a header: one line of ASCII", "${unique}")
_FILE = matching(r"^[^\x00-\x1f\x7f]+$", "the path of a file, from the plan's folder,", "feeds/baskets.jsonl.xz")
_STATUS_SHAPE = matching(r"^[1-5][0-9][0-9]$", "")
_POINTER = matching(r"^/[^\s]*$", "a JSON pointer into the answer", "/id")
_STATUS = ScalarForm(
    "an HTTP status", lambda text: int(text) if _STATUS_SHAPE.parse(text) else None, _STATUS_SHAPE.schema
)


def _peak(*, daily_peak_rps: float, hours: tuple[float, ...]) -> Peak:
    return Peak(daily_peak_rps=daily_peak_rps, hours=tuple(hour / sum(hours) for hour in hours))


_HOURS = ListOf(number(), least=24, most=24, may_stand="a list of 24 numbers, one an hour,")

PEAK = RecordOf(
    _peak,
    (
        required("daily_peak", rate(), "Requests in the busiest hour of a normal day.", into="daily_peak_rps"),
        required(
            "hours",
            Such(_HOURS, lambda hours: sum(hours) > 0, "24 numbers that are not all zero"),
            "How a normal day's traffic falls on its 24 local hours; any scale, for only the proportions count.",
        ),
    ),
)


TRAFFIC = RecordOf(
    Traffic,
    (
        required("service", name(), "The service that the requests go to."),
        required("tag", _HEADER, "Header that every test request carries; its value is known to one run alone."),
        required("timeout", duration(), "How long an answer is waited for."),
        required(
            "feed",
            ScalarForm(_FILE.may_stand, lambda written: Path(written) if _FILE.parse(written) else None, _FILE.schema),
            "JSON lines, `.xz` or plain, from which requests are made; from the plan's folder.",
        ),
    ),
)


def _journey(*, request: tuple[str, str], **rest: Any) -> Journey:
    method, path = request
    return Journey(method=method, path=path, **rest)


JOURNEY = RecordOf(
    _journey,
    (
        required("tier", choice(Tier), "How much it matters."),
        required("share", share(), "Its part of all requests; all journeys' shares are 100 %."),
        required("request", request(), "Method and path; ${…} is filled in for each request."),
        optional("headers", MappingOf(_HEADER, _HEADER_VALUE), "Headers beside the tag.", default={}),
        optional("body", text(), "The request's body; ${…} is filled in."),
        optional(
            "answers",
            MappingOf(_STATUS, name(), least=1),
            "Right answers: status, and what it means. Every other status is an error.",
            default={"200": "answered"},
        ),
        optional(
            "remember",
            MappingOf(name(), _POINTER),
            "Parts of the answer that other journeys may use, as ${journey.name}: a JSON pointer each.",
            default={},
        ),
        optional("journal", flag(), "Whether every answer is kept, for the invariants to look at.", default=False),
        required("slo", promise(availability=False), "What is promised."),
    ),
)


def _ascends(factors: tuple[float, ...]) -> bool:
    return all(lower < higher for lower, higher in pairwise(factors))


_FACTORS: Form[tuple[float, ...]] = Such(
    ListOf(number(above=0), least=1, most=50, may_stand="a list of numbers", examples=("[1, 2, 5, 10]",)),
    _ascends,
    "numbers that ascend",
    ("[1, 2, 5, 10]",),
)
_CLIMB = (
    ("warm_up", duration(), "How long one normal day, hour by hour, is played first."),
    ("factors", _FACTORS, "The steps, each a multiple of the daily peak; the last is the peak to be proven."),
    ("hold", duration(), "How long each step but the last is held."),
    ("peak_hold", duration(), "How long the last step is held."),
)


def _steps(*, quick: dict[str, Any] | None = None, **rest: Any) -> tuple[Steps, Steps]:
    """The climb, and the quick one: the same but for what the plan says otherwise."""
    climb = Steps(**rest)
    return climb, replace(climb, **quick or {})


_QUICK: RecordOf[dict[str, Any]] = RecordOf(dict, tuple(optional(key, form, says) for key, form, says in _CLIMB))

STEPS = RecordOf(
    _steps,
    (
        *(required(key, form, says) for key, form, says in _CLIMB),
        optional("quick", _QUICK, "What `--quick` does otherwise; a key that is missing is as above."),
    ),
)
