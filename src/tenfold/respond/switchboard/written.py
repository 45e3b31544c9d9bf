"""What tells two settings apart: how they are written. To Python true is 1, to whoever reads a switch it is not."""

from collections.abc import Iterable
from typing import Any

import msgspec

from tenfold.protect.live.switches import Rule


def written(said: Any) -> bytes:
    """A value, a rule or a record as JSON, in which the order of names makes no difference."""
    return msgspec.json.encode(said, order="sorted")


def without(rules: Iterable[Rule], others: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules that do not stand among the others."""
    known = {written(rule) for rule in others}
    return tuple(rule for rule in rules if written(rule) not in known)
