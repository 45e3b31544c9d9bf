"""`surge 200 %`: the load is that multiple of the last step's."""

from tenfold.fleet.faults.injection import LoadInjection, LoadShape
from tenfold.plan.model import Fault, FaultKind


class Surge(LoadInjection):
    kind = FaultKind(word="surge", load=True, share_above=0.0)

    @classmethod
    def load(cls, fault: Fault) -> LoadShape:
        return LoadShape(multiple=fault.share)
