"""One control node on one store: a lock that whoever dies lets go."""

import errno
import fcntl
import os
from pathlib import Path

from tenfold.kernel import TenfoldError


class StoreBusy(TenfoldError):
    """Another control node has the store."""


def locked(path: Path) -> int:
    """Hold the store at `path` for this process; answers the descriptor that is closed to let go.

    Raises StoreBusy, OSError.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StoreBusy(
            f"The control store {path} is used by another control node; a second one cannot run on it.",
            remedy="Stop the other, or give this one a store of its own.",
        ) from error
    return descriptor
