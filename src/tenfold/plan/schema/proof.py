"""What is to be proven: faults survived, invariants held, wrong builds caught."""

from tenfold.plan.form import Word, either
from tenfold.plan.model import OF_A_SHARE, TAIL, Drill, Fault, FaultKind, Invariant, Mutants, Signal, SignalKind, Target
from tenfold.plan.quantity import SHARE
from tenfold.plan.schema.estate import VARIABLE
from tenfold.plan.schema.promise import NAMES
from tenfold.plan.shapes import ListOf, MappingOf, Record, optional, required
from tenfold.plan.words import choice, command, duration, matching, name, query, text

_AT = r"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)?"
_SHARE = r"[0-9]{1,4}(?:\.[0-9]{1,4})? *%"
_FAULT_SHAPE = matching(rf"^(?:{'|'.join(FaultKind)})(?: {_SHARE}(?: of)?)?(?: {_AT}(?:, {_AT})*)?$", "")
_SIGNAL_SHAPE = matching(rf"^(?:{'|'.join(SignalKind)}) [a-z][a-z0-9-]{{0,62}}$", "")


def read_fault(written: str) -> Fault | None:
    """The fault that is written so; None when it has another form."""
    if not _FAULT_SHAPE.parse(written):
        return None
    kind, _, rest = written.partition(" ")
    share, percent, at = rest.rpartition("%")
    names = tuple(filter(None, at.strip().removeprefix("of ").split(", ")))
    ratio = float(SHARE.read(share + percent) or 0) if percent else 0.0
    fault = Fault(FaultKind(kind), names, ratio)
    slows = fault.kind is not FaultKind.SLOW or ratio > 1
    return fault if slows and (ratio > 0) == (fault.kind in OF_A_SHARE) else None


def _read_signal(written: str) -> Signal | None:
    kind, _, name = written.partition(" ")
    return Signal(SignalKind(kind), name) if _SIGNAL_SHAPE.parse(written) else None


_FAULT = Word(
    f"a fault ({either(list(FaultKind))}) and what it strikes",
    read_fault,
    _FAULT_SHAPE.schema,
    ("kill main.primary", "kill main", "scramble 5 % of main.primary", "focus 20 % of price"),
)
_SIGNAL = Word(
    f"a signal ({either(list(SignalKind))}) and the name it speaks of",
    _read_signal,
    _SIGNAL_SHAPE.schema,
    ("breaker main", "downgrade price"),
)


DRILL = Record(
    Drill,
    (
        required("target", choice(Target), "What is broken: a kind of store, or the traffic."),
        required("fault", _FAULT, "What is done, and to which nodes."),
        required("hold", duration(most="10 min"), "How long the fault lasts before it is reverted."),
        optional("tail", duration(most="10 min"), "How long the load goes on after the revert.", default=str(TAIL)),
        optional("after", _FAULT, "What is done just before the fault, and undone when the fault is."),
        required("signal", _SIGNAL, "What shows that the fault was noticed, and that it is over."),
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
