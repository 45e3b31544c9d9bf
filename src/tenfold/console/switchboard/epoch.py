"""An epoch as an address or a form names it: what a person looked at before they pressed. Pure."""

from collections.abc import Mapping

DIGITS_MAX = 18
LOOKED_AT = "if_epoch"
"""The field that says what was looked at."""
NEVER = -1
"""What nothing is."""


def epoch_in(fields: Mapping[str, str], field: str) -> int | None:
    """None when it is not said, or is none."""
    text = fields.get(field, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX else None


def looked_at(fields: Mapping[str, str]) -> int | None:
    """None for a first look."""
    return epoch_in(fields, LOOKED_AT)
