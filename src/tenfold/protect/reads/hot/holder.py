"""Keeps hot values in one process's near cache: who reads them anew, and what another's sight of them does here."""

from collections.abc import Callable, Collection, Sequence

from tenfold.kernel import Clock, Duration
from tenfold.protect.reads.hot.held import Held, Told, digest_of
from tenfold.protect.reads.hot.messages import HotKey, Seen
from tenfold.protect.reads.hot.signs import Signs
from tenfold.protect.reads.near import NearCache

FLEET_KEEP = Duration.from_s(5)
"""A fleet's word is good for this long without another one: the control node may be dead."""
_MS = 1_000_000

Refresh = Callable[[str], object]


class Holder:
    """The hot keys of one process, and what is known of the value of each.

    `process` names this process in the fleet; `turn` (0..1) is its place among those who step in when nobody reads.
    """

    def __init__(self, process: str, *, hold: Duration, turn: float, clock: Clock, signs: Signs) -> None:
        self._process = process
        self._hold = hold
        self._turn = turn
        self._clock = clock
        self._signs = signs
        self._held: dict[str, Held] = {}
        self._near: NearCache | None = None
        self._refresh: Refresh | None = None

    def attach(self, near: NearCache | None, refresh: Refresh | None) -> None:
        self._near, self._refresh = near, refresh

    def __contains__(self, key: str) -> bool:
        return key in self._held

    def __len__(self) -> int:
        return len(self._held)

    def keys(self) -> list[str]:
        """In order."""
        return sorted(self._held.copy())

    def rise(self, key: str, share: float, now_ns: int) -> None:
        """Hot in this process: what lies near is held from now on, what does not is on its way up the ladder."""
        if key not in self._held:
            self._held[key] = self._adopt(key, now_ns)
            self._signs.risen(key, "process", share)

    def ask_if_due(self, key: str, now_ns: int) -> None:
        """A reader came: if the key is hot and due, have it read anew."""
        held = self._held.get(key)
        if held is not None and now_ns >= held.due_ns:
            self._ask(key, held, now_ns)

    def found(self, key: str, value: bytes | None, version: int, age: Duration, now_ns: int) -> bool:
        """This process read `key` from below; answers whether it is to be held."""
        held = self._held.get(key)
        if held is None:
            return False
        wall_ns = self._clock.wall_ns()
        held.saw(Seen(version, digest_of(value), wall_ns // _MS, (wall_ns - age.ns) // _MS), now_ns, self._hold.ns)
        return True

    def follow(self, keys: Sequence[HotKey], now_ns: int) -> None:
        """These are hot in the fleet, and no others."""
        named = {hot.key for hot in keys}
        for key, held in self._held.copy().items():
            if key not in named:
                held.fleet_until_ns = 0
        for hot in keys:
            self._follow(hot, now_ns)

    def cool(self, local: Collection[str], now_ns: int) -> None:
        """Let go of what is hot neither here nor in the fleet; it stays near like any other value."""
        for key, held in self._held.copy().items():
            if key not in local and held.fleet_until_ns <= now_ns:
                self._held.pop(key, None)
                self._signs.cooled(key)

    def news(self) -> dict[str, Seen]:
        """What this process saw itself and has not reported."""
        news = {key: held for key, held in self._held.copy().items() if held.unreported}
        for held in news.values():
            held.unreported = False
        return {key: held.seen for key, held in news.items()}

    def _adopt(self, key: str, now_ns: int) -> Held:
        """Begin with what lies near, if anything does; how it is below by now is for somebody to see soon."""
        entry = self._near.entry(key) if self._near is not None else None
        if entry is None or not entry.fresh:
            return Held()
        seen = Seen(entry.version, digest_of(entry.value), 1, (self._clock.wall_ns() - entry.age.ns) // _MS)
        return Held.lying(seen, now_ns, self._hold.ns, self._turn)

    def _ask(self, key: str, held: Held, now_ns: int) -> None:
        held.ask_again(now_ns, self._hold.ns)
        if self._refresh is not None:
            self._signs.refreshed()
            self._refresh(key)

    def _follow(self, hot: HotKey, now_ns: int) -> None:
        held = self._held.get(hot.key)
        if held is None:
            held = self._held[hot.key] = self._adopt(hot.key, now_ns)
            self._signs.risen(hot.key, "fleet", hot.share)
        held.fleet_until_ns = now_ns + FLEET_KEEP.ns
        if hot.by == self._process:
            return
        told = held.weigh(hot.seen)
        if told is Told.SAME:
            self._extend(hot, held, now_ns)
        elif told is Told.NEWER:
            self._replace(hot, held, now_ns)
        elif told is Told.LACKING and now_ns >= held.due_ns:
            self._ask(hot.key, held, now_ns)

    def _extend(self, hot: HotKey, held: Held, now_ns: int) -> None:
        """What lies here was still so when another looked: it is as good as if we had looked."""
        wall_ns = self._clock.wall_ns()
        passed_ns = max(0, wall_ns - hot.seen.at_ms * _MS)
        if self._near is None or passed_ns >= self._hold.ns:
            return
        token = self._near.begin(hot.key)
        entry = self._near.entry(hot.key)
        if entry is None or entry.value is None or not entry.proven or digest_of(entry.value) != hot.seen.digest:
            return
        ttl = Duration(self._hold.ns - passed_ns)
        age = min(entry.age, Duration(max(0, wall_ns - hot.seen.true_ms * _MS)))
        if self._near.put(hot.key, entry.value, hot.seen.version, token=token, ttl=ttl, age=age):
            held.follow(hot.seen, now_ns - passed_ns, self._hold.ns, self._turn)
            self._signs.confirmed()

    def _replace(self, hot: HotKey, held: Held, now_ns: int) -> None:
        """Another found a newer value: ours goes, and the next reader fetches what is there now."""
        held.lose(hot.seen.version)
        held.ask_again(now_ns, self._hold.ns)
        if self._near is not None:
            self._near.invalidate(hot.key, hot.seen.version)
        self._signs.replaced()
