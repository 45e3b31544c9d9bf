"""The person who types `tenfold switch`, and what opens the control node for them."""

import argparse
import getpass
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tenfold.commands.switch.typed_rule import check_typed
from tenfold.kernel import TenfoldError
from tenfold.respond.control import ControlClient
from tenfold.respond.switchboard import SwitchOperator

URL, TOKEN = "TENFOLD_CONTROL_URL", "TENFOLD_CONTROL_TOKEN"  # names of variables
BY = "TENFOLD_BY"


class ControlUnknown(TenfoldError):
    """Neither an option nor the environment says where the control node is, or what opens it."""


@contextmanager
def at_node(options: argparse.Namespace) -> Iterator[SwitchOperator]:
    """Acts in the name of whoever types. Raises ControlUnknown, TypedUnreadable."""
    check_typed(options)
    if not options.control:
        raise ControlUnknown("Nobody said where the control node is.", remedy=f"Say --control URL, or set {URL}.")
    client = ControlClient(options.control, token())
    try:
        yield SwitchOperator(client, by=user())
    finally:
        client.close()


def token() -> str:
    """Never an argument: those are seen by everybody on the machine. Raises ControlUnknown."""
    token = os.environ.get(TOKEN, "")
    if not token:
        raise ControlUnknown("Nobody said what opens the control node.", remedy=f"Set {TOKEN}.")
    return token


def user() -> str:
    """Whose name stands in the history."""
    try:
        return os.environ.get(BY) or getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        return str(os.getuid())


def now_ms() -> int:
    """Wall time, as ends of settings are."""
    return time.time_ns() // 1_000_000
