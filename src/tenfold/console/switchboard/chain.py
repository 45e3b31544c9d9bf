"""Whether the history is what was written, for a page: to a bound, and since when."""

from collections.abc import Iterator

import msgspec

from tenfold.protect.channel.lines import Change, decode
from tenfold.protect.switches.declaration import DECLARED
from tenfold.protect.switches.record import TOPIC
from tenfold.respond.control.chain import Link
from tenfold.respond.switchboard import SwitchOperator, Wholeness
from tenfold.respond.switchboard.history import wholeness_of

CHAINED = (TOPIC, DECLARED)
PAGE = 1000
PAGES_MAX = 20


class ChainCheck(msgspec.Struct, frozen=True):
    """`since_ns` is when the first entry was made; `all` is False when there are more than a page may look at."""

    wholeness: Wholeness
    since_ns: int
    all: bool


class _Links:
    """The chain from its beginning, page by page, to a bound."""

    def __init__(self, operator: SwitchOperator) -> None:
        self.since_ns = 0
        self.all = True
        self._operator = operator

    def __iter__(self) -> Iterator[Link]:
        after = 0
        for _ in range(PAGES_MAX):
            page = self._operator.control.links(after, limit=PAGE)
            if page and not self.since_ns:
                self.since_ns = _made_ns(page[0])
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].epoch
        self.all = False


def check_chain(operator: SwitchOperator) -> ChainCheck:
    """Worked out here, entry by entry: the node's own word would not do. What is changed between the looks at the
    history and at what is in force looks like an edit, so that is looked at again.
    """
    check = _check(operator)
    return check if not check.wholeness.problem else _check(operator)


def _check(operator: SwitchOperator) -> ChainCheck:
    links = _Links(operator)
    records = [record for topic in CHAINED for record in operator.control.records(topic)]
    entries = list(links)
    wholeness = wholeness_of(entries, records if links.all else (), topics=CHAINED if links.all else ())
    return ChainCheck(wholeness, links.since_ns, links.all)


def _made_ns(link: Link) -> int:
    try:
        line = decode(link.text.encode())
    except ValueError:
        return 0
    return line.at_ns if isinstance(line, Change) else 0
