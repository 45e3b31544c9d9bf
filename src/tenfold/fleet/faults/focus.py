"""`focus 20 % of`: that share of the load asks one thing of a journey."""

from tenfold.fleet.faults.injection import LoadInjection, LoadShape
from tenfold.plan.model import Fault, FaultKind


class Focus(LoadInjection):
    kind = FaultKind(word="focus", journeys=True, share_above=0.0)

    @classmethod
    def load(cls, fault: Fault) -> LoadShape:
        return LoadShape(focus=fault.at[0], focus_ratio=fault.share)
