"""The three lines that the residents of the near cache stand in, by size in bytes: sizes differ, and so do the caps."""

from collections import OrderedDict

from tenfold.protect.reads.near.entry import Resident, Segment

PROTECTED_RATIO = 0.8
"""What those who were asked for again may fill of all but the window (Einziger, Friedman and Manes 2017)."""
MOVES_MAX = 16
"""Moved from one line to another in one step, so that nobody waits for a large change of the window."""


class Segments:
    """Window, probation, protected: whoever was asked for longest ago stands first in each."""

    def __init__(self) -> None:
        self.window: Segment = OrderedDict()
        self.probation: Segment = OrderedDict()
        self.protected: Segment = OrderedDict()
        self.count = self.held_bytes = self.window_bytes = self.protected_bytes = 0
        self._protected_bytes_max = 0.0

    def enter(self, resident: Resident) -> None:
        """A newcomer stands last in the window."""
        resident.place = self.window
        self.window[resident] = None
        size_bytes = resident.size_bytes
        self.window_bytes += size_bytes
        self.held_bytes += size_bytes
        self.count += 1

    def leave(self, resident: Resident) -> None:
        """From whatever line it stands in."""
        self._step_out(resident)
        resident.place = None
        self.held_bytes -= resident.size_bytes
        self.count -= 1

    def promote(self, resident: Resident) -> None:
        """From probation to protected; whoever is too much there comes back for another trial."""
        del self.probation[resident]
        resident.place = self.protected
        self.protected[resident] = None
        self.protected_bytes += resident.size_bytes
        if self.protected_bytes > self._protected_bytes_max:
            self._demote()

    def admit(self, resident: Resident) -> None:
        """From the window to probation; no error when it stands there already."""
        if resident.place is self.window:
            self._step_out(resident)
            resident.place = self.probation
            self.probation[resident] = None

    def settle(self, window_bytes_max: float) -> Resident | None:
        """Bring window and protected nearer to their sizes. The window keeps one too many: answers this candidate."""
        self._protected_bytes_max = PROTECTED_RATIO * (self.held_bytes - window_bytes_max)
        if self.protected_bytes > self._protected_bytes_max:
            self._demote()
        if self.window_bytes <= window_bytes_max:
            return None
        oldest = next(iter(self.window))
        for _ in range(MOVES_MAX):
            if self.window_bytes - oldest.size_bytes <= window_bytes_max:
                break
            self.admit(oldest)
            oldest = next(iter(self.window))
        return oldest

    def victim(self) -> Resident | None:
        """The resident that has to prove that it is worth its place in main."""
        return next(iter(self.probation or self.protected), None)

    def spare(self, resident: Resident) -> None:
        """To the end of the line that it stands in."""
        if resident.place is not None:
            resident.place.move_to_end(resident)

    def _step_out(self, resident: Resident) -> None:
        place = resident.place
        assert place is not None, "it stands nowhere"
        del place[resident]
        if place is self.window:
            self.window_bytes -= resident.size_bytes
        elif place is self.protected:
            self.protected_bytes -= resident.size_bytes

    def _demote(self) -> None:
        for _ in range(MOVES_MAX):
            if self.protected_bytes <= self._protected_bytes_max or not self.protected:
                return
            oldest, _none = self.protected.popitem(last=False)
            self.protected_bytes -= oldest.size_bytes
            oldest.place = self.probation
            self.probation[oldest] = None
