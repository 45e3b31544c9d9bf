"""The `tenfold` command: parse, call, print.

Exit status: 0 the answer is yes (GO, a sound plan, a fit machine), 1 it is no (NO-GO), 2 nobody knows: the plan, the
machine or the call is at fault, or the machine spoiled the run; 130 or 143 when it was interrupted.
"""

import argparse
import signal
import sys
from collections.abc import Sequence

from tenfold import __version__
from tenfold.kernel import Interrupted, TenfoldError, interrupts_held_back

EPILOG = """\
examples:
  tenfold rehearse               ten steps, drills, audit: GO or NO-GO
  tenfold rehearse --quick       the same with fewer, shorter steps
  tenfold rehearse --drills NAME one drill alone: held or not, but never GO
  tenfold rehearse --json        verdict.json on stdout, progress on stderr

exit status: 0 GO, 1 NO-GO, 2 the plan, the call or the machine is at fault
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
    with interrupts_held_back():
        from tenfold.commands import add_check, add_doctor, add_rehearse, add_reports, add_switch_commands, add_up

    add_rehearse(commands)
    add_up(commands)
    add_check(commands)
    add_doctor(commands)
    add_reports(commands)
    add_switch_commands(commands)
    return parser
