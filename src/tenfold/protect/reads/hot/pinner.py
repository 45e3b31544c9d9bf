"""Keeps hot values in one process's near cache: when they are read anew, and what another's observation does here."""

from collections.abc import Callable, Collection, Sequence

from tenfold.kernel import Clock, Duration
from tenfold.protect.reads.hot.messages import HotKey, Seen
from tenfold.protect.reads.hot.metrics import HotMetrics
from tenfold.protect.reads.hot.pinned_key import ObservationEffect, PinnedKey, digest_of
from tenfold.protect.reads.near import NearCache

FLEET_KEEP = Duration.from_s(5)
"""A fleet's word is good for this long without another one: the control node may be dead."""
_MS = 1_000_000

Refresh = Callable[[str], object]


class HotPinner:
    """The hot keys of one process, and what is known of the value of each.

    `process` names this process in the fleet; `turn` (0..1) is its place among those who step in when nobody reads.
    """

    def __init__(self, process: str, *, hold: Duration, turn: float, clock: Clock, metrics: HotMetrics) -> None:
        self._process = process
        self._hold = hold
        self._turn = turn
        self._clock = clock
        self._metrics = metrics
        self._pinned: dict[str, PinnedKey] = {}
        self._near: NearCache | None = None
        self._refresh: Refresh | None = None

    def attach(self, near: NearCache | None, refresh: Refresh | None) -> None:
        self._near, self._refresh = near, refresh

    def __contains__(self, key: str) -> bool:
        return key in self._pinned

    def __len__(self) -> int:
        return len(self._pinned)

    def keys(self) -> list[str]:
        """In order."""
        return sorted(self._pinned.copy())

    def rise(self, key: str, share: float, now_ns: int) -> None:
        """Hot in this process: what lies near is pinned from now on, what does not is on its way up the ladder."""
        if key not in self._pinned:
            self._pinned[key] = self._adopt(key, now_ns)
            self._metrics.risen(key, "process", share)

    def ask_if_due(self, key: str, now_ns: int) -> None:
        """A reader came: if the key is hot and due, have it read anew."""
        pinned = self._pinned.get(key)
        if pinned is not None and now_ns >= pinned.due_ns:
            self._ask(key, pinned, now_ns)

    def found(self, key: str, value: bytes | None, version: int, age: Duration, now_ns: int) -> bool:
        """This process read `key` from below; answers whether it is to be pinned."""
        pinned = self._pinned.get(key)
        if pinned is None:
            return False
        wall_ns = self._clock.wall_ns()
        pinned.saw(Seen(version, digest_of(value), wall_ns // _MS, (wall_ns - age.ns) // _MS), now_ns, self._hold.ns)
        return True

    def follow(self, keys: Sequence[HotKey], now_ns: int) -> None:
        """These are hot in the fleet, and no others."""
        named = {hot.key for hot in keys}
        for key, pinned in self._pinned.copy().items():
            if key not in named:
                pinned.fleet_until_ns = 0
        for hot in keys:
            self._follow(hot, now_ns)

    def cool(self, local: Collection[str], now_ns: int) -> None:
        """Let go of what is hot neither here nor in the fleet; it stays near like any other value."""
        for key, pinned in self._pinned.copy().items():
            if key not in local and pinned.fleet_until_ns <= now_ns:
                self._pinned.pop(key, None)
                self._metrics.cooled(key)

    def news(self) -> dict[str, Seen]:
        """What this process saw itself and has not reported."""
        news = {key: pinned for key, pinned in self._pinned.copy().items() if pinned.unreported}
        for pinned in news.values():
            pinned.unreported = False
        return {key: pinned.seen for key, pinned in news.items()}

    def _adopt(self, key: str, now_ns: int) -> PinnedKey:
        """Begin with what lies near, if anything does; how it is below by now is for somebody to see soon."""
        entry = self._near.entry(key) if self._near is not None else None
        if entry is None or not entry.fresh:
            return PinnedKey()
        seen = Seen(entry.version, digest_of(entry.value), 1, (self._clock.wall_ns() - entry.age.ns) // _MS)
        return PinnedKey.lying(seen, now_ns, self._hold.ns, self._turn)

    def _ask(self, key: str, pinned: PinnedKey, now_ns: int) -> None:
        pinned.ask_again(now_ns, self._hold.ns)
        if self._refresh is not None:
            self._metrics.refreshed()
            self._refresh(key)

    def _follow(self, hot: HotKey, now_ns: int) -> None:
        pinned = self._pinned.get(hot.key)
        if pinned is None:
            pinned = self._pinned[hot.key] = self._adopt(hot.key, now_ns)
            self._metrics.risen(hot.key, "fleet", hot.share)
        pinned.fleet_until_ns = now_ns + FLEET_KEEP.ns
        if hot.by == self._process:
            return
        effect = pinned.weigh(hot.seen)
        if effect is ObservationEffect.SAME:
            self._extend(hot, pinned, now_ns)
        elif effect is ObservationEffect.NEWER:
            self._replace(hot, pinned, now_ns)
        elif effect is ObservationEffect.LACKING and now_ns >= pinned.due_ns:
            self._ask(hot.key, pinned, now_ns)

    def _extend(self, hot: HotKey, pinned: PinnedKey, now_ns: int) -> None:
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
            pinned.follow(hot.seen, now_ns - passed_ns, self._hold.ns, self._turn)
            self._metrics.confirmed()

    def _replace(self, hot: HotKey, pinned: PinnedKey, now_ns: int) -> None:
        """Another found a newer value: ours goes, and the next reader fetches what is there now."""
        pinned.lose(hot.seen.version)
        pinned.ask_again(now_ns, self._hold.ns)
        if self._near is not None:
            self._near.invalidate(hot.key, hot.seen.version)
        self._metrics.replaced()
