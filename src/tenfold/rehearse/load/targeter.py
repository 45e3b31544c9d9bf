"""What an arrival asks for: a journey by share, a row of the feed, a key of its own; all by seeded chance.

A journey that refers to an earlier answer (`${order.id}`) cannot be made while none is remembered. Its arrival then
takes one of the journeys that need nothing, by their shares, and counts as that journey: the rate stays what it was.
"""

from binascii import b2a_base64
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random

from tenfold.kernel import derive_seed
from tenfold.rehearse.load.feed import Feed, Row
from tenfold.rehearse.load.memory import Memory
from tenfold.rehearse.load.messages import Segment
from tenfold.rehearse.load.request import Request, Script
from tenfold.rehearse.load.template import TemplateInvalid

_KEY_BYTES = 18
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
"""24 url-safe characters; 144 bits do not meet twice."""


class Mix:
    """Draws scripts by share."""

    __slots__ = ("_limits", "_random", "_scripts", "_total")

    def __init__(self, scripts: Sequence[Script], random: Random) -> None:
        self._scripts = scripts
        *self._limits, self._total = accumulate(script.share for script in scripts)
        self._random = random

    def draw(self) -> Script:
        return self._scripts[bisect(self._limits, self._random.random() * self._total)]


class Targeter:
    """Makes the requests of a run. `seed` fixes them all, but for what the system's own answers decide."""

    def __init__(self, scripts: Sequence[Script], feed: Feed, memory: Memory, seed: int, token: str) -> None:
        drawn = [script for script in scripts if script.share > 0]
        independent = [script for script in drawn if not script.template.recalls]
        if not independent:
            raise TemplateInvalid("Every journey refers to the answer of another, so none can be the first.")
        random = Random(derive_seed(seed, "journeys"))
        self._all = Mix(drawn, random)
        self._independent = Mix(independent, random)
        self._feed = feed
        self._memory = memory
        self._keys = Random(derive_seed(seed, "keys", token))
        self._scripts = {script.name: script for script in independent}
        self._crowd = Random(derive_seed(seed, "crowd"))
        self._crowded_row: Row | None = None

    def make(self, due_ns: int, segment: Segment | None = None) -> Request:
        """The request of the arrival that was due at `due_ns`, in that segment of its stage."""
        if segment and segment.focus and self._crowd.random() < segment.focus_ratio:
            return self._make_focused(due_ns, segment.focus)
        script = self._all.draw()
        values = self._feed.draw().copy()
        if script.template.recalls and not self._recall(script, values):
            script = self._independent.draw()
        return self._render(script, due_ns, values)

    def _make_focused(self, due_ns: int, journey: str) -> Request:
        """What the whole crowd asks for: one journey, and for the whole run one row of the feed."""
        if self._crowded_row is None:
            self._crowded_row = self._feed.draw()
        return self._render(self._scripts[journey], due_ns, self._crowded_row.copy())

    def _render(self, script: Script, due_ns: int, values: Row) -> Request:
        """`values` becomes this request's own."""
        values[b"unique"] = key = b2a_base64(self._keys.randbytes(_KEY_BYTES), newline=False).translate(_URL_SAFE)
        return Request(script, due_ns, script.template.render(values), key)

    def _recall(self, script: Script, values: Row) -> bool:
        """Put what the script refers to into `values`; False while one of them is not remembered."""
        for name in script.template.recalls:
            value = self._memory.draw(name)
            if value is None:
                return False
            values[name.encode()] = value
        return True
