"""Who has to begin anew in a forked child. Nothing is registered by an import: only by the first who asks."""

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """What has threads and sockets of its own."""

    def after_fork(self) -> None: ...


_alive: "weakref.WeakSet[Forkable]" = weakref.WeakSet()
_hooked = False


def tell_forks(one: Forkable) -> None:
    """Call `one.after_fork()` in every child that is forked while `one` is alive."""
    global _hooked
    _alive.add(one)
    if not _hooked:
        _hooked = True
        os.register_at_fork(after_in_child=_begin_anew)


def _begin_anew() -> None:
    for one in list(_alive):
        one.after_fork()
