"""Wrong codes, and how long whoever tries one waits for the answer. Pure: time comes in."""

from collections import OrderedDict

from tenfold.kernel import Duration

FREE = 3
"""So many wrong codes are mistakes and cost nothing."""
FIRST_WAIT, LONGEST_WAIT = Duration.from_ms(250), Duration.from_s(8)
FORGOTTEN_AFTER = Duration.from_s(60)
PEERS_MAX = 1000


class Guesses:
    """The wrong codes of each peer, lately; the peer that was quiet for longest is forgotten first.

    It delays what is wrong and never what is right: a lock on everybody would be the guesser's own weapon.
    """

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def wrong(self, peer: str, now_ns: int) -> Duration:
        """Note one more; answers how long this one waits: nothing at first, then twice as long each time."""
        count, last_ns = self._wrong.pop(peer, (0, now_ns))
        count = 1 if now_ns - last_ns >= FORGOTTEN_AFTER.ns else count + 1
        self._wrong[peer] = (count, now_ns)
        if len(self._wrong) > PEERS_MAX:
            self._wrong.popitem(last=False)
        return _wait(count)


def _wait(count: int) -> Duration:
    if count <= FREE:
        return Duration(0)
    return Duration(min(FIRST_WAIT.ns << min(count - FREE - 1, 30), LONGEST_WAIT.ns))
