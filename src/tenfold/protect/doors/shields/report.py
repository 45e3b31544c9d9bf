"""What a process says of its features, so that people see which are missed, why, and what that saved."""

import msgspec

SHIELDS = "shields"
FEATURES_MAX = 200
"""So many features are told of, those first that most did without."""


class FeatureReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`by` are the causes now. All else is since the process began: `spared` are requests that did without it, by
    cause; of those that were served `timed` took `spent_s` in all.
    """

    name: str
    by: tuple[str, ...] = ()
    served: int = 0
    spared: dict[str, int] = {}
    timed: int = 0
    spent_s: float = 0.0

    @property
    def spared_all(self) -> int:
        return sum(self.spared.values())


class ShieldReport(msgspec.Struct, frozen=True):
    """All of one process."""

    features: list[FeatureReport]
