"""What several commands take."""

import argparse
from pathlib import Path
from typing import Any

PLAN = Path("plans/freshmart.yaml")
Subparsers = Any  # argparse keeps its class private


def add_run_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--plan", type=Path, default=PLAN, metavar="FILE", help=f"the plan file (default: {PLAN})")
    command.add_argument(
        "--port", type=port, default=0, metavar="N", help="the console's port on loopback (default: a free one)"
    )
    command.add_argument(
        "--print-sign-in",
        action="store_true",
        help="write links to sign in even where output is redirected: whoever reads one may change things",
    )


def port(text: str) -> int:
    """A port as it was typed. Raises argparse.ArgumentTypeError."""
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"'{text}' is no port; 0 to 65535 may stand here")
    return int(text)
