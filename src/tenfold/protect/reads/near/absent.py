"""Remembers for a short time which keys lead to nothing, to a quota of its own."""

from collections import deque
from typing import NamedTuple

ABSENT_OVERHEAD_BYTES = 400
"""What knowing that there is nothing costs beyond the bytes of the key."""


class Absence(NamedTuple):
    """Since when there is certainly nothing, and until when that is believed."""

    version: int
    true_at_ns: int
    until_ns: int


class Absences:
    """Keys that lead to nothing: a flood of them pushes out the oldest of them, and no value."""

    def __init__(self, *, entries_max: int, bytes_max: int) -> None:
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._absent: dict[str, Absence] = {}
        self._order: deque[str] = deque()
        self.held_bytes = 0

    def get(self, key: str, now_ns: int) -> Absence | None:
        absence = self._absent.get(key)
        return absence if absence is not None and now_ns < absence.until_ns else None

    def put(self, key: str, absence: Absence) -> None:
        """Believe it; the oldest make room."""
        if key not in self._absent:
            self._order.append(key)
            self.held_bytes += ABSENT_OVERHEAD_BYTES + size_of(key)
        self._absent[key] = absence
        while self._order and (len(self._absent) > self._entries_max or self.held_bytes > self._bytes_max):
            self.drop(self._order.popleft())

    def drop(self, key: str) -> None:
        """Forget `key`. Its place in the order is left behind until there are more of these than keys."""
        if self._absent and self._absent.pop(key, None) is not None:
            self.held_bytes -= ABSENT_OVERHEAD_BYTES + size_of(key)
            if len(self._order) > 2 * len(self._absent) + 64:
                self._order = deque(self._absent)

    def clear(self) -> None:
        self._absent.clear()
        self._order.clear()
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self._absent)


def size_of(key: str) -> int:
    """Bytes of a key's text; a text that is not ASCII takes up to four a character."""
    return len(key) if key.isascii() else 4 * len(key)
