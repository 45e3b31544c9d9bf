"""What is wrong with a plan file: where, what stands there, what may stand there."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tenfold.kernel import TenfoldError
from tenfold.plan.node import KeyPath, Location, Node, ScalarNode, printable, shortened, written

NOTHING = "nothing"

EXAMPLES_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong. Line 0 is the file as a whole; `hint` is the name that was probably meant."""

    path: Path
    line: int
    column: int
    key_path: KeyPath
    stands: str
    may_stand: str
    examples: tuple[str, ...] = ()
    hint: str = ""

    @property
    def key(self) -> str:
        """The key path as people write it: `steps.factors[2]`."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{shortened(step)}" for step in self.key_path)
        return "".join(steps).removeprefix(".")

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else f"{self.path}"
        key = f" {self.key}:" if self.key_path else ""
        hint = f"did you mean '{self.hint}'? " if self.hint else ""
        modal = "must" if self.stands == NOTHING else "may"
        more = ", …" if len(self.examples) > EXAMPLES_MAX else ""
        examples = ": " + ", ".join(self.examples[:EXAMPLES_MAX]) + more if self.examples else ""
        line = f"{where}:{key} {self.stands} stands here; {hint}{self.may_stand} {modal} stand here{examples}"
        return printable(line)


class Problems:
    """Everything found wrong with one file so far, so that a person mends it in one go."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: list[Problem] = []

    def refuse(self, node: Node, may_stand: str, examples: Iterable[str] = (), known: Iterable[str] = ()) -> None:
        """What stands at `node` may not; `known` are the names among which the one that was meant may be."""
        hint = nearest(node.text or "", known) if isinstance(node, ScalarNode) else ""
        self.add(node.place, written(node), may_stand, examples, hint)

    def add(self, place: Location, stands: str, may_stand: str, examples: Iterable[str] = (), hint: str = "") -> None:
        problem = Problem(
            path=self._path,
            line=place.line,
            column=place.column,
            key_path=place.key_path,
            stands=stands,
            may_stand=may_stand,
            examples=tuple(examples),
            hint=hint,
        )
        self._found.append(problem)

    def __bool__(self) -> bool:
        return bool(self._found)

    def in_order(self) -> list[Problem]:
        """As they stand in the file, each once."""
        return sorted(dict.fromkeys(self._found), key=lambda problem: (problem.line, problem.column))


def nearest(name: str, known: Iterable[str]) -> str:
    """The one of the `known` names that `name` was probably meant to be; empty when none is near."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), "")


class PlanInvalid(TenfoldError):
    """A plan file that cannot be carried out. `problems` is all that is wrong with it, in the order of the file."""

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        self.path = path
        self.problems = problems
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([*map(str, problems), f"{count} in {path}; nothing was started."]))
