"""What was typed, as what it means: the rule of a switch, its value, an earlier state of the history. Pure."""

import argparse
from typing import Any

import msgspec

from tenfold.kernel import TenfoldError
from tenfold.protect.live.switches import Declaration, Rule
from tenfold.respond.switchboard import until
from tenfold.respond.switchboard.until import Moment


class TypedUnreadable(TenfoldError):
    """What was typed is no text."""


class ScopeEmpty(TenfoldError):
    """An option says for whom, and names nobody: without it the change would hold for everybody."""


def check_typed(options: argparse.Namespace) -> None:
    """A byte that is no UTF-8 comes as half of a character, which nothing behind this can write.

    Raises TypedUnreadable.
    """
    for name, typed in vars(options).items():
        for one in typed if isinstance(typed, list) else [typed]:
            if isinstance(one, str) and one.encode("utf-8", "replace").decode() != one:
                raise TypedUnreadable(f"What was typed for '{name.replace('_', '-')}' is no UTF-8; nothing was done.")


def rule_of(options: argparse.Namespace, value: Any, end_ms: int) -> Rule:
    """`end_ms` is 0 for none. Raises TenfoldError for one that cannot be."""
    rule = msgspec.structs.replace(
        scope_of(options, value),
        until_ms=end_ms,
        percent=options.percent,
        owner=options.owner,
        reason=options.reason,
    )
    try:
        return msgspec.convert(msgspec.to_builtins(rule), Rule)
    except msgspec.ValidationError as error:
        raise TenfoldError(f"The switch '{options.name}' cannot be set so: {error}.") from error


def scope_of(options: argparse.Namespace, value: Any = None) -> Rule:
    """For whom; what is left out is everybody. Raises ScopeEmpty."""
    return Rule(
        value=value,
        stores=_names("store", options.store),
        services=_names("service", options.service),
        instances=_names("instance", options.instance),
        where=dict(map(_attribute, options.where)),
    )


def end_of(options: argparse.Namespace, now_ms: int) -> Moment:
    """At 0 when none was said; one that was said as nothing is no end. Raises MomentInvalid."""
    if options.ttl is not None:
        return Moment(until.after(options.ttl, now_ms))
    return until.moment_of(options.until, now_ms, zone=options.zone) if options.until is not None else Moment(0)


def value_of(said: str, declaration: Declaration | None) -> Any:
    """As the kind of the switch wants it."""
    kind = declaration.kind if declaration is not None else ""
    if kind in ("boolean", "") and said in ("on", "off"):
        return said == "on"
    if kind == "text":
        return said
    return _json_or_text(said.removesuffix("%") if kind == "percentage" else said)


def seen(said: str | None) -> tuple[int, str] | None:
    """Epoch and digest, as an earlier `verify` said them."""
    if said is None:
        return None
    epoch, _, digest = said.partition(":")
    if not epoch.isdecimal() or len(digest) < 8:
        raise TenfoldError(f"'{said}' is not what a verify says; write EPOCH:DIGEST.")
    return int(epoch), digest


def _names(noun: str, said: list[str]) -> tuple[str, ...]:
    """Of an option that may be repeated; each time it names somebody."""
    names = [[name.strip() for name in one.split(",") if name.strip()] for one in said]
    if not all(names):
        raise ScopeEmpty(
            f"--{noun} names no {noun}, and without one it would be about every {noun}; nothing was changed.",
            remedy=f"Name one (is a variable of your shell empty?), or leave --{noun} out if you mean every {noun}.",
        )
    return tuple(dict.fromkeys(name for some in names for name in some))


def _attribute(said: str) -> tuple[str, Any]:
    name, equals, value = said.partition("=")
    if not (name and equals):
        raise TenfoldError(f"'{said}' is no attribute; write NAME=VALUE.")
    return name, _json_or_text(value)


def _json_or_text(said: str) -> Any:
    try:
        return msgspec.json.decode(said)
    except (ValueError, RecursionError):
        return said
