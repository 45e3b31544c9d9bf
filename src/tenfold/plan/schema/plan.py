"""The plan as a whole: every key at the top of the file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tenfold.plan.form import ScalarForm
from tenfold.plan.model import FaultKind, Plan, Steps
from tenfold.plan.schema.estate import SERVER, SERVICE, VARIABLE, VARIABLE_VALUE
from tenfold.plan.schema.load import JOURNEY, PEAK, STEPS, TRAFFIC
from tenfold.plan.schema.proof import INVARIANT, MUTANTS, drill_form
from tenfold.plan.shapes import ListOf, MappingOf, RecordOf, optional, required
from tenfold.plan.words import command, name, query, text

SCHEMA_VERSION = 1


def _plan(*, schema: int, plan: str, steps: tuple[Steps, Steps], **rest: Any) -> Plan:
    """`path` is not known in here; the reader puts it in."""
    assert schema == SCHEMA_VERSION
    return Plan(name=plan, path=Path(), steps=steps[0], quick_steps=steps[1], **rest)


VERSION = ScalarForm(
    f"{SCHEMA_VERSION}, the version that this Tenfold reads,",
    lambda text: SCHEMA_VERSION if text == str(SCHEMA_VERSION) else None,
    {"const": SCHEMA_VERSION},
)


def plan_form(kinds: Sequence[FaultKind]) -> RecordOf[Plan]:
    """What a plan may say when these kinds of faults are known."""
    return RecordOf(
        _plan,
        (
            required("schema", VERSION, "The version of this format."),
            required("plan", name(), "The plan's name, as it stands in the verdict."),
            required("title", text(), "What is rehearsed, for people."),
            required("peak", PEAK, "A normal day."),
            optional("servers", MappingOf(name(), SERVER), "Real servers, started on free loopback ports.", default={}),
            optional(
                "environment",
                MappingOf(VARIABLE, VARIABLE_VALUE),
                "What every command finds in its environment; ${server.node.url} is the address of a node.",
                default={},
            ),
            optional("setup", ListOf(command()), "Run once, in order, when the servers answer.", default=[]),
            required("services", MappingOf(name(), SERVICE, least=1), "The programs under rehearsal."),
            required("traffic", TRAFFIC, "What all test requests share."),
            required("journeys", MappingOf(name(), JOURNEY, least=1), "The kinds of requests and their mix."),
            required("steps", STEPS, "The climb to the peak."),
            optional(
                "drills", MappingOf(name(), drill_form(kinds)), "Faults at the last step's rate, in turn.", default={}
            ),
            optional("settled", query(), "True when all accepted work is done.", default="SELECT true"),
            optional("invariants", MappingOf(name(), INVARIANT), "What must hold afterwards.", default={}),
            optional("mutants", MUTANTS, "Builds that are wrong on purpose."),
        ),
    )
