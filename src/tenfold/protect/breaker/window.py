"""Calls and failures of the last moments, which the breaker judges by."""


class Window:
    """Counts over the last `length_ns`, in `slices`: as small for a million calls as for ten.

    The oldest slice leaves as a whole, so what is counted is between `length_ns` less one slice and `length_ns` old.
    """

    __slots__ = ("_calls", "_failures", "_numbers", "_slice_ns", "_slices")

    def __init__(self, length_ns: int, slices: int = 10) -> None:
        self._slices = slices
        self._slice_ns = max(1, length_ns // slices)
        self.clear()

    def clear(self) -> None:
        self._numbers = [-1] * self._slices
        self._calls = [0] * self._slices
        self._failures = [0] * self._slices

    def record(self, now_ns: int, *, failed: bool) -> None:
        number = now_ns // self._slice_ns
        place = number % self._slices
        if self._numbers[place] != number:
            self._numbers[place] = number
            self._calls[place] = self._failures[place] = 0
        self._calls[place] += 1
        self._failures[place] += failed

    def totals(self, now_ns: int) -> tuple[int, int]:
        """Calls and, among them, failures."""
        oldest = now_ns // self._slice_ns - self._slices
        counted = [place for place, number in enumerate(self._numbers) if number > oldest]
        return sum(self._calls[place] for place in counted), sum(self._failures[place] for place in counted)
