"""What is to be proven: faults survived, invariants held, wrong builds caught."""

from collections.abc import Sequence
from functools import partial

from tenfold.plan.form import ScalarForm, either
from tenfold.plan.model import TAIL, Drill, Fault, FaultKind, Invariant, Mutants, Signal, SignalKind, Target
from tenfold.plan.quantity import SHARE
from tenfold.plan.schema.estate import VARIABLE
from tenfold.plan.schema.promise import NAMES
from tenfold.plan.shapes import ListOf, MappingOf, RecordOf, optional, required
from tenfold.plan.words import choice, command, duration, matching, name, query, text

_AT = r"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)?"
_SHARE = r"[0-9]{1,4}(?:\.[0-9]{1,4})? *%"
_SIGNAL_SHAPE = matching(rf"^(?:{'|'.join(SignalKind)}) [a-z][a-z0-9-]{{0,62}}$", "")


def read_fault(written: str, kinds: Sequence[FaultKind]) -> Fault | None:
    """The fault of one of the `kinds` that is written so; None when it has another form."""
    if not _fault_shape(kinds).parse(written):
        return None
    word, _, rest = written.partition(" ")
    share, percent, at = rest.rpartition("%")
    names = tuple(filter(None, at.strip().removeprefix("of ").split(", ")))
    ratio = float(SHARE.read(share + percent) or 0) if percent else 0.0
    least = next(kind.share_above for kind in kinds if kind.word == word)
    fits = ratio == 0 if least is None else ratio > least
    return Fault(word, names, ratio) if fits else None


def _fault_shape(kinds: Sequence[FaultKind]) -> ScalarForm[str]:
    words = "|".join(kind.word for kind in kinds)
    return matching(rf"^(?:{words})(?: {_SHARE}(?: of)?)?(?: {_AT}(?:, {_AT})*)?$", "")


def _fault(kinds: Sequence[FaultKind]) -> ScalarForm[Fault]:
    return ScalarForm(
        f"a fault ({either([kind.word for kind in kinds])}) and what it strikes",
        partial(read_fault, kinds=kinds),
        _fault_shape(kinds).schema,
        ("kill main.primary", "kill main", "scramble 5 % of main.primary", "focus 20 % of price"),
    )


def _read_signal(written: str) -> Signal | None:
    kind, _, name = written.partition(" ")
    return Signal(SignalKind(kind), name) if _SIGNAL_SHAPE.parse(written) else None


_SIGNAL = ScalarForm(
    f"a signal ({either(list(SignalKind))}) and the name it speaks of",
    _read_signal,
    _SIGNAL_SHAPE.schema,
    ("breaker main", "downgrade price"),
)


def drill_form(kinds: Sequence[FaultKind]) -> RecordOf[Drill]:
    """What a drill may say when these kinds of faults are known."""
    fault = _fault(kinds)
    return RecordOf(
        Drill,
        (
            required("target", choice(Target), "What is broken: a kind of store, or the traffic."),
            required("fault", fault, "What is done, and to which nodes."),
            required("hold", duration(most="10 min"), "How long the fault lasts before it is reverted."),
            optional(
                "tail",
                duration(most="10 min"),
                "How long the load goes on after the revert at most; it ends once the system is back and steady.",
                default=str(TAIL),
            ),
            optional("after", fault, "What is done just before the fault, and undone when the fault is."),
            required("signal", _SIGNAL, "What shows that the fault was noticed, and that it is over."),
            optional("unharmed", NAMES, "Journeys that are answered without one error throughout.", default=[]),
            optional("delayed", NAMES, "Journeys that may be slow, but not wrong.", default=[]),
            optional("degraded", NAMES, "Journeys that may be answered with less.", default=[]),
            required("proves", text(), "The plan that this drill proves, for people."),
        ),
    )


INVARIANT = RecordOf(
    Invariant,
    (
        required("says", text(), "What must hold, for people."),
        required("checked", query(), "How many things were looked at: one number."),
        required("violations", query(), "How many of them break it: one number, 0 when it holds."),
    ),
)

MUTANTS = RecordOf(
    Mutants,
    (
        required("variable", VARIABLE, "The environment variable that names the mutant."),
        required("names", ListOf(name(), least=1, may_stand="a list of names"), "The mutants there are."),
        required("commands", MappingOf(name(), command(), least=1), "What runs in a service's place."),
    ),
)
