"""The way back to a cache that was repaired: share by share, each proven before the next."""

from tenfold.protect.reads.audit import Ratios, Sprt, SprtDecision


class Returning:
    """A share is left behind when a sequential test of the samples since it began says that the cache is right, and
    it has lasted for `step_ns`. Pure.
    """

    def __init__(self, shares: tuple[float, ...], step_ns: int, ratios: Ratios | None) -> None:
        self._shares = shares
        self._step_ns = step_ns
        self._ratios = ratios
        self._step = 0
        self._test = Sprt(ratios)

    @property
    def share(self) -> float:
        """What may be read from the cache now."""
        return self._shares[self._step]

    @property
    def found(self) -> dict[str, int]:
        """What the test of this share has seen."""
        return {"samples": self._test.samples, "mismatches": self._test.mismatches}

    @property
    def level(self) -> float:
        """Where the test stands."""
        return self._test.level

    def judge(self, samples: int, mismatches: int, lasted_ns: int) -> SprtDecision:
        """USUAL: this share is proven; WRONG: the cache still is."""
        decision = self._test.record(samples, mismatches)
        is_early = decision is SprtDecision.USUAL and lasted_ns < self._step_ns
        return SprtDecision.UNDECIDED if is_early else decision

    def advance(self) -> bool:
        """Go on to the next share; False when this was the last."""
        if self._step + 1 >= len(self._shares):
            return False
        self._step += 1
        self._test = Sprt(self._ratios)
        return True
