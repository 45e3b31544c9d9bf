"""A feature over all processes: who misses it now and why, and what its absence saved. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tenfold.protect.doors.shields.report import FeatureReport, ShieldReport


class ShieldView(msgspec.Struct, frozen=True, kw_only=True):
    """Told by `processes`, since they began. `by` says of each cause in how many of them it holds now, `spared` how
    many requests did without; `saved_s` is what those would have taken, None when nobody knows what one takes.
    """

    processes: int
    by: dict[str, int]
    served: int
    spared: dict[str, int]
    saved_s: float | None

    @property
    def spared_all(self) -> int:
        return sum(self.spared.values())


def shield_views(reports: Iterable[ShieldReport]) -> dict[str, ShieldView]:
    """The features of all reports, by name."""
    told: dict[str, list[FeatureReport]] = {}
    for report in reports:
        for feature in report.features:
            told.setdefault(feature.name, []).append(feature)
    return {name: _view(features) for name, features in told.items()}


def read_reports(payloads: Mapping[str, msgspec.Raw]) -> list[ShieldReport]:
    """Those that can be read."""
    reports: list[ShieldReport] = []
    for payload in payloads.values():
        try:
            reports.append(msgspec.json.decode(payload, type=ShieldReport))
        except ValueError:  # of a process that says it in another way
            continue
    return reports


def _view(features: Sequence[FeatureReport]) -> ShieldView:
    spared = sum((Counter(feature.spared) for feature in features), Counter[str]())
    timed, spent_s = sum(one.timed for one in features), sum(one.spent_s for one in features)
    each_s = spent_s / timed if timed else None
    saved_s = 0.0 if not spared else None if each_s is None else round(each_s * spared.total(), 3)
    return ShieldView(
        processes=len(features),
        by=dict(sorted(Counter(cause for feature in features for cause in feature.by).items())),
        served=sum(one.served for one in features),
        spared=dict(spared.most_common()),
        saved_s=saved_s,
    )
