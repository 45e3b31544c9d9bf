"""How long one request takes to be served: the measure of every wait."""

SERVICE_NS_MIN, SERVICE_NS_MAX = 5_000_000, 1_000_000_000
SERVICE_NS_GUESSED = 100_000_000
"""While nobody knows."""
PATIENCE_BEST, PATIENCE, PATIENCE_STANDING = 2.0, 1.0, 0.5
"""How long a request may wait, in times of what one takes to be served: of the best tier, whether its line stands or
not, since nobody would be served better by its place; of another; and of another whose line stands."""
INTERVAL = 10.0
"""A line in which nobody had a short wait for so many times of what one takes to be served stands."""
INTERVAL_NS_MIN = 100_000_000
_CALLS = 20


class ServiceTime:
    """The mean over about the last twenty, in nanoseconds."""

    __slots__ = ("_count", "ns")

    def __init__(self) -> None:
        self.ns = float(SERVICE_NS_GUESSED)
        self._count = 0

    def learn(self, service_ns: int) -> None:
        if not SERVICE_NS_MIN <= service_ns <= SERVICE_NS_MAX:
            service_ns = SERVICE_NS_MIN if service_ns < SERVICE_NS_MIN else SERVICE_NS_MAX
        if self._count < _CALLS:
            self._count += 1
        self.ns += (service_ns - self.ns) / self._count

    def patience_ns(self, tier: int, *, stands: bool) -> int:
        """How long a request of this tier may wait for its turn."""
        patience = PATIENCE_STANDING if stands else PATIENCE
        return int((patience if tier else PATIENCE_BEST) * self.ns)

    @property
    def short_ns(self) -> int:
        """A wait of less is none."""
        return int(PATIENCE_STANDING * self.ns)

    @property
    def interval_ns(self) -> int:
        """So long without a short wait, and a line stands."""
        return max(INTERVAL_NS_MIN, int(INTERVAL * self.ns))
