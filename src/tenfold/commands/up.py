"""`tenfold up`: everything started and kept running."""

import argparse

from tenfold.commands.options import Subparsers, add_run_options
from tenfold.kernel import interrupts_held_back


def add_up(commands: Subparsers) -> None:
    command = commands.add_parser(
        "up",
        help="start everything and keep it running until Ctrl-C",
        description="Starts the plan's servers and services and the console, and prints where each one listens.",
    )
    add_run_options(command)
    command.set_defaults(run=_up)


def _up(options: argparse.Namespace) -> int:
    with interrupts_held_back():
        from tenfold.bootstrap import up

    return up(options.plan, port=options.port, print_sign_in=options.print_sign_in)
