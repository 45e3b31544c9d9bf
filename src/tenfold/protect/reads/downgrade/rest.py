"""How long the next repair waits after one that was of no use."""


class Rest:
    """`first_ns`, doubled each time up to `longest_ns`. Times in monotonic nanoseconds; for one thread at a time."""

    def __init__(self, first_ns: int, longest_ns: int) -> None:
        self._first_ns = self.length_ns = first_ns
        self._longest_ns = longest_ns
        self._until_ns = 0

    def begin(self, now_ns: int) -> None:
        """Wait for `length_ns` from now on."""
        self._until_ns = now_ns + self.length_ns

    def lengthen(self) -> None:
        """The next is longer."""
        self.length_ns = min(2 * self.length_ns, self._longest_ns)

    def end(self, now_ns: int) -> None:
        """There is nothing to wait for."""
        self._until_ns = now_ns

    def forget(self) -> None:
        """The cache was right: the next is the first again."""
        self.length_ns = self._first_ns

    def is_over(self, now_ns: int) -> bool:
        return now_ns >= self._until_ns
