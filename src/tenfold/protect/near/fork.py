"""What a cache does in a child of a fork: gunicorn forks after import, and a lock may be held in that moment."""

import os
from typing import Protocol
from weakref import WeakSet


class Renewable(Protocol):
    def renew_in_child(self) -> None: ...


_renewables: WeakSet[Renewable] = WeakSet()


def renew_in_children(renewable: Renewable) -> None:
    """Have it renewed in every child that is forked while it lives."""
    _renewables.add(renewable)


def _renew_all() -> None:
    for renewable in list(_renewables):
        renewable.renew_in_child()


os.register_at_fork(after_in_child=_renew_all)
