"""A feature as a drill strikes it: shielded by its switch through the control node, as a person would."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from tenfold.channel import Change
from tenfold.kernel import TenfoldError
from tenfold.protect.live.switches import Rule

OWNER = "rehearsal"


class ShieldRefused(TenfoldError):
    """The control node has not made the change, or does not know it any longer."""


class Operator(Protocol):
    """The part of the switchboard's operator that is used here; it waits for the node, so it runs in a thread."""

    def draft_set(self, name: str, rule: Rule) -> Any: ...

    def draft_undo(self, name: str, change: int | None = None) -> Any: ...

    def put(self, draft: Any, *, reason: str, confirmed: bool = False) -> Any: ...

    def views(self) -> Sequence[Any]: ...


class FeatureShield:
    """Undoing names the change that is undone: a node that was dead in between must still know it.

    `operator` makes a new one each time, since a node may have been restarted.
    """

    def __init__(self, name: str, operator: Callable[[], Operator]) -> None:
        self.name = name
        self._operator = operator
        self._epoch: int | None = None

    async def shield(self) -> None:
        """Raises ShieldRefused, and whatever keeps the node from answering."""
        self._epoch = (await asyncio.to_thread(self._shield)).epoch

    async def unshield(self) -> None:
        """Nothing to do when it was not shielded."""
        if self._epoch is not None:
            await asyncio.to_thread(self._unshield, self._epoch)
            self._epoch = None

    async def is_shielded(self) -> bool:
        """Whether a rule of the rehearsal's stands at the switch, as the control node tells it."""
        return await asyncio.to_thread(self._is_shielded)

    def _is_shielded(self) -> bool:
        rules = [rule for view in self._operator().views() if view.name == self.name for rule in view.rules]
        return any(rule.owner == OWNER for rule in rules)

    def _shield(self) -> Change:
        operator = self._operator()
        rule = Rule(value=False, owner=OWNER, reason="a drill")
        return self._put(operator, operator.draft_set(self.name, rule))

    def _unshield(self, epoch: int) -> Change:
        operator = self._operator()
        return self._put(operator, operator.draft_undo(self.name, epoch))

    def _put(self, operator: Operator, draft: Any) -> Change:
        outcome = operator.put(draft, reason="a drill", confirmed=True)
        if not isinstance(outcome, Change):
            raise ShieldRefused(f"Somebody else changed the switch '{self.name}' during the drill; it was not set.")
        return outcome
