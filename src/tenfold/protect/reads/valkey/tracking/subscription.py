"""One prefix and the target that remembers what it begins: proven or in doubt, and since when."""

from typing import Any, Protocol

from tenfold.protect.reads.valkey.tracking.gap import Gap, TrackingPace
from tenfold.protect.reads.valkey.tracking.notice import Notice, prefix_of, read_key, read_notice
from tenfold.telemetry import Registry

LABELS = ("tracking", "prefix")


class TrackingTarget(Protocol):
    """Told by one reader at a time, in the reader's thread; must be quick, must not raise. `NearCache` is one.

    After `prove` it may answer as fresh what it *began to load* since then, and nothing older: what it had before, or
    was loading, may have missed an invalidation.
    """

    def invalidate(self, key: str, version: int = 0) -> None:
        """`key` has changed; what is as new as `version` is right. Version 0: whatever is there is wrong."""
        ...

    def doubt(self) -> None:
        """From now on invalidations may be missed: nothing may be answered as fresh."""
        ...

    def prove(self) -> None:
        """From now on every invalidation is heard."""
        ...


class Subscription:
    """Begins in doubt. Proven when the stream has been whole for `settle` and, if beats are wanted, one has come.

    `keys`: the values' own keys are followed, not notices about them. What `doubt`, `answered` and `check` answer is
    the evidence of a change, or None.
    """

    def __init__(
        self, tracking: str, prefix: str, target: TrackingTarget, *, keys: bool, pace: TrackingPace, registry: Registry
    ) -> None:
        self.prefix = prefix
        self.heard_prefix = (prefix if keys else prefix_of(prefix)).encode()
        self._target = target
        self._keys = keys
        self._settle_ns = pace.settle.ns
        self._beat_max_ns = pace.beat_max.ns if pace.beat_max else 0
        self._gap: Gap | None = Gap.ENDED
        self._since_ns = 0
        self._whole_since_ns: int | None = None
        self._beaten_ns: int | None = None
        self._declare(registry, tracking)

    def _declare(self, registry: Registry, tracking: str) -> None:
        told = registry.counter("tenfold_tracking_invalidations_total", "Invalidations heard.", LABELS)
        proven = registry.gauge("tenfold_tracking_proven", "1 while every invalidation is heard.", LABELS)
        self._gaps = registry.counter(
            "tenfold_tracking_gaps_total", "Times that invalidations may have been missed.", (*LABELS, "gap")
        )
        self._names = (tracking, self.prefix)
        self._told = told.child(*self._names)
        proven.child(*self._names).ask(lambda: float(self.proven))

    @property
    def proven(self) -> bool:
        return self._gap is None

    def open(self, now_ns: int) -> None:
        """Whatever the target thought of itself, it is in doubt."""
        self._since_ns = now_ns
        self._target.doubt()

    def tell(self, name: bytes, now_ns: int) -> None:
        """A name that begins with `heard_prefix`. Raises NoticeInvalid."""
        rest = name[len(self.heard_prefix) :]
        key, version = Notice(read_key(rest), 0) if self._keys else read_notice(rest)
        if key or self._keys:
            self._told.value += 1
            self._target.invalidate(key, version)
        else:
            self._beaten_ns = now_ns

    def answered(self, now_ns: int) -> dict[str, Any] | None:
        """The stream was whole until now."""
        if self._gap is None:
            return None
        if self._whole_since_ns is None:
            self._whole_since_ns = now_ns
        if now_ns - self._whole_since_ns < self._settle_ns or not self._beats(now_ns):
            return None
        evidence = {"after": str(self._gap), "unproven_ms": (now_ns - self._since_ns) / 1e6}
        self._gap, self._since_ns = None, now_ns
        self._target.prove()
        return evidence

    def check(self, now_ns: int) -> dict[str, Any] | None:
        """Doubt when the announcer is not heard any more."""
        return self.doubt(Gap.UNANNOUNCED, "", now_ns) if self._gap is None and not self._beats(now_ns) else None

    def unannounced(self, since_ns: int, now_ns: int) -> bool:
        """Whether beats are wanted and none has come for too long, on a connection that stands since `since_ns`."""
        last_ns = max(since_ns, self._beaten_ns or 0)
        return self._beat_max_ns > 0 and now_ns - last_ns > self._beat_max_ns

    def doubt(self, gap: Gap, detail: str, now_ns: int) -> dict[str, Any] | None:
        """From now on it must prove itself anew."""
        self._whole_since_ns = self._beaten_ns = None
        if self._gap is not None:
            return None
        evidence = {"gap": str(gap), "detail": detail, "proven_ms": (now_ns - self._since_ns) / 1e6}
        self._gap, self._since_ns = gap, now_ns
        self._target.doubt()
        self._gaps.child(*self._names, str(gap)).inc()
        return evidence

    def forget(self, now_ns: int) -> None:
        """In the child of a fork, where nobody listens yet: in doubt, and not a lock is taken that is not its own."""
        self._whole_since_ns = self._beaten_ns = None
        self._gap, self._since_ns = Gap.FORKED, now_ns
        self._target.doubt()

    def _beats(self, now_ns: int) -> bool:
        if not self._beat_max_ns:
            return True
        return self._beaten_ns is not None and now_ns - self._beaten_ns <= self._beat_max_ns
