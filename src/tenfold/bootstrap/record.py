"""What people look at, as it stands before anything has happened."""

from tenfold.bootstrap.call import Call
from tenfold.rehearse import DrillView, InvariantView, Progress, StepView, step_name


def record_of(call: Call, run_id: str, began_at: str) -> Progress:
    """Everything that the plan is going to do, waiting."""
    plan = call.plan
    return Progress(
        run_id=run_id,
        plan=plan.name,
        title=plan.title,
        began_at=began_at,
        daily_peak_rps=plan.peak.daily_peak_rps,
        steps=[
            StepView(name=step_name(factor), factor=factor, target_rps=factor * plan.peak.daily_peak_rps)
            for factor in call.steps.factors
        ],
        drills=[
            DrillView(
                name=name,
                target=drill.target,
                proves=drill.proves,
                fault=drill.stated,
                state="left-out" if name in call.left_out else "waiting",
            )
            for name, drill in plan.drills.items()
        ],
        invariants=[InvariantView(name=name, says=one.says) for name, one in plan.invariants.items()],
    )
