"""What `tenfold switch` says, also of a fault: lines for people, or records for programs; and its exit status."""

import argparse
import json
import sys
import traceback
from collections.abc import Callable, Iterable

import msgspec

from tenfold.commands.switch import text
from tenfold.kernel import Interrupted, TenfoldError

Run = Callable[[argparse.Namespace], int]

DONE, NOT_DONE, AT_FAULT, UNCONFIRMED = 0, 1, 2, 3


def say(options: argparse.Namespace, record: object, lines: Iterable[str]) -> int:
    """One of the two; answers DONE."""
    sys.stdout.write(msgspec.json.encode(record).decode() + "\n" if options.json else text.lines(lines))
    return DONE


def warn(options: argparse.Namespace, sentence: str) -> None:
    """On stderr, beside the answer."""
    sys.stderr.write(json.dumps({"warning": sentence}) + "\n" if options.json else f"tenfold: {sentence}\n")


def note(options: argparse.Namespace, sentence: str) -> None:
    """What was made of what was typed; on stderr, beside the answer."""
    sys.stderr.write(json.dumps({"note": sentence}) + "\n" if options.json else f"{sentence}\n")


def answered(run: Run, options: argparse.Namespace) -> int:
    """What `run` answers. A fault of our own has a status of its own too: 1 would say that somebody else was first."""
    try:
        return run(options)
    except Interrupted:
        raise
    except (TenfoldError, OSError) as error:
        if not options.json:
            raise
        _say_error(error)
    except Exception as error:
        if options.json:
            _say_error(error)
        else:
            traceback.print_exc()
    return AT_FAULT


def _say_error(error: Exception) -> None:
    remedy = error.remedy if isinstance(error, TenfoldError) else ""
    message = str(error).removesuffix(remedy).rstrip()
    said = {"error": {"kind": type(error).__name__, "message": message, "remedy": remedy}}
    sys.stderr.write(json.dumps(said) + "\n")
