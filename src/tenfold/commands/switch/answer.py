"""What `tenfold switch` says: lines for people, or records for programs; and its exit status."""

import argparse
import json
import sys
from collections.abc import Iterable

import msgspec

from tenfold.commands.switch import text

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
