"""What an audit may read: a share of the reads, so that it never is the load."""

from collections.abc import Callable

from tenfold.engines.amplification import AmplificationBudget
from tenfold.kernel import Clock


class ReadBudget(AmplificationBudget):
    """An audit's own: with the defaults 1 % of the reads, and 5 round trips a second on a quiet system."""

    def __init__(
        self,
        *,
        reads: Callable[[], int] | None = None,
        share: float = 0.01,
        floor_per_s: float = 5.0,
        saved_max: float = 4.0,
        within: AmplificationBudget | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            "audit",
            share=share,
            floor_per_s=floor_per_s,
            saved_max=saved_max,
            calls=reads,
            within=within,
            clock=clock,
        )
