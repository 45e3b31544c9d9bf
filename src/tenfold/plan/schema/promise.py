"""What services and journeys promise, and the lists of names by which others call them."""

from tenfold.plan.model import Slo
from tenfold.plan.shapes import ListOf, RecordOf, optional, required
from tenfold.plan.words import duration, name, share

NAMES = ListOf(name(), may_stand="a list of names", examples=("[browse, price]",))


def promise(*, availability: bool) -> RecordOf[Slo]:
    promised = required("p99", duration(), "99 of 100 are answered within this, counted from when they were due.")
    says = "Share of requests that are answered rightly."
    ratio = optional("availability", share(), says, into="availability_ratio", default="100 %")
    return RecordOf(Slo, (ratio, promised) if availability else (promised,))
