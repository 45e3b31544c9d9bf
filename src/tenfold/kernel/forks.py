"""Who has to begin anew in a forked child: gunicorn forks after import, when a lock may be held by another thread."""

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """What has locks, threads or calls under way that the child does not have."""

    def after_fork(self) -> None: ...


_alive: "weakref.WeakSet[Forkable]" = weakref.WeakSet()
_hooked = False


def tell_forks(one: Forkable) -> None:
    """Call `one.after_fork()` in every child that is forked while `one` is alive. An import registers nothing."""
    global _hooked
    _alive.add(one)
    if not _hooked:
        _hooked = True
        os.register_at_fork(after_in_child=_begin_anew)


def _begin_anew() -> None:
    """Each of them, whatever another raises: Python writes it to stderr, and the child goes on."""
    raised: list[Exception] = []
    for one in list(_alive):
        try:
            one.after_fork()
        except Exception as error:
            raised.append(error)
    if raised:
        raise ExceptionGroup(f"not everything began anew in this child: {raised}", raised)
