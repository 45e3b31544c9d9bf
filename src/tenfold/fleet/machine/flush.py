"""How long the disk takes to keep a few bytes: what every commit of a database waits for."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

_BYTES = 4096
_LIMIT_S = 2.0


def flush_times_ms(folder: Path, count: int) -> Sequence[float]:
    """Up to `count` flushes of 4 KiB to a file in `folder`, each in milliseconds; fewer when they take 2 s together.

    None at all when the folder takes no file: what cannot be measured is not known. It blocks: ask from a thread.
    """
    path = folder / f".flush-{os.getpid()}"
    try:
        with path.open("wb", buffering=0) as file:
            return _flushes(file.fileno(), count)
    except OSError:
        return ()
    finally:
        path.unlink(missing_ok=True)


def _flushes(file: int, count: int) -> list[float]:
    taken: list[float] = []
    while len(taken) < count and sum(taken) < _LIMIT_S * 1e3:
        began_ns = time.perf_counter_ns()
        os.pwrite(file, b"\0" * _BYTES, len(taken) * _BYTES)
        os.fdatasync(file)
        taken.append((time.perf_counter_ns() - began_ns) / 1e6)
    return taken
