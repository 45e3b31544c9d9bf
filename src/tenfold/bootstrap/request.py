"""What the command line asked for, and what people see of it before anything has happened."""

from dataclasses import dataclass

from rich.console import Console as Terminal

from tenfold.plan import Plan, Steps
from tenfold.rehearse import DrillView, InvariantView, RunProgress, StepView, step_name


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One run, as it was asked for."""

    plan: Plan
    steps: Steps
    seed: int
    port: int
    terminal: Terminal
    left_out: tuple[str, ...] = ()
    """Drills of the plan that are not wanted this time."""
    rehearsing: bool = False
    stay: bool = False
    """Whether the console stays open after the verdict, until a signal."""
    print_sign_in: bool = False
    """Links to sign in are wanted in a file too."""
    mutant: str | None = None
    words: tuple[str, ...] = ()
    """The command that was typed, for the report to repeat it."""


def progress_of(request: RunRequest, run_id: str, began_at: str) -> RunProgress:
    """Everything that the plan is going to do, waiting."""
    plan = request.plan
    return RunProgress(
        run_id=run_id,
        plan=plan.name,
        title=plan.title,
        began_at=began_at,
        daily_peak_rps=plan.peak.daily_peak_rps,
        steps=[
            StepView(name=step_name(factor), factor=factor, target_rps=factor * plan.peak.daily_peak_rps)
            for factor in request.steps.factors
        ],
        drills=[
            DrillView(
                name=name,
                target=drill.target,
                proves=drill.proves,
                fault=drill.stated,
                state="left-out" if name in request.left_out else "waiting",
            )
            for name, drill in plan.drills.items()
        ],
        invariants=[InvariantView(name=name, says=one.says) for name, one in plan.invariants.items()],
    )
