"""The `tenfold` command: parse, call, print.

Exit status: 0 the answer is yes (GO, a sound plan), 1 it is no (NO-GO), 2 the plan, the machine or the call is at
fault, 130 or 143 when it was interrupted.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tenfold import __version__
from tenfold.kernel import Interrupted, TenfoldError, interrupts_held_back

PLAN = Path("plans/freshmart.yaml")

EPILOG = """\
examples:
  tenfold rehearse               ten steps, drills, audit: GO or NO-GO
  tenfold rehearse --quick       the same with fewer, shorter steps
  tenfold rehearse --drills NAME one drill alone: held or not, but never GO
  tenfold rehearse --json        verdict.json on stdout, progress on stderr
  tenfold up                     servers, services and the console until Ctrl-C
  tenfold check plans/mine.yaml  every fault of a plan file, with its line

exit status: 0 GO, 1 NO-GO, 2 the plan, the machine or the call is at fault
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` names; answers the exit status."""
    try:
        options = _parser().parse_args(argv)
        status: int = options.run(options)
    except KeyboardInterrupt:  # before the loop listens to signals, or after: there was nothing to end
        return _ended_by(Interrupted(signal.SIGINT))
    except Interrupted as interrupted:
        return _ended_by(interrupted)
    except TenfoldError as error:
        print(f"tenfold: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"tenfold: The machine refused: {error}; everything that was started has been ended.", file=sys.stderr)
        return 2
    return status


def _ended_by(interrupted: Interrupted) -> int:
    print(f"tenfold: {interrupted}", file=sys.stderr)
    return interrupted.status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tenfold",
        description="Gets a retailer through ten times its normal day.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tenfold {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_rehearse(commands)
    _add_up(commands)
    _add_check(commands)
    _add_switch(commands)
    return parser


def _add_rehearse(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "rehearse",
        help="rehearse the sale day on real servers and say GO or NO-GO",
        description="Starts real servers, steps the load to the plan's peak, breaks things, audits, and judges.",
    )
    _add_run_options(command)
    command.add_argument("--quick", action="store_true", help="the plan's quick steps: fewer, shorter")
    command.add_argument(
        "--drills",
        type=_drills,
        metavar="NAME[,NAME…]",
        help="these drills of the plan only, or none; what is left out is not proven, so the verdict is NO-GO",
    )
    command.add_argument("--seed", type=int, default=None, help="repeat the run that printed this seed")
    command.add_argument("--json", action="store_true", help="print verdict.json on stdout, progress on stderr")
    command.set_defaults(run=_rehearse)


def _add_up(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "up",
        help="start everything and keep it running until Ctrl-C",
        description="Starts the plan's servers and services and the console, and prints where each one listens.",
    )
    _add_run_options(command)
    command.set_defaults(run=_up)


def _add_check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "check",
        help="read a plan file and say everything that is wrong with it",
        description="Prints each fault of a plan file with its line, what stands there and what may stand there.",
    )
    command.add_argument("plan", type=Path, nargs="?", default=PLAN, help=f"the plan file (default: {PLAN})")
    command.set_defaults(run=_check)


def _add_switch(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    with interrupts_held_back():
        from tenfold.respond.switch_cli import add_switch_commands

    add_switch_commands(commands)


def _add_run_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--plan", type=Path, default=PLAN, metavar="FILE", help=f"the plan file (default: {PLAN})")
    command.add_argument(
        "--port", type=_port, default=0, metavar="N", help="the console's port on loopback (default: a free one)"
    )


def _port(text: str) -> int:
    """Raises argparse.ArgumentTypeError."""
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"'{text}' is no port; 0 to 65535 may stand here")
    return int(text)


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
    )


def _up(options: argparse.Namespace) -> int:
    with interrupts_held_back():
        from tenfold.bootstrap import up

    return up(options.plan, port=options.port)


def _check(options: argparse.Namespace) -> int:
    with interrupts_held_back():
        from tenfold.plan import read_plan

    plan = read_plan(options.plan)
    print(
        f"{options.plan} is sound: {plan.name}, daily peak {plan.peak.daily_peak_rps:g}/s, "
        f"{len(plan.journeys)} journeys, {len(plan.drills)} drills, {len(plan.invariants)} invariants"
    )
    return 0
