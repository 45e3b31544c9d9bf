"""What is to be proven: faults survived, invariants held, wrong builds caught."""

from typing import Any

from tenfold.plan.form import Word
from tenfold.plan.model import Drill, FaultKind, Invariant, Mutants, Target
from tenfold.plan.schema.estate import VARIABLE
from tenfold.plan.schema.promise import NAMES
from tenfold.plan.shapes import ListOf, MappingOf, Record, optional, required
from tenfold.plan.words import choice, command, duration, matching, name, query, text


def _read_fault(written: str) -> tuple[FaultKind, str] | None:
    kind, _, node = written.partition(" ")
    return (FaultKind(kind), node) if _FAULT_SHAPE.parse(written) else None


_FAULT_SHAPE = matching(rf"^({'|'.join(FaultKind)}) [a-z][a-z0-9-]*\.[a-z0-9-]+$", "")
_FAULT = Word(
    "a fault (kill, stop, cut or refuse) and the node it strikes",
    _read_fault,
    _FAULT_SHAPE.schema,
    ("kill main.primary", "stop database.replica", "cut database.primary", "refuse objects.s3"),
)


def _drill(*, fault: tuple[FaultKind, str], **rest: Any) -> Drill:
    kind, node = fault
    return Drill(fault=kind, node=node, **rest)


DRILL = Record(
    _drill,
    (
        required("target", choice(Target), "The kind of store that is broken."),
        required("fault", _FAULT, "What is done, and to which node."),
        required("hold", duration(most="10 min"), "How long the fault lasts before it is reverted."),
        required("breaker", name("the name of a breaker"), "Its opening shows that the fault was noticed."),
        optional("unharmed", NAMES, "Journeys that are answered without one error throughout.", default=[]),
        optional("delayed", NAMES, "Journeys that may be slow, but not wrong.", default=[]),
        optional("degraded", NAMES, "Journeys that may be answered with less.", default=[]),
        required("proves", text(), "The plan that this drill proves, for people."),
    ),
)

INVARIANT = Record(
    Invariant,
    (
        required("says", text(), "What must hold, for people."),
        required("checked", query(), "How many things were looked at: one number."),
        required("violations", query(), "How many of them break it: one number, 0 when it holds."),
    ),
)

MUTANTS = Record(
    Mutants,
    (
        required("variable", VARIABLE, "The environment variable that names the mutant."),
        required("names", ListOf(name(), least=1, may_stand="a list of names"), "The mutants there are."),
        required("commands", MappingOf(name(), command(), least=1), "What runs in a service's place."),
    ),
)
