"""Requests as the plan writes them, compiled once, so that making one is a matter of a microsecond.

A text with `${…}` becomes a bytes pattern (`%(…)b`) and is filled from one mapping. A value is written as its place
wants it: percent-encoded in a path, escaped as JSON in a body, as it is in a header. Text stands without quotes, so the
plan writes `"${category}"` in a body; numbers and lists stand as JSON.

    GET /stores/${store}/prices/${sku}   →   b"GET /stores/%(path:store)b/prices/%(path:sku)b HTTP/1.1\\r\\n…"
"""

import enum
import re
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from tenfold.kernel import TenfoldError

UNIQUE = "unique"
_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Values = Mapping[bytes, bytes]


class TemplateInvalid(TenfoldError):
    """A request cannot be made from what the plan or the feed says."""


class RequestPart(enum.StrEnum):
    """Where in a request a text stands."""

    PATH = "path"
    HEADER = "header"
    BODY = "body"


class Template:
    """One text of a request. It needs `fields` of the feed and `recalls` of earlier answers."""

    __slots__ = ("fields", "pattern", "recalls")

    def __init__(self, text: str, place: RequestPart) -> None:
        if place is not RequestPart.BODY and _CONTROL.search(text):
            raise TemplateInvalid(f"A {place} may not hold control characters, but {text!r} does.")
        names = set(_REFERENCE.findall(text))
        self.recalls = {name for name in names if "." in name}
        self.fields = {(place, name) for name in names - self.recalls - {UNIQUE}}
        escaped = text.replace("%", "%%")
        self.pattern = _REFERENCE.sub(lambda found: f"%({_key(place, found[1])})b", escaped).encode()

    def render(self, values: Values) -> bytes:
        return self.pattern % values


def _key(place: RequestPart, name: str) -> str:
    """Drawn values (`unique`, `order.id`) are safe in every place; the feed's are written for one."""
    return name if name == UNIQUE or "." in name else f"{place}:{name}"


def field_key(place: RequestPart, name: str) -> bytes:
    """Under which key a feed's value stands for `Template.render`."""
    return _key(place, name).encode()


def written(value: object, place: RequestPart) -> bytes:
    """A value as it stands in `place`. Raises TemplateInvalid for text that no header can carry."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if place is RequestPart.PATH:
        return quote(text, safe="").encode()
    if place is RequestPart.BODY:
        return msgspec.json.encode(value)[1:-1] if isinstance(value, str) else text.encode()
    if _CONTROL.search(text):
        raise TemplateInvalid(f"A header may not hold control characters, but {text!r} does.")
    return text.encode()


class RequestTemplate:
    """A whole HTTP/1.1 request: everything that does not change is rendered already."""

    __slots__ = ("_body", "_head", "fields", "idempotent", "method", "recalls")

    def __init__(self, method: str, path: str, headers: Mapping[str, str], body: str | None) -> None:
        parts = [Template(path, RequestPart.PATH), *(Template(value, RequestPart.HEADER) for value in headers.values())]
        lines = [f"{method} ".encode() + parts[0].pattern + b" HTTP/1.1"]
        for name, part in zip(headers, parts[1:], strict=True):
            lines.append(Template(name, RequestPart.HEADER).pattern + b": " + part.pattern)
        self._body = Template(body, RequestPart.BODY) if body is not None else None
        lines.append(b"Content-Length: " if self._body else b"\r\n")
        self._head = b"\r\n".join(lines)
        everything = [*parts, self._body] if self._body else parts
        self.method = method
        self.fields: set[tuple[RequestPart, str]] = set().union(*(part.fields for part in everything))
        self.recalls: set[str] = set().union(*(part.recalls for part in everything))
        self.idempotent = method in {"GET", "HEAD"} or any(name.lower() == "idempotency-key" for name in headers)

    def render(self, values: Values) -> bytes:
        """The bytes of one request."""
        if self._body is None:
            return self._head % values
        body = self._body.pattern % values
        return b"%b%d\r\n\r\n%b" % (self._head % values, len(body), body)
