"""What a person types into the form of a switch, and the rule that it comes to. Pure."""

from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from typing import Any

import msgspec

from tenfold.protect.live.switches import Declaration, Rule
from tenfold.protect.live.switches.schema import problem_with
from tenfold.respond.switchboard import until
from tenfold.respond.switchboard.draft import UNTIL_MAX_MS

NAMES_MAX = 200
REASON_LENGTH_MAX = 500
LENGTHS = ("15m", "30m", "1h", "2h", "4h", "12h", "1d")
"""Offered as they are; any other may be typed."""


class SwitchForm(msgspec.Struct, frozen=True, kw_only=True):
    """The fields as they were typed. Places are separated by commas or blanks; `ends` is `30m`, `02:00`,
    `02:00 Asia/Shanghai` or nothing.
    """

    value: str = ""
    stores: str = ""
    services: str = ""
    instances: str = ""
    percent: str = ""
    ends: str = ""
    owner: str = ""
    reason: str = ""

    @property
    def scoped(self) -> bool:
        return bool(self.stores or self.services or self.instances or self.percent)

    @property
    def seal(self) -> str:
        """Names what was looked at: a form that was changed since is not what its effect was shown for."""
        return blake2b("\0".join(self._looked_at).encode("utf-8", "replace"), digest_size=12).hexdigest()

    @property
    def _looked_at(self) -> tuple[str, ...]:
        return (self.value, self.stores, self.services, self.instances, self.percent, self.ends)


class FormProblems(msgspec.Struct, frozen=True):
    """By field, what is wrong with it, for a person."""

    problems: Mapping[str, str]


def first_form(value: object, owner: str) -> SwitchForm:
    """What is most likely meant before anything is typed: a switch that is on, turned off; anything else as it is."""
    if isinstance(value, bool):
        text = "off" if value else "on"
    elif isinstance(value, str):
        text = value
    else:
        text = "" if value is None else msgspec.json.encode(value).decode()
    return SwitchForm(value=text, owner=owner)


def form_of(fields: Mapping[str, str]) -> SwitchForm:
    """Only the fields of this form; line breaks of a browser's text field become plain ones."""
    stated = {name: fields.get(name, "").replace("\r\n", "\n").strip() for name in SwitchForm.__struct_fields__}
    return SwitchForm(**stated)


def rule_of(form: SwitchForm, declaration: Declaration | None, now_ms: int) -> Rule | FormProblems:
    """The rule, or what is wrong. Without a reason it can be looked at, not set."""
    problems: dict[str, str] = {}
    rule = Rule(
        value=_value(form.value, declaration, problems),
        stores=_names("stores", form.stores, problems),
        services=_names("services", form.services, problems),
        instances=_names("instances", form.instances, problems),
        percent=_percent(form.percent, problems),
        until_ms=_until_ms(form.ends, now_ms, problems),
        owner=form.owner[:128],
        reason=form.reason,
    )
    if len(form.reason) > REASON_LENGTH_MAX:
        problems["reason"] = f"A reason has at most {REASON_LENGTH_MAX} characters."
    return FormProblems(problems) if problems else rule


def clocks_note(form: SwitchForm, now_ms: int) -> str:
    """What a change of the clocks makes of the end that was typed; nothing when it is as it was typed."""
    with suppress(until.MomentInvalid):
        return until.moment_of(form.ends, now_ms).note if ":" in form.ends else ""
    return ""


def _value(text: str, declaration: Declaration | None, problems: dict[str, str]) -> Any:
    kind = declaration.kind if declaration is not None else "json"
    value = _read(text, kind)
    problem = "say what it should be" if not text and kind != "text" else ""
    if not problem:
        problem = declaration.problem_with(value) if declaration is not None else problem_with(value, {})
    if problem:
        problems["value"] = f"{problem[0].upper()}{problem[1:]}."
    return value


def _read(text: str, kind: str) -> Any:
    if kind == "text":
        return text
    if kind == "boolean":
        return {"on": True, "off": False}.get(text, text)
    with suppress(ValueError, RecursionError):
        return msgspec.json.decode(text.removesuffix("%").strip() if kind == "percentage" else text)
    return text


def _names(field: str, text: str, problems: dict[str, str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.replace(",", " ").split()))
    if len(names) > NAMES_MAX or any(len(name) > 128 for name in names):
        problems[field] = f"At most {NAMES_MAX} names of 128 characters; for more, leave it empty or use a percentage."
    return names


def _percent(text: str, problems: dict[str, str]) -> float | None:
    if not text:
        return None
    with suppress(ValueError):
        percent = float(text.removesuffix("%"))
        if 0 <= percent <= 100:
            return percent
    problems["percent"] = f"'{text}' is no percentage; write a number from 0 to 100, or nothing for everybody."
    return None


def _until_ms(text: str, now_ms: int, problems: dict[str, str]) -> int:
    if not text:
        return 0
    try:
        until_ms = until.moment_of(text, now_ms).at_ms if ":" in text else until.after(text, now_ms)
    except (until.MomentInvalid, OverflowError) as error:
        problems["ends"] = str(error)
        return 0
    if until_ms > now_ms + UNTIL_MAX_MS:
        problems["ends"] = "A setting ends within 400 days, or is left without an end."
        return 0
    return until_ms
