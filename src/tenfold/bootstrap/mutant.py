"""The wrong build that a rehearsal may be asked to run, to see that it is refused."""

from collections.abc import Mapping

from tenfold.kernel import TenfoldError
from tenfold.plan import Plan


class MutantRefused(TenfoldError):
    """A wrong build was asked for where none may run."""


def mutant_of(plan: Plan, environment: Mapping[str, str]) -> str | None:
    """The wrong build that the environment asks for. Raises MutantRefused for one that the plan does not know."""
    name = environment.get(plan.mutants.variable, "") if plan.mutants else ""
    if plan.mutants and name and name not in plan.mutants.names:
        raise MutantRefused(
            f"{plan.mutants.variable}='{name}' is no mutant of this plan; nothing was started.",
            remedy=f"It knows: {', '.join(plan.mutants.names)}.",
        )
    return name or None


def refuse_mutant(plan: Plan, environment: Mapping[str, str]) -> None:
    """For whatever people may come to depend on. Raises MutantRefused."""
    if mutant_of(plan, environment):
        raise MutantRefused(
            "A mutant runs in a rehearsal only; `tenfold up` starts the system as it is.",
            remedy=f"Unset {plan.mutants.variable if plan.mutants else ''}.",
        )
