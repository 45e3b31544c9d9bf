"""`tenfold check`: every fault of a plan file."""

import argparse
from pathlib import Path

from tenfold.commands.options import PLAN, Subparsers
from tenfold.kernel import interrupts_held_back


def add_check(commands: Subparsers) -> None:
    command = commands.add_parser(
        "check",
        help="read a plan file and say everything that is wrong with it",
        description="Prints each fault of a plan file with its line, what stands there and what may stand there.",
    )
    command.add_argument("plan", type=Path, nargs="?", default=PLAN, help=f"the plan file (default: {PLAN})")
    command.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    with interrupts_held_back():
        from tenfold.fleet import FAULT_KINDS
        from tenfold.plan import read_plan

    plan = read_plan(options.plan, FAULT_KINDS)
    print(
        f"{options.plan} is sound: {plan.name}, daily peak {plan.peak.daily_peak_rps:g}/s, "
        f"{len(plan.journeys)} journeys, {len(plan.drills)} drills, {len(plan.invariants)} invariants"
    )
    return 0
