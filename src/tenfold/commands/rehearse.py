"""`tenfold rehearse`: the sale day before the sale day."""

import argparse

from tenfold.commands.options import Subparsers, add_run_options
from tenfold.kernel import interrupts_held_back


def add_rehearse(commands: Subparsers) -> None:
    command = commands.add_parser(
        "rehearse",
        help="rehearse the sale day on real servers and say GO or NO-GO",
        description="Starts real servers, steps the load to the plan's peak, breaks things, audits, and judges. "
        "Exit status: 0 GO, 1 NO-GO, 2 no verdict, or inconclusive: other programs, the host or the disk spoiled it.",
    )
    add_run_options(command)
    command.add_argument("--quick", action="store_true", help="the plan's quick steps: fewer, shorter")
    command.add_argument(
        "--drills",
        type=_drills,
        metavar="NAME[,NAME…]",
        help="these drills of the plan only, or none; what is left out is not proven, so the verdict is NO-GO",
    )
    command.add_argument("--seed", type=int, default=None, help="repeat the run that printed this seed")
    command.add_argument("--json", action="store_true", help="print verdict.json on stdout, progress on stderr")
    command.add_argument("--stay", action="store_true", help="keep the console open on the report until Ctrl-C")
    command.set_defaults(run=_rehearse)


def _drills(text: str) -> tuple[str, ...]:
    """Empty for the word `none`. Raises argparse.ArgumentTypeError."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError(f"'{text}' names no drill; a drill, several as a,b,c, or none may stand here")
    return () if names == ("none",) else names


def _rehearse(options: argparse.Namespace) -> int:
    with interrupts_held_back():
        from tenfold.bootstrap import rehearse

    return rehearse(
        options.plan,
        port=options.port,
        quick=options.quick,
        drills=options.drills,
        seed=options.seed,
        as_json=options.json,
        stay=options.stay,
        print_sign_in=options.print_sign_in,
    )
