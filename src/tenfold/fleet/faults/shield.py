"""`shield`: a feature's switch is set to false through the control node; undone by undoing that very change."""

from typing import Protocol

from tenfold.fleet.faults.injection import Injection
from tenfold.kernel import TenfoldError
from tenfold.plan.model import FaultKind


class Shieldable(Protocol):
    """A feature, as whoever conducts the drill reaches it."""

    @property
    def name(self) -> str: ...

    async def shield(self) -> None: ...

    async def unshield(self) -> None: ...

    async def is_shielded(self) -> bool: ...


class ShieldFault(Injection[Shieldable]):
    kind = FaultKind(word="shield", features=True)
    undone_by = "unshield"

    async def inject(self) -> None:
        await self.struck.shield()

    async def revert(self) -> None:
        await self.struck.unshield()

    async def remains(self) -> str:
        try:
            return f"feature {self.struck.name} is still shielded" if await self.struck.is_shielded() else ""
        except TenfoldError as unknown:
            return f"feature {self.struck.name} may be shielded: {unknown}"
