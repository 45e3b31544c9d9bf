"""What the code says about a switch: what it may be, what it is when nothing is set, and what it is for."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

import msgspec

from tenfold.kernel import TenfoldError
from tenfold.protect.live.switches.rule import Name, Scalar
from tenfold.protect.live.switches.schema import check_schema, problem_with

DECLARED = "switch-declarations"
"""The topic under which processes report declarations, and of the records that the node makes of them."""
STORES_MAX = 10
BYTES_MAX = 8 << 10
NAME = r"^[a-z0-9][a-z0-9._-]{0,127}$"
NAME_SAID = "1 to 128 of a-z, 0-9, '.', '_' and '-', beginning with a letter or a digit"

Kind = Literal["boolean", "integer", "number", "percentage", "text", "json"]
Tier = Literal["", "P0", "P1", "P2", "P3"]
TIERS: tuple[Tier, ...] = get_args(Tier)

SCHEMAS: Mapping[Kind, Mapping[str, Any]] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "percentage": {"type": "number", "minimum": 0, "maximum": 100},
    "text": {"type": "string"},
    "json": {},
}
"""What each kind is by itself; a declaration narrows it."""


class DeclarationInvalid(TenfoldError):
    """The code declares a switch that cannot be one."""


class Declaration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`default` holds when nothing is set. `functions` are what a customer or a colleague would miss.

    To set it for more than `stores_max` stores at once takes a confirmation, None: never. `variants` name values, for
    those who know them by name. `labels` are handed on as they are.
    """

    name: Annotated[str, msgspec.Meta(pattern=NAME)]
    kind: Kind
    default: Any
    schema: dict[str, Any] = {}
    says: str = ""
    tier: Tier = ""
    functions: tuple[str, ...] = ()
    owner: str = ""
    stores_max: Annotated[int, msgspec.Meta(ge=0)] | None = STORES_MAX
    variants: dict[Name, Any] = {}
    labels: dict[Name, Scalar] = {}

    def check(self) -> None:
        """Raises DeclarationInvalid, SchemaInvalid."""
        problem = self._problem_with_words()
        if problem:
            raise DeclarationInvalid(f"The switch {self.name!r} cannot be declared: {problem}.")
        check_schema(self.schema)
        problem = self.problem_with(self.default)
        if problem:
            raise DeclarationInvalid(f"The switch '{self.name}' cannot have its own default: {problem}.")
        if len(msgspec.json.encode(self)) > BYTES_MAX:
            raise DeclarationInvalid(f"The declaration of the switch '{self.name}' has more than {BYTES_MAX} bytes.")

    def _problem_with_words(self) -> str:
        """Why the node could not read it: nothing else holds a caller that makes a declaration to its types."""
        if not isinstance(self.name, str) or not re.fullmatch(NAME, self.name):
            return f"a name is {NAME_SAID}"
        if self.tier not in TIERS:
            return f"{self.tier!r} is no tier; one of {', '.join(filter(None, TIERS))} or none may stand there"
        try:
            msgspec.convert(msgspec.to_builtins(self), Declaration)
        except (TypeError, ValueError) as error:
            return str(error)
        return ""

    def problem_with(self, value: Any) -> str:
        """Why the switch may not have `value`, nothing when it may."""
        return problem_with(value, SCHEMAS[self.kind]) or problem_with(value, self.schema)

    def variant_of(self, value: Any) -> str | None:
        """The name of a value, when it has one."""
        named = (name for name, other in self.variants.items() if type(other) is type(value) and other == value)
        return next(named, None)


def read_declaration(json: bytes) -> Declaration:
    """Raises ValueError for what is none, SchemaInvalid and DeclarationInvalid for what cannot be one."""
    declaration = msgspec.json.decode(json, type=Declaration)
    declaration.check()
    return declaration


class DeclarationReport(msgspec.Struct, frozen=True):
    """What a process says when it has begun."""

    declarations: list[Declaration]
