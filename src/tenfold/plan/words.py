"""The single values that stand in a plan: text, names, numbers, quantities with their units, commands, requests."""

import enum
import re
import shlex
from fractions import Fraction
from typing import TypeVar

from tenfold.kernel import Duration
from tenfold.plan.form import Form, ScalarForm, Such, either
from tenfold.plan.quantity import DURATION, RATE, SHARE, SIZE

E = TypeVar("E", bound=enum.StrEnum)

_NUMBER = r"^[0-9]{1,12}(?:\.[0-9]{1,12})?$"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def matching(pattern: str, may_stand: str, *examples: str) -> ScalarForm[str]:
    """Text of one shape; `pattern` is read by Python and by JSON Schema alike, so it anchors itself."""
    expression = re.compile(pattern.removesuffix("$") + r"\Z")  # Python's $ would let a last newline pass
    return ScalarForm(
        may_stand,
        lambda text: text if expression.match(text) else None,
        {"type": "string", "pattern": pattern},
        examples,
    )


def text(may_stand: str = "a text", *examples: str) -> ScalarForm[str]:
    schema = {"type": "string", "minLength": 1}
    return ScalarForm(may_stand, lambda written: written if written.strip() else None, schema, examples)


def name(what: str = "a name") -> ScalarForm[str]:
    """Names become file names, metric labels and parts of references: hence the narrow alphabet."""
    return matching(
        r"^[a-z][a-z0-9-]{0,62}$", f"{what} of small letters, digits and hyphens", "api", "cache-primary-killed"
    )


def choice(kind: type[E]) -> ScalarForm[E]:
    words = tuple(member.value for member in kind)
    return ScalarForm(
        either(words), lambda text: kind(text) if text in words else None, {"enum": list(words)}, known=words
    )


def flag() -> ScalarForm[bool]:
    return ScalarForm("true or false", {"true": True, "false": False}.get, {"type": "boolean"})


def whole(least: int, most: int) -> ScalarForm[int]:
    def parse(text: str) -> int | None:
        value = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1
        return value if least <= value <= most else None

    schema = {"type": "integer", "minimum": least, "maximum": most}
    return ScalarForm(f"a whole number from {least} to {most}", parse, schema)


def number(*, above: float | None = None) -> ScalarForm[float]:
    """A decimal number, not negative; or above a bound."""

    def parse(text: str) -> float | None:
        value = float(text) if re.fullmatch(_NUMBER, text) else None
        return None if value is None or (above is not None and value <= above) else value

    if above is None:
        return ScalarForm("a number that is not negative", parse, {"type": "number", "minimum": 0})
    return ScalarForm(f"a number above {above:g}", parse, {"type": "number", "exclusiveMinimum": above})


def duration(*, most: str = "1 h") -> Form[Duration]:
    longest = Duration.parse(most)

    def parse(text: str) -> Duration | None:
        ns = DURATION.read(text)
        return None if ns is None else Duration(int(ns))

    schema = {"type": "string", "pattern": DURATION.pattern}
    stated = ScalarForm("a length of time with a unit", parse, schema, ("100 ms", "1.5 s", "5 min"))
    return Such(stated, lambda length: 0 < length.ns <= longest.ns, f"a length of time above 0 and up to {longest}")


def rate() -> Form[float]:
    def parse(text: str) -> float | None:
        return _as_float(RATE.read(text))

    schema = {"type": "string", "pattern": RATE.pattern}
    stated = ScalarForm("a rate with a unit", parse, schema, ("300 /s", "18000 /min", "1000000 /h"))
    return Such(stated, lambda rps: 0 < rps <= 1e6, "a rate above 0 and up to 1000000 /s")


def share() -> Form[float]:
    def parse(text: str) -> float | None:
        return _as_float(SHARE.read(text))

    schema = {"type": "string", "pattern": SHARE.pattern}
    stated = ScalarForm("a share in per cent", parse, schema, ("10 %", "99.9 %"))
    return Such(stated, lambda ratio: 0 < ratio <= 1, "a share above 0 % and up to 100 %")


def size(*, least: str, most: str) -> Form[int]:
    def parse(text: str) -> int | None:
        stated = SIZE.read(text)
        return None if stated is None else int(stated)

    bounds = (parse(least) or 0, parse(most) or 0)
    stated = ScalarForm("a size with a unit", parse, {"type": "string", "pattern": SIZE.pattern}, ("96 MiB", "1 GiB"))
    return Such(stated, lambda size_bytes: bounds[0] <= size_bytes <= bounds[1], f"a size from {least} to {most}")


def _as_float(exact: Fraction | None) -> float | None:
    return None if exact is None else float(exact)


def command() -> ScalarForm[tuple[str, ...]]:
    """A program and its arguments, split as a shell would; no shell ever runs it."""

    def parse(text: str) -> tuple[str, ...] | None:
        try:
            return tuple(shlex.split(text)) or None if "\0" not in text else None
        except ValueError:  # a quote that is not closed
            return None

    schema = {"type": "string", "minLength": 1}
    return ScalarForm("a command and its arguments, every quote closed,", parse, schema, ("python -m freshmart.api",))


def request() -> ScalarForm[tuple[str, str]]:
    """Method and path of an HTTP request, apart."""
    pattern = rf'^({"|".join(_METHODS)}) (/[!"$-~]*)$'
    shape = matching(pattern, "")

    def parse(text: str) -> tuple[str, str] | None:
        method, _, path = text.partition(" ")
        return (method, path) if shape.parse(text) else None

    examples = ("GET /products/${sku}/image", "POST /orders")
    return ScalarForm("an HTTP method and a path", parse, shape.schema, examples)


def query() -> ScalarForm[str]:
    """Text of one SQL query that only reads."""
    pattern = r"^(?:\s|\(|--[^\n]*\n)*(?:[Ss][Ee][Ll][Ee][Cc][Tt]|[Ww][Ii][Tt][Hh])\s"
    expression = re.compile(pattern)

    def parse(text: str) -> str | None:
        return text if expression.match(text) and "\0" not in text else None

    schema = {"type": "string", "pattern": pattern}
    return ScalarForm("a query that begins with SELECT or WITH", parse, schema, ("SELECT count(*) FROM stock",))
