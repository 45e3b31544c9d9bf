"""Sequential tests of a ratio: decide as soon as the evidence is enough, and say beforehand how often wrongly.

Both add up the logarithm of the likelihood ratio: how much likelier it is that what was seen comes from a cache of
which `wrong_ratio` is wrong than from one of which `usual_ratio` is.

                 alarm                                        wrong: p1
    threshold ────────────────────×        ln((1-β)/α) ──────────────────
                              ╱                          ╲   ╱ ╲
                        ╱╲  ╱                             ╲╱    ╲
    0 ──────╱╲────╱╲──╱───╲╱──────         ln(β/(1-α)) ───────────╲──────
     Cusum: watches for ever                              Sprt: decides once   right: p0
"""

import enum
import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ratios:
    """What is told apart. Ratios between are judged by which of the two explains them better."""

    usual: float = 0.001
    wrong: float = 0.02

    def __post_init__(self) -> None:
        if not 0 < self.usual < self.wrong < 1:
            raise ValueError(f"0 < usual < wrong < 1 must hold, not usual {self.usual}, wrong {self.wrong}")

    def log_likelihood_ratio(self, samples: int, mismatches: int) -> float:
        """Natural logarithm; `mismatches` of `samples` were wrong."""
        for_each_wrong = math.log(self.wrong / self.usual)
        for_each_right = math.log((1 - self.wrong) / (1 - self.usual))
        return mismatches * for_each_wrong + (samples - mismatches) * for_each_right


class Cusum:
    """Watches without end (Page, Biometrika 41, 1954). After an alarm, or to forget, `clear`.

    A batch counts as one observation. While the ratio is the usual one, the mean number of batches until a false
    alarm is at least `batches_between_false_alarms` (Lorden, Ann. Math. Statist. 42, 1971: at least e^threshold):
    the default, at five batches a second, is more than sixty years.
    """

    def __init__(self, ratios: Ratios | None = None, *, batches_between_false_alarms: float = 1e10) -> None:
        self.ratios = ratios or Ratios()
        self.threshold = math.log(batches_between_false_alarms)
        self.clear()

    def clear(self) -> None:
        """Forget the evidence."""
        self.level = 0.0
        self.samples = self.mismatches = 0

    def record(self, samples: int, mismatches: int) -> bool:
        """Whether the evidence since `level` was last 0 is enough for an alarm."""
        self.level += self.ratios.log_likelihood_ratio(samples, mismatches)
        self.samples += samples
        self.mismatches += mismatches
        if self.level <= 0:
            self.clear()
        return self.alarmed

    @property
    def alarmed(self) -> bool:
        return self.level >= self.threshold


class SprtDecision(enum.Enum):
    UNDECIDED = "undecided"
    USUAL = "usual"
    WRONG = "wrong"


class Sprt:
    """Decides once (Wald, Ann. Math. Statist. 16, 1945).

    Calls a usual ratio wrong with a chance of at most about `false_alarm`, a wrong one usual with at most `missed`.
    """

    def __init__(self, ratios: Ratios | None = None, *, false_alarm: float = 1e-6, missed: float = 0.01) -> None:
        self.ratios = ratios or Ratios()
        self._upper = math.log((1 - missed) / false_alarm)
        self._lower = math.log(missed / (1 - false_alarm))
        self.level = 0.0
        self.samples = self.mismatches = 0
        self.decision = SprtDecision.UNDECIDED

    def record(self, samples: int, mismatches: int) -> SprtDecision:
        """What is decided now; a decision stands."""
        if self.decision is not SprtDecision.UNDECIDED:
            return self.decision
        self.level += self.ratios.log_likelihood_ratio(samples, mismatches)
        self.samples += samples
        self.mismatches += mismatches
        if self.level >= self._upper:
            self.decision = SprtDecision.WRONG
        elif self.level <= self._lower:
            self.decision = SprtDecision.USUAL
        return self.decision
