"""A process that follows the channel, as it says of itself."""

import os
import socket
from collections.abc import Mapping
from typing import Self
from urllib.parse import quote, unquote
from uuid import uuid4

import msgspec

_PREFIX = "tenfold-"


class Process(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One life of one process; `id` is new for every life, a fork's too."""

    id: str
    service: str
    instance: str = ""
    store: str = ""
    host: str = ""
    pid: int = 0

    @classmethod
    def this(cls, service: str, *, instance: str = "", store: str = "") -> Self:
        """The process that asks."""
        host, pid = socket.gethostname(), os.getpid()
        return cls(id=uuid4().hex, service=service, instance=instance, store=store, host=host, pid=pid)

    def forked(self) -> Self:
        """The same service in the process that asks."""
        return msgspec.structs.replace(self, id=uuid4().hex, pid=os.getpid())

    def headers(self) -> dict[str, str]:
        """As HTTP headers, percent-encoded, since a store may be called 门店."""
        facts = msgspec.structs.asdict(self)
        return {f"Tenfold-{name.capitalize()}": quote(str(fact)) for name, fact in facts.items()}

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Self:
        """Read back what `headers` wrote; names in lower case. Raises msgspec.ValidationError."""
        stated = {name: unquote(headers.get(_PREFIX + name, "")) for name in cls.__struct_fields__}
        return msgspec.convert({name: value for name, value in stated.items() if value}, cls, strict=False)
