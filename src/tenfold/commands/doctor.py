"""`tenfold doctor`: is this machine fit for a rehearsal?"""

import argparse
import sys
from pathlib import Path

from tenfold.commands.options import PLAN, Subparsers
from tenfold.kernel import interrupts_held_back


def add_doctor(commands: Subparsers) -> None:
    command = commands.add_parser(
        "doctor",
        help="say whether this machine is fit for a rehearsal, and what to do",
        description="Measures the machine for about a second and starts no server. "
        "Exit status: 0 fit, 1 not fit, 2 the call is at fault.",
    )
    command.add_argument(
        "--plan", type=Path, default=None, metavar="FILE", help=f"the plan file (default: {PLAN}, if there is one)"
    )
    command.add_argument("--json", action="store_true", help="print everything that was measured as JSON")
    command.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    with interrupts_held_back():
        import msgspec

        from tenfold.fleet.machine.calibration import calibrate
        from tenfold.fleet.machine.facts import facts
        from tenfold.fleet.machine.fitness import checks, is_fit

    asks_rps = _asked_rps(options.plan)
    here, measured = facts(Path.cwd()), calibrate(Path.cwd())
    looked_at = checks(here, measured, asks_rps)
    fit = is_fit(looked_at)
    if options.json:
        told = {"fit": fit, "checks": looked_at, "machine": here, "calibration": measured}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n")
        return 0 if fit else 1
    for check in looked_at:
        print(f"{check.state:<8} {check.name:<14} {check.found}")
        if check.do:
            print(f"{'':<8} {'':<14} → {check.do}")
    print("This machine is fit for a rehearsal." if fit else "This machine is not fit for a rehearsal.")
    return 0 if fit else 1


def _asked_rps(path: Path | None) -> float | None:
    """The highest rate of the plan; None when none is named and the usual one is not here. Raises TenfoldError."""
    with interrupts_held_back():
        from tenfold.fleet import FAULT_KINDS
        from tenfold.plan import read_plan

    if path is None and not PLAN.exists():
        return None
    plan = read_plan(path or PLAN, FAULT_KINDS)
    return plan.peak.daily_peak_rps * max(plan.steps.factors)
