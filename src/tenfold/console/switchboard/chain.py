"""Whether the history is what was written, for a page: to a bound, and since when."""

import msgspec

from tenfold.respond.switchboard import SwitchOperator, Wholeness
from tenfold.respond.switchboard.history import Links, ends_at, in_force, wholeness_of

PAGES_MAX = 20


class ChainCheck(msgspec.Struct, frozen=True):
    """`since_ns` is when the first entry was made; `all` is False when there are more than a page may look at."""

    wholeness: Wholeness
    since_ns: int
    all: bool


def check_chain(operator: SwitchOperator) -> ChainCheck:
    """Worked out here, entry by entry: the node's own word would not do."""
    there, links = in_force(operator.control), Links(operator.control, pages_max=PAGES_MAX)
    entries = list(links)
    wholeness = wholeness_of(entries, there if links.all else {})
    return ChainCheck(ends_at(wholeness, links.head), links.since_ns, links.all)
