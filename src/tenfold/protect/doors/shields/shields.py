"""All features of one process that it can do without.

shields = Shields(switches)
reviews = shields.declare("reviews", tier="P3", says="what others think", cost="fewer first purchases")
shedder = Shedder("shop", on_pressure=shields.press)       # under load P3 leaves first, then P2
if reviews.open(store="7", subject=customer): ...          # by hand: `tenfold switch set reviews off --store 7`

What shielding one will touch is the dry run of its switch; what it saved is said when it ends, by `views`, and to the
control node, for `tenfold switch show` and the switchboard.
"""

from collections.abc import Callable, Iterator

from tenfold.protect.doors.shields.feature import Feature, FeatureView
from tenfold.protect.doors.shields.metrics import ShieldMetrics
from tenfold.protect.doors.shields.report import FEATURES_MAX, SHIELDS, ShieldReport
from tenfold.protect.live.switches import BooleanSwitch, DeclarationInvalid, Switches
from tenfold.protect.live.switches.declaration import STORES_MAX, TIERS, Tier
from tenfold.telemetry import EventLog, Registry

FEATURE_TIERS = tuple(filter(None, TIERS))


class Shields:
    """Everything may be called from any thread; the switches are opened and closed by whoever made them."""

    def __init__(self, switches: Switches, *, registry: Registry | None = None, events: EventLog | None = None) -> None:
        self._switches = switches
        self._metrics = ShieldMetrics(registry or Registry())
        self._events = events
        self._features: dict[str, Feature] = {}
        switches.listen(self._hear)
        switches.report_also(SHIELDS, self.report)

    def declare(
        self,
        name: str,
        *,
        tier: Tier,
        says: str,
        cost: str,
        owner: str = "",
        when: Callable[[], bool] | None = None,
        stores_max: int | None = STORES_MAX,
    ) -> Feature:
        """A feature and its switch, which is on unless somebody turns it off; declared twice it is the same.

        `says` what a customer sees, `cost` what its absence costs. `when` is a rule of the app's own: asked at each
        request, so quick; while it holds the feature is shielded. Raises DeclarationInvalid.
        """
        if tier not in FEATURE_TIERS:
            raise DeclarationInvalid(
                f"The feature '{name}' cannot be declared: its tier is {tier!r}; P0, P1, P2 or P3 may stand there, "
                "since under load a feature leaves by its tier."
            )
        switch = self._switches.declare(
            name,
            "boolean",
            True,
            says=says,
            tier=tier,
            functions=(says,),
            owner=owner,
            stores_max=stores_max,
            labels={"cost": cost},
        )
        assert isinstance(switch, BooleanSwitch)
        if name not in self._features:
            feature = Feature(switch, cost=cost, when=when, metrics=self._metrics, events=self._events)
            self._features[name] = feature
            switch.on_change(lambda _: feature.look())
        return self._features[name]

    def open(self, name: str, *, store: str | None = None, subject: str | None = None) -> bool:
        """True when the feature of that name is served. One that no code declared is: only a known one is left out."""
        feature = self._features.get(name)
        return feature is None or feature.open(store=store, subject=subject)

    def press(self, level: float) -> None:
        """How bad the load is, 0 to 1; for a shedder's `on_pressure`."""
        for feature in self:
            feature.press(level)

    def views(self) -> list[FeatureView]:
        """Every feature as it is now, in the order of their declaration."""
        return [feature.view for feature in self]

    def report(self) -> ShieldReport:
        """Every feature as the control node is told of it."""
        features = sorted((feature.report for feature in self), key=lambda one: one.spared_all, reverse=True)
        return ShieldReport(features[:FEATURES_MAX])

    def __iter__(self) -> Iterator[Feature]:
        return iter(list(self._features.values()))

    def _hear(self, name: str) -> None:
        """A switch was set: what is set for some stores or a percentage changes nothing for this process as a whole."""
        if name in self._features:
            self._features[name].look()
