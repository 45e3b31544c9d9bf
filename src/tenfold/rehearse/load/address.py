"""Where load may go: to this machine, and nowhere else. A load driver that can be pointed at others is a weapon."""

import socket
from typing import NamedTuple
from urllib.parse import urlsplit

from tenfold.kernel import TenfoldError

_LOOPBACK = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1", "::1": "::1"}


class TargetInvalid(TenfoldError):
    """No load is sent there."""


class LoadAddress(NamedTuple):
    """Where the system listens: a loopback address and port."""

    host: str
    port: int

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET


def loopback_address(base_url: str) -> LoadAddress:
    """The address behind `http://host:port`. Raises TargetInvalid for any other machine and any other form."""
    try:
        parts = urlsplit(base_url)
        host, port = _LOOPBACK.get(parts.hostname or ""), parts.port or 80
    except ValueError as cause:
        raise TargetInvalid(f"The target is no URL: {cause}.") from cause
    if host is None:
        raise TargetInvalid(
            f"The load driver refuses to send load to {parts.hostname!r}: it sends to this machine only.",
            remedy="127.0.0.1, localhost or [::1] may stand there.",
        )
    if parts.scheme != "http" or parts.path not in ("", "/") or parts.query or parts.username:
        raise TargetInvalid("The target is not of the form http://host:port.")
    return LoadAddress(host, port)
