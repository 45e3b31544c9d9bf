"""How code declares a switch, by the kind of its value."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any

from tenfold.protect.live.switches.declaration import STORES_MAX, Declaration, Kind, Tier
from tenfold.protect.live.switches.rule import Scalar
from tenfold.protect.live.switches.switch import BooleanSwitch, PercentageSwitch, Switch


class Kinds(ABC):
    """All kinds by one `declared`, for whoever keeps switches."""

    @abstractmethod
    def declared(self, declaration: Declaration) -> Switch[Any]:
        """The switch of that declaration. Raises DeclarationInvalid."""

    def boolean(self, name: str, *, default: bool, **said: Any) -> BooleanSwitch:
        """On or off. `said` is what `declare` takes, here and below. Raises DeclarationInvalid."""
        switch = self.declare(name, "boolean", default, **said)
        assert isinstance(switch, BooleanSwitch)
        return switch

    def integer(
        self, name: str, *, default: int, minimum: int | None = None, maximum: int | None = None, **said: Any
    ) -> Switch[int]:
        """A whole number, between bounds that may be stated."""
        return self.declare(name, "integer", default, schema=_bounds(minimum, maximum), **said)

    def number(
        self, name: str, *, default: float, minimum: float | None = None, maximum: float | None = None, **said: Any
    ) -> Switch[float]:
        """A number, between bounds that may be stated."""
        return self.declare(name, "number", default, schema=_bounds(minimum, maximum), **said)

    def percentage(self, name: str, *, default: float, **said: Any) -> PercentageSwitch:
        """A share of subjects, 0 to 100."""
        switch = self.declare(name, "percentage", default, **said)
        assert isinstance(switch, PercentageSwitch)
        return switch

    def text(self, name: str, *, default: str, choices: Collection[str] = (), **said: Any) -> Switch[str]:
        """A text, one of `choices` when they are stated."""
        return self.declare(name, "text", default, schema={"enum": list(choices)} if choices else {}, **said)

    def json(self, name: str, *, default: Any, schema: Mapping[str, Any], **said: Any) -> Switch[Any]:
        """Anything that JSON can say and `schema` allows."""
        return self.declare(name, "json", default, schema=dict(schema), **said)

    def declare(
        self,
        name: str,
        kind: Kind,
        default: Any,
        *,
        schema: Mapping[str, Any] | None = None,
        says: str = "",
        tier: Tier = "",
        functions: Collection[str] = (),
        owner: str = "",
        stores_max: int | None = STORES_MAX,
        variants: Mapping[str, Any] | None = None,
        labels: Mapping[str, Scalar] | None = None,
    ) -> Switch[Any]:
        """The switch of that name; what the words mean stands in `Declaration`. Raises DeclarationInvalid."""
        declaration = Declaration(
            name=name,
            kind=kind,
            default=default,
            schema=dict(schema or {}),
            says=says,
            tier=tier,
            functions=tuple(functions),
            owner=owner,
            stores_max=stores_max,
            variants=dict(variants or {}),
            labels=dict(labels or {}),
        )
        return self.declared(declaration)


def _bounds(minimum: float | None, maximum: float | None) -> dict[str, Any]:
    stated = {"minimum": minimum, "maximum": maximum}
    return {name: bound for name, bound in stated.items() if bound is not None}
