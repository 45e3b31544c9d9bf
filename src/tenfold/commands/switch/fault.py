"""What `tenfold switch` says and answers when a word cannot be carried out: in words, or as one line of JSON."""

import argparse
import json
import sys
import traceback
from collections.abc import Callable

from tenfold.commands.switch.answer import AT_FAULT
from tenfold.kernel import Interrupted, TenfoldError

Run = Callable[[argparse.Namespace], int]


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
