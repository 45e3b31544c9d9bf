"""Where a cluster stands, as a person writes it.

    redis://:password@10.0.0.1:6379/0                      one server
    redis://:password@10.0.0.1:6379,10.0.0.2:6379/0        a primary and its replicas, in any order: ROLE tells
    redis+sentinel://:password@10.0.0.5:26379,10.0.0.6:26379/mymaster/0?sentinel_password=…
    redis+cluster://:password@10.0.0.1:7000,10.0.0.2:7000  some nodes of a Cluster; it names the others

`rediss` for TLS, and `valkey`, `valkeys` mean the same.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from tenfold.kernel import TenfoldError

FORMS = (
    "redis://[user:password@]host:port[,host:port…][/db], redis+sentinel://[…]host:port[,…]/name[/db] or "
    "redis+cluster://[…]host:port[,…]; rediss for TLS"
)
_SCHEMES = {"redis": False, "valkey": False, "rediss": True, "valkeys": True}
_DEFAULT_PORT = {"": 6379, "cluster": 6379, "sentinel": 26379}


class AddressInvalid(TenfoldError):
    """A text that is no address of a cluster. What it held is not repeated: there may be a password in it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The address of a Valkey or Redis cluster {what}; {FORMS} may stand here.")


class Kind(enum.Enum):
    STANDALONE = ""
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


class Endpoint(NamedTuple):
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Access:
    """How to be let in."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    db: int = 0
    tls: bool = False

    def options(self) -> dict[str, Any]:
        """As keyword arguments of redis-py's connections."""
        return {"username": self.username, "password": self.password, "db": self.db}


@dataclass(frozen=True, slots=True)
class Address:
    """What an URL says. `endpoints` are servers, Sentinels or some nodes of the Cluster, by `kind`."""

    kind: Kind
    endpoints: tuple[Endpoint, ...]
    access: Access
    primary_name: str = ""
    sentinel_password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Raises AddressInvalid."""
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise AddressInvalid("is no URL") from error
        scheme, _, suffix = parts.scheme.partition("+")
        if scheme not in _SCHEMES or suffix not in _DEFAULT_PORT:
            raise AddressInvalid(f"begins with '{parts.scheme}://'" if parts.scheme else "has no scheme")
        kind = Kind(suffix)
        username, password, hosts = _split_netloc(parts.netloc)
        name, db = _split_path(parts, kind)
        options = _options(parts, kind)
        return cls(
            kind,
            tuple(_endpoints(hosts, _DEFAULT_PORT[suffix])),
            Access(username, password, db, _SCHEMES[scheme]),
            name,
            options.get("sentinel_password"),
        )


def _split_netloc(netloc: str) -> tuple[str | None, str | None, str]:
    secrets, _, hosts = netloc.rpartition("@")
    username, _, password = secrets.partition(":")
    return unquote(username) or None, unquote(password) or None, hosts


def _endpoints(hosts: str, default_port: int) -> Iterator[Endpoint]:
    for part in hosts.split(","):
        try:
            one = urlsplit(f"//{part}")
            host, port = one.hostname, one.port
        except ValueError as error:
            raise AddressInvalid("has a port that is no number from 1 to 65535") from error
        if not host or port == 0:
            raise AddressInvalid("names no host" if not host else "has port 0")
        yield Endpoint(host, port or default_port)


def _split_path(parts: SplitResult, kind: Kind) -> tuple[str, int]:
    """The primary's name and the number of the database."""
    words = [unquote(word) for word in parts.path.split("/") if word]
    name = words.pop(0) if kind is Kind.SENTINEL and words else ""
    if kind is Kind.SENTINEL and not name:
        raise AddressInvalid("names no primary that the Sentinels watch (…/mymaster)")
    if kind is Kind.CLUSTER and words not in ([], ["0"]):
        raise AddressInvalid("names a database, of which a Cluster has only 0")
    if len(words) > 1 or not all(word.isdecimal() for word in words):
        raise AddressInvalid("ends with something that is no number of a database")
    return name, int(words[0]) if words else 0


def _options(parts: SplitResult, kind: Kind) -> dict[str, str]:
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    known = {"sentinel_password"} if kind is Kind.SENTINEL else set()
    if unknown := sorted(set(given) - known):
        raise AddressInvalid(f"has the option '{unknown[0]}', which is not known here")
    return given
