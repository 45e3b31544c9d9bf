"""How long an open breaker rests: longer the more often it opened lately, forgotten in calm times."""

DOUBLINGS_MAX = 30


class Rest:
    """Times in monotonic nanoseconds; for one thread at a time.

    A clock that is set back cannot make a rest longer than it was meant to be: what seems to lie further ahead than
    the rest is long counts as over.
    """

    __slots__ = (
        "_calm_ns",
        "_calm_since_ns",
        "_doublings",
        "_first_ns",
        "_longest_ns",
        "_until_ns",
        "began_ns",
        "length_ns",
    )

    def __init__(self, first_ns: int, longest_ns: int, calm_ns: int) -> None:
        self._first_ns = first_ns
        self._longest_ns = max(first_ns, longest_ns)
        self._calm_ns = calm_ns
        self._calm_since_ns: int | None = None
        self._doublings = -1
        self.began_ns = self._until_ns = 0
        self.length_ns = first_ns

    def begin(self, now_ns: int) -> None:
        """The breaker opens: rest for longer than last time, less what calm has made forgotten."""
        if self._calm_since_ns is not None:
            forgotten = max(0, now_ns - self._calm_since_ns) // self._calm_ns
            self._doublings = max(-1, self._doublings - forgotten)
            self._calm_since_ns = None
        self._doublings = min(self._doublings + 1, DOUBLINGS_MAX)
        self.began_ns = now_ns
        self.rest(now_ns, min(self._first_ns << self._doublings, self._longest_ns))

    def rest(self, now_ns: int, length_ns: int) -> None:
        """Rest from now on for `length_ns`, whatever was meant before."""
        self.length_ns = length_ns
        self._until_ns = now_ns + length_ns

    def extend(self, now_ns: int, length_ns: int, *, longest_ns: int) -> None:
        """Rest for `length_ns` from now on, if that is longer; but never for more than `longest_ns` after `begin`."""
        until_ns = min(now_ns + length_ns, self.began_ns + longest_ns)
        if self._until_ns < until_ns:
            self.rest(now_ns, until_ns - now_ns)

    def is_over(self, now_ns: int) -> bool:
        return not 0 < self._until_ns - now_ns <= self.length_ns

    def is_forgotten(self, now_ns: int) -> bool:
        """True when the next rest will be as long as the first."""
        if self._calm_since_ns is None:
            return self._doublings < 0
        return (now_ns - self._calm_since_ns) // self._calm_ns > self._doublings

    def calm(self, now_ns: int) -> None:
        """The breaker closes."""
        self._calm_since_ns = now_ns
