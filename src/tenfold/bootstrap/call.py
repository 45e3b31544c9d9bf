"""What the command line asked for."""

from dataclasses import dataclass

from rich.console import Console as Terminal

from tenfold.plan import Plan, Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One run, as it was asked for."""

    plan: Plan
    steps: Steps
    seed: int
    port: int
    terminal: Terminal
    left_out: tuple[str, ...] = ()
    """Drills of the plan that are not wanted this time."""
    rehearsing: bool = False
    mutant: str | None = None
    words: tuple[str, ...] = ()
    """The command that was typed, for the report to repeat it."""
