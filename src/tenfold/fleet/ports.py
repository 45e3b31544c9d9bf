"""Loopback ports that nobody listens on.

They lie below the range that the kernel gives to outgoing connections: a server that was killed under load finds its
port still free when it comes back, although thousands of clients' connections have been opened meanwhile.
"""

import random
import socket
from pathlib import Path

from tenfold.kernel import TenfoldError

LOOPBACK = "127.0.0.1"
_SPAN = 12_000
_TRIES = 200
_handed_out: set[int] = set()


class PortsExhausted(TenfoldError):
    """No free port was found."""


def outgoing_range() -> tuple[int, int]:
    """The ports that the kernel gives to outgoing connections."""
    try:
        low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    except (OSError, ValueError):
        return 32_768, 60_999
    return int(low), int(high)


def candidate_range(low: int, high: int) -> tuple[int, int]:
    """Where to look, given the outgoing range: below it when there is room, above it else, or anywhere."""
    if low - _SPAN >= 1024:
        return low - _SPAN, low - 1
    if high + 1000 <= 65_535:
        return high + 1, 65_535
    return 1024, 65_535


def free_port(chance: random.Random | None = None) -> int:
    """A port that could be listened on just now and was not handed out by this process before.

    Another process may still be faster; whoever starts a server on it tries again with another. Raises PortsExhausted.
    """
    chance = chance or random.SystemRandom()
    first, last = candidate_range(*outgoing_range())
    for _ in range(_TRIES):
        port = chance.randint(first, last)
        if port not in _handed_out and is_free(port):
            _handed_out.add(port)
            return port
    raise PortsExhausted(f"No free port between {first} and {last} in {_TRIES} tries; no server can be started.")


def is_free(port: int) -> bool:
    """Whether somebody could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
