"""A policy that a person can follow: whoever was asked for longest ago leaves first."""

from collections import deque

from tenfold.protect.reads.near import AdmissionPolicy, Resident


class Recency(AdmissionPolicy):
    """Least recently used, with nothing learned."""

    def __init__(self) -> None:
        self._order: dict[int, Resident] = {}
        self._asked: deque[Resident] = deque()
        self.touched = self._asked.append

    def came(self, resident: Resident) -> None:
        assert id(resident) not in self._order
        self._order[id(resident)] = resident

    def went(self, resident: Resident) -> None:
        del self._order[id(resident)]

    def evict(self) -> Resident:
        while self._asked:
            asked = self._asked.popleft()
            if self._order.pop(id(asked), None) is not None:
                self._order[id(asked)] = asked
        return self._order.pop(next(iter(self._order)))

    def clear(self) -> None:
        self._order.clear()
        self._asked.clear()

    def __len__(self) -> int:
        return len(self._order)
