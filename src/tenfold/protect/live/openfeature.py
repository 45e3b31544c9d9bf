"""Switches by way of OpenFeature (CNCF), so that code that reads flags so need not change: the extra `openfeature`.

    from openfeature import api
    api.set_provider_and_wait(SwitchProvider(switches))
    api.get_client().get_boolean_value("recommendations", True, EvaluationContext("customer-7", {"store": "7"}))

The flag's key is the switch's name, the targeting key the subject; of the context's attributes `service`, `store` and
`instance` say where, all others who, and so does the targeting key, as `targetingKey`. A flag is known once any process
has declared the switch. Its metadata are the labels of the declaration, with `tier` and `owner` where it states them.

reason           when
STATIC           one value for everybody
DEFAULT          no rule for some applies, but there are some
TARGETING_MATCH  a rule for some applies, by place or attribute
SPLIT            a rule for a percentage applies
ERROR            FLAG_NOT_FOUND, TYPE_MISMATCH, INVALID_CONTEXT; the caller's default is the answer
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeVar

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEvent, ProviderEventDetails
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, FeatureProvider, Metadata

from tenfold.protect.live.switches import Declaration, Switches, SwitchOutcome

Value = TypeVar("Value")
OnEmit = Callable[[FeatureProvider, ProviderEvent, ProviderEventDetails], None]
Cast = Callable[[Any], Any]

_PLACES = ("service", "store", "instance")
_NOTHING = EvaluationContext()


class SwitchProvider(AbstractProvider):
    """Answers from `switches`, which the caller opens and closes. No call waits and none raises."""

    def __init__(self, switches: Switches) -> None:
        super().__init__()
        self._switches = switches
        self._leave: Callable[[], None] | None = None

    def attach(self, on_emit: OnEmit) -> None:
        super().attach(on_emit)
        self._leave = self._switches.listen(self._changed)

    def detach(self) -> None:
        if self._leave is not None:
            self._leave()
        super().detach()

    def get_metadata(self) -> Metadata:
        return Metadata(name="tenfold")

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        return self._resolve(flag_key, default_value, evaluation_context, _boolean)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        return self._resolve(flag_key, default_value, evaluation_context, _string)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        return self._resolve(flag_key, default_value, evaluation_context, _integer)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        return self._resolve(flag_key, default_value, evaluation_context, _float)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        return self._resolve(flag_key, default_value, evaluation_context, _object)

    def _resolve(
        self, key: str, default: Value, context: EvaluationContext | None, cast: Cast
    ) -> FlagResolutionDetails[Value]:
        switch = self._switches.known(key)
        if switch is None:
            return _error(default, ErrorCode.FLAG_NOT_FOUND, f"flag {key} not found: no process has declared it")
        try:
            outcome = switch.outcome(**_asked(context or _NOTHING))
        except Exception as error:  # what the objects in a caller's context raise, such as a list for a store
            return _error(default, ErrorCode.INVALID_CONTEXT, f"flag {key} was asked for with {error!r}")
        try:
            value = cast(outcome.value)
        except TypeError as error:
            return _error(default, ErrorCode.TYPE_MISMATCH, f"flag {key} is a {switch.declaration.kind}: {error}")
        return _details(switch.declaration, outcome, value)

    def _changed(self, name: str) -> None:
        self.emit_provider_configuration_changed(ProviderEventDetails(flags_changed=[name]))


def _asked(context: EvaluationContext) -> dict[str, Any]:
    """As a switch is asked."""
    places = {name: context.attributes[name] for name in _PLACES if context.attributes.get(name) is not None}
    others = {name: value for name, value in context.attributes.items() if name not in _PLACES}
    if context.targeting_key is not None:
        others = {"targetingKey": context.targeting_key, **others}
    return {"subject": context.targeting_key, "where": others or None, **places}


def _details(declaration: Declaration, outcome: SwitchOutcome[Any], value: Value) -> FlagResolutionDetails[Value]:
    stated = {"tier": declaration.tier, "owner": declaration.owner}
    metadata = {name: text for name, text in stated.items() if text} | declaration.labels
    return FlagResolutionDetails(
        value=value, reason=_reason(outcome), variant=_variant(declaration, outcome.value), flag_metadata=metadata
    )


def _reason(outcome: SwitchOutcome[Any]) -> Reason:
    rule = outcome.rule
    if rule is None or not rule.scoped:
        return Reason.DEFAULT if outcome.targeted else Reason.STATIC
    return Reason.SPLIT if rule.percent is not None else Reason.TARGETING_MATCH


def _variant(declaration: Declaration, value: Any) -> str | None:
    named = declaration.variant_of(value)
    if named is None and isinstance(value, bool):
        return "on" if value else "off"
    return named


def _error(default: Value, code: ErrorCode, message: str) -> FlagResolutionDetails[Value]:
    return FlagResolutionDetails(value=default, reason=Reason.ERROR, error_code=code, error_message=message)


def _boolean(value: Any) -> bool:
    return value if isinstance(value, bool) else _refuse("boolean")


def _string(value: Any) -> str:
    return value if isinstance(value, str) else _refuse("string")


def _integer(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else _refuse("integer")


def _float(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else _refuse("number")


def _object(value: Any) -> Any:
    """A copy: a switch's own is shared by all who read it, and callers of a flag do as they like with theirs."""
    return deepcopy(value) if isinstance(value, (dict, list)) else _refuse("object or list")


def _refuse(wanted: str) -> Any:
    raise TypeError(f"its value is no {wanted}")
