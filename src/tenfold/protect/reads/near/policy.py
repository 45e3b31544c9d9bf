"""Who is admitted to the near cache and who leaves: proof against scans, and against pure recency.

                 ┌─ window ─┐  candidate ► hotter?  ┌──────────────── main ────────────────┐
    newcomer ───►│   LRU    │──────────────────────►│ probation ──asked for──► protected   │
                 └──────────┘   no: it leaves       │     ▲  └─► victim leaves     │       │
                      ▲                             │     └─────── demoted ◄───────┘       │
                      │ its share: 1 % … 99 %       └──────────────────────────────────────┘
                      └── duels between the refused and the spared

W-TinyLFU (Einziger, Friedman and Manes 2017) with three changes. Duels size the window (`duels`): in a scan or a loop
the residents win, and it all but closes; when what is new is what is asked for, newcomers win, and all becomes an LRU.
A candidate must be hotter than its victim by one whole request, or the members of a loop throw each other out. And a
victim that was spared goes to the end of its line as often as the window is large: where the past says little, nobody
lives on old fame.
"""

from collections import deque
from collections.abc import Callable

from tenfold.protect.reads.near.duels import Duels
from tenfold.protect.reads.near.entry import Resident
from tenfold.protect.reads.near.segments import Segments
from tenfold.protect.reads.near.sketch import HeatSketch, mark_of

WINDOW_RATIO_MIN = 0.01
HALF_LIFE_TURNS = 7
"""Heat halves whenever each resident was asked for so many times, on average."""
HEAT_MAX = 15
"""More requests than these within a half-life say nothing more."""
GAIN_MAX = 2.0**100
"""Where the scale of heat begins anew: a cell of the sketch holds no more than 2 ** 127."""
TOUCHES_MAX = 16_384
"""Hits remembered between two arrivals. Fewer would forget most of a loop that is all hits, and then evict it."""
HEARD_MAX = 4096
"""Touches caught up on at one arrival, so that no arrival takes longer than about a millisecond."""


class AdmissionPolicy:
    """Decides for a cache that says itself when it is full: by bytes, by entries, by both.

    A hit calls `touched` alone, from any thread: the append of a bounded buffer, which loses its oldest touches when
    nothing arrives. All else is called under the cache's lock and takes constant time, but for the touches that it
    catches up on. The same calls lead to the same decisions, in every process.
    """

    def __init__(self) -> None:
        self._touches: deque[Resident] = deque(maxlen=TOUCHES_MAX)
        self.touched: Callable[[Resident], None] = self._touches.append
        self._start_over()

    def _start_over(self) -> None:
        self._segments, self._sketch, self._duels = Segments(), HeatSketch(), Duels()
        self._gain = 1.0
        self._requests = 0
        self._spared = 0.0
        self._fits: bool = True
        self._challenger: Resident | None = None

    def came(self, resident: Resident) -> None:
        """`resident` was loaded and lies in the cache now."""
        segments, gain = self._segments, self._gain
        if self._touches:
            self._catch_up()
        if self._fits:  # nobody had to leave for the last one: what is too much for the window needs no fight
            segments.settle(self._window_bytes_max())
        self._fits, self._challenger = True, None
        segments.enter(resident)
        self._duels.came(resident.key, segments.count)
        resident.mark = mark_of(resident.key)
        resident.heat = min(self._sketch.heat_of(resident.mark) + gain, HEAT_MAX * gain)
        self._requests += 1
        if self._requests > HALF_LIFE_TURNS * segments.count:
            self._age()

    def went(self, resident: Resident) -> None:
        """`resident` was taken out for a reason that is not room. No error when it is not held."""
        if resident.place is not None:
            self._leave(resident)

    def evict(self) -> Resident:
        """Takes out the resident that leaves to make room; it may be the newcomer. LookupError when there is none."""
        self._fits = False
        window_bytes_max = self._window_bytes_max()
        leaver = self._choose(self._segments.settle(window_bytes_max), window_bytes_max)
        self._leave(leaver)
        return leaver

    def clear(self) -> None:
        """Forget the residents, and all that was learned of them and of those before."""
        segments = self._segments
        for resident in (*segments.window, *segments.probation, *segments.protected):
            resident.place = resident.rival = None
        self._touches.clear()
        self._start_over()

    def __len__(self) -> int:
        return self._segments.count

    @property
    def window_ratio(self) -> float:
        """The share of its bytes that the cache gives to what is new."""
        return max(self._duels.score, WINDOW_RATIO_MIN)

    @property
    def sketch_bytes(self) -> int:
        """What the memory of keys that left takes; what a resident takes is for its cache to count."""
        return self._sketch.held_bytes

    def _catch_up(self) -> None:
        """Hear the touches since the last arrival."""
        touches, segments, gain = self._touches, self._segments, self._gain
        probation, heat_max = segments.probation, (HEAT_MAX - 1) * gain
        count = min(len(touches), HEARD_MAX)
        for _ in range(count):
            resident = touches.popleft()
            place = resident.place
            if place is None:
                continue
            if resident.heat <= heat_max:
                resident.heat += gain
            if place is probation:
                segments.promote(resident)
            else:
                place.move_to_end(resident)
            if resident.rival is not None:
                self._duels.touched(resident)
        self._requests += count

    def _age(self) -> None:
        """What is asked for from now on weighs twice: the same as if all before were worth half."""
        self._requests = 0
        self._gain *= 2
        if self._gain >= GAIN_MAX:
            self._rescale()

    def _rescale(self) -> None:
        segments = self._segments
        for segment in (segments.window, segments.probation, segments.protected):
            for resident in segment:
                resident.heat /= self._gain
        self._sketch.fade()
        self._gain = 1.0

    def _window_bytes_max(self) -> float:
        """At least an average entry, so that the newest is heard before it is judged."""
        segments = self._segments
        return segments.held_bytes * max(self._duels.score, WINDOW_RATIO_MIN, 1 / (segments.count or 1))

    def _choose(self, candidate: Resident | None, window_bytes_max: float) -> Resident:
        """Candidate against victim. Who won and still needs more room must win again, or leave after all."""
        segments = self._segments
        victim = segments.victim()
        candidate = self._challenger or candidate
        if victim is None:
            candidate = candidate or next(iter(segments.window), None)
            if candidate is None:
                raise LookupError("the near cache holds nobody who could leave")
            return candidate
        if candidate is None or candidate is victim:
            return victim
        if candidate.heat > victim.heat + self._gain:
            segments.admit(candidate)
            self._challenger = candidate
            return victim
        self._duels.refused(candidate, victim)
        self._spared += window_bytes_max / (segments.held_bytes or 1)
        if self._spared >= 1:
            self._spared -= 1
            segments.spare(victim)
        return candidate

    def _leave(self, resident: Resident) -> None:
        segments, sketch = self._segments, self._sketch
        if resident.rival is not None:
            self._duels.left(resident)
        if resident is self._challenger:
            self._challenger = None
        if segments.count > sketch.residents_max:
            sketch.fit(segments.count)
        segments.leave(resident)
        sketch.keep(resident.mark, resident.heat)
