"""How new a replica certainly is, from the log positions that primary and replica name."""

from collections import deque

MARKS_MAX = 1_024


class Freshness:
    """Marks of the form "the primary's log was here at that moment", until the replica has replayed them.

    Positions are integers that grow (a PostgreSQL LSN). Nothing is read off the timestamps in the log: they stand
    still on a quiet system, and say nothing of a replica that hangs.
    """

    def __init__(self) -> None:
        self._marks: deque[tuple[int, int]] = deque()
        self._proven_ns = 0

    def primary_was_at(self, position: int, asked_ns: int) -> None:
        """The primary said `position` when it was asked; `asked_ns` is from before the question."""
        if len(self._marks) < MARKS_MAX:
            self._marks.append((position, asked_ns))

    def replica_is_at(self, position: int) -> None:
        """The replica has replayed everything up to `position`."""
        while self._marks and self._marks[0][0] <= position:
            self._proven_ns = max(self._proven_ns, self._marks.popleft()[1])

    def proven_ns(self) -> int:
        """What the replica answers from now on is at least as new as the primary was at this moment."""
        return self._proven_ns
