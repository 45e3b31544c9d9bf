"""Duels: was it right to refuse a newcomer? Whoever of the two is asked for first says so.

    refused newcomer ─┐   newcomer is asked for first ─► recency was right:   the window grows
                      ├─►
    spared resident ──┘   resident is asked for first ─► frequency was right: the window shrinks

The race compares what one more place would earn in the window with what it earns in the rest of the cache: at the
best size of the window the two are equal. It is decided by the requests themselves, so it needs neither a shadow cache
nor a long sample of hit ratios as hill climbing does (Einziger et al. 2018), and follows a change within a few dozen
duels. The idea of letting requests decide between two policies is set duelling (Qureshi et al. 2007); the reach of a
ghost list that bounds it is ARC's (Megiddo and Modha 2003).
"""

from tenfold.protect.reads.near.entry import Resident

PATIENCE_RATIO = 0.8
"""How many arrivals a duel is waited for, as a share of the residents: no window would have held it much longer."""
OPEN_MAX = 250
"""How many duels are open at a time at most. More would say the same, and the window would sway with each burst."""
STEP_RATIO = 1 / 80
"""What one duel moves the window by, as a share of the cache."""
RATIO_MAX = 0.99
SWAY_RATIO = 0.3
"""How far the window can move within one patience: those who come back in one scan are no independent witnesses."""
DEBT_RATIO = 0.1
"""How far below nothing the score can fall: a few lucky newcomers do not open a window that was rightly closed."""


class Duels:
    """The duels that are open, and the score of those that were decided.

    `score` is the share of the cache that recency has earned, from -DEBT_RATIO to RATIO_MAX.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all duels and their score."""
        self.score = self._score_before = 0.0
        self._open: dict[str, tuple[Resident, int]] = {}
        self._arrivals = self._refusals = 0
        self._patience = self._patience_ends = 0
        self._every = 1

    def __len__(self) -> int:
        return len(self._open)

    def refused(self, newcomer: Resident, spared: Resident) -> None:
        """`newcomer` leaves so that `spared` can stay: now and then, a duel begins."""
        self._refusals += 1
        if self._refusals % self._every:
            return
        self._give_up()
        if spared.rival is None and newcomer.key not in self._open:
            self._open[newcomer.key] = (spared, self._arrivals)
            spared.rival = newcomer.key

    def came(self, key: str, residents: int) -> None:
        """`key` was asked for and is not here: if it was refused not long ago, it wins."""
        self._arrivals += 1
        if self._arrivals > self._patience_ends:
            self._begin_patience(residents)
        duel = self._open.pop(key, None)
        if duel is not None:
            spared, begun = duel
            spared.rival = None
            if self._arrivals - begun <= self._patience:
                self.score = min(self.score + STEP_RATIO, RATIO_MAX, self._score_before + SWAY_RATIO)

    def touched(self, resident: Resident) -> None:
        """`resident`, who has a rival, was asked for: it wins."""
        self.left(resident)
        self.score = max(self.score - STEP_RATIO, -DEBT_RATIO, self._score_before - SWAY_RATIO)

    def left(self, resident: Resident) -> None:
        """`resident`, who has a rival, leaves: the duel is void."""
        if resident.rival is not None:
            del self._open[resident.rival]
            resident.rival = None

    def _begin_patience(self, residents: int) -> None:
        self._patience = int(PATIENCE_RATIO * residents)
        self._patience_ends = self._arrivals + self._patience
        self._every = self._patience // OPEN_MAX + 1
        self._score_before = self.score

    def _give_up(self) -> None:
        """Duels that nobody decides end in the order in which they began."""
        while self._open:
            key, (spared, begun) = next(iter(self._open.items()))
            if self._arrivals - begun <= self._patience:
                return
            del self._open[key]
            spared.rival = None
