"""A product's page put together from parts that are JSON already; a part that is not there is left out."""

from collections.abc import Mapping

from freshmart.web.reply import JSON, Reply

DEGRADED = b"x-degraded"


def shielded(feature: str) -> Reply:
    """What is answered in the place of a feature that is shielded."""
    return Reply(200, b'{"shielded":"%b"}' % feature.encode(), [*JSON, (DEGRADED, feature.encode())])


def is_served(reply: Reply) -> bool:
    """Whether it holds what was asked for, and not the word that it cannot be had now."""
    return reply.status == 200 and not any(name == DEGRADED for name, _ in reply.headers)


def compose(core: Mapping[str, Reply], extras: Mapping[str, Reply]) -> Reply:
    """One object of all parts; the names of the extras that are left out stand in `X-Degraded`."""
    left_out = [name for name, reply in extras.items() if not is_served(reply)]
    parts = {**core, **{name: reply for name, reply in extras.items() if name not in left_out}}
    body = b",".join(b'"%b":%b' % (name.encode(), reply.body) for name, reply in parts.items())
    headers = [*JSON, (DEGRADED, ", ".join(left_out).encode())] if left_out else JSON
    return Reply(200, b"{%b}" % body, headers)
