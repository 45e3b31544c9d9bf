"""What the driver remembers of answers, so that later requests can refer to them: `${order.id}`.

Bounded: the newest RING values of each kind, drawn by chance, as customers ask after recent orders and not old ones.
"""

import re
from random import Random

RING = 1024
_PLAIN = re.compile(r"[A-Za-z0-9._~-]{1,256}")


class Memory:
    """The newest values by name (`order.id`)."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._rings: dict[str, list[bytes]] = {}
        self._kept: dict[str, int] = {}

    def keep(self, name: str, value: object) -> bool:
        """Remember one value; False when it could not stand in every place of a request as it is, and is left."""
        text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
        if not _PLAIN.fullmatch(text):
            return False
        ring = self._rings.setdefault(name, [])
        count = self._kept.get(name, 0)
        if count < RING:
            ring.append(text.encode())
        else:
            ring[count % RING] = text.encode()
        self._kept[name] = count + 1
        return True

    def draw(self, name: str) -> bytes | None:
        """One of the newest, None while nothing is remembered."""
        ring = self._rings.get(name)
        return ring[int(self._random.random() * len(ring))] if ring else None


def resolve(document: object, pointer: str) -> object:
    """What a JSON pointer (RFC 6901) points to; None when there is nothing."""
    at = document
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(at, dict):
            at = at.get(name)
        elif isinstance(at, list) and name.isdecimal() and int(name) < len(at):
            at = at[int(name)]
        else:
            return None
    return at
