"""What the near cache holds and refuses to hold: values, absences and tombstones, bounded; time is an argument."""

import enum
from typing import NamedTuple

from tenfold.kernel import Duration
from tenfold.protect.reads.near.absent import Absence, Absences, size_of
from tenfold.protect.reads.near.entry import ENTRY_OVERHEAD_BYTES, Entry, Kept
from tenfold.protect.reads.near.options import NearBounds
from tenfold.protect.reads.near.policy import AdmissionPolicy
from tenfold.protect.reads.near.table import Table
from tenfold.protect.reads.near.tombstones import FillToken, Tombstones
from tenfold.telemetry import Counter

SIZE_STEP_BYTES = 32
"""What an entry is charged grows in such steps: a value that changes by a digit keeps its place."""


def charge_of(key: str, value: bytes) -> int:
    """What an entry counts for in `bytes_max`: the first 512 bytes of a value nearly twice, since small values of many
    sizes that come and go leave gaps in the allocator's memory that nothing fits."""
    size_bytes = size_of(key) + len(value) + min(len(value), 512) * 3 // 4
    return ENTRY_OVERHEAD_BYTES + size_bytes + -size_bytes % SIZE_STEP_BYTES


class FillRefusal(enum.StrEnum):
    """Why a fill was not kept."""

    INVALIDATED = "invalidated"
    OLDER = "older"


class Fill(NamedTuple):
    """What a load brought. After `quiet_ns` readers draw who refreshes; `value` None: there is nothing."""

    value: bytes | None
    version: int
    true_at_ns: int
    ttl_ns: int
    quiet_ns: int
    load_ns: int


class NearStore:
    """Entries by key; not safe from several threads but for reading `table.proven`.

    A value is answerable for `grace_ns` after its ttl, and usable when nobody else can answer for `usable_ns`.
    """

    def __init__(
        self,
        *,
        bytes_max: int,
        bounds: NearBounds,
        tombstones: Tombstones,
        policy: AdmissionPolicy,
        grace_ns: int,
        usable_ns: int,
        evictions: Counter,
    ) -> None:
        self.table = Table(policy)
        self.absences = Absences(
            entries_max=int(bounds.entries_max * bounds.absent_ratio), bytes_max=int(bytes_max * bounds.absent_ratio)
        )
        self.proven = True
        self._bytes_max, self._entries_max = bytes_max, bounds.entries_max
        self._tombstones = tombstones
        self._grace_ns, self._usable_ns = grace_ns, usable_ns
        self._evictions = evictions

    @property
    def held_bytes(self) -> int:
        return self.table.held_bytes + self.absences.held_bytes

    def __len__(self) -> int:
        return len(self.table) + len(self.absences)

    def entry(self, key: str, now_ns: int) -> Entry | None:
        """What is known of `key`: the proven before the absent before what is in doubt."""
        kept = self.table.proven.get(key)
        if kept is not None:
            return self._entry_of(kept, now_ns, proven=True)
        absence = self.absences.get(key, now_ns)
        if absence is not None:
            return Entry(None, Duration(now_ns - absence.true_at_ns), True, absence.version, answerable=True)
        kept = self.table.unproven.get(key)
        return self._entry_of(kept, now_ns, proven=False) if kept is not None else None

    def put(self, key: str, fill: Fill, token: FillToken | None, now_ns: int) -> FillRefusal | None:
        """Keep what a load brought, or say why not."""
        kept = self.table.find(key)
        if self._tombstones.refuses(key, fill.version, token, now_ns):
            return FillRefusal.INVALIDATED
        if fill.version and self._version(key, kept, now_ns) > fill.version:
            return FillRefusal.OLDER
        if fill.value is None:
            if kept is not None:
                self.table.lift(kept)
            if self.proven:
                self.absences.put(key, Absence(fill.version, fill.true_at_ns, now_ns + fill.ttl_ns))
        else:
            self.absences.drop(key)
            self._keep(key, fill.value, fill, kept, now_ns)
        self._make_room()
        return None

    def invalidate(self, key: str, version: int, now_ns: int) -> None:
        """Forget `key` unless what lies here is as new as `version`, and remember that it was invalidated."""
        self._tombstones.lay(key, version, now_ns)
        if not version or self._version(key, self.table.find(key), now_ns) < version:
            self.drop(key)

    def drop(self, key: str) -> None:
        self.absences.drop(key)
        kept = self.table.find(key)
        if kept is not None:
            self.table.lift(kept)

    def clear(self) -> None:
        self.table.clear()
        self.absences.clear()
        self._tombstones.lay_for_all()

    def doubt(self) -> None:
        self.proven = False
        self.table.doubt()
        self.absences.clear()
        self._tombstones.lay_for_all()

    def prove(self) -> None:
        """What was loaded while in doubt may still have missed an invalidation: only later loads are proven."""
        self.proven = True
        self._tombstones.lay_for_all()

    def _entry_of(self, kept: Kept, now_ns: int, *, proven: bool) -> Entry | None:
        if now_ns >= kept.fresh_until_ns + self._usable_ns:
            return None
        fresh = proven and now_ns < kept.fresh_until_ns
        answerable = proven and now_ns < kept.fresh_until_ns + self._grace_ns
        return Entry(kept.value, Duration(now_ns - kept.true_at_ns), fresh, kept.version, answerable, proven=proven)

    def _version(self, key: str, kept: Kept | None, now_ns: int) -> int:
        """The version of what lies here, if it can still be used; 0 when it is unknown."""
        if kept is not None:
            return kept.version if now_ns < kept.fresh_until_ns + self._usable_ns else 0
        absence = self.absences.get(key, now_ns)
        return absence.version if absence is not None else 0

    def _keep(self, key: str, value: bytes, fill: Fill, kept: Kept | None, now_ns: int) -> None:
        """A value that is here already is renewed in its place: the policy goes on with what it knows of it.

        Readers take no lock: they see the times of the new value only after the value itself.
        """
        size_bytes = charge_of(key, value)
        if kept is not None and (size_bytes != kept.size_bytes or size_bytes > self._bytes_max):
            self.table.lift(kept)
            kept = None
        if size_bytes > self._bytes_max:
            return
        renewed = kept or Kept(key, size_bytes)
        renewed.value, renewed.version = value, fill.version
        renewed.true_at_ns, renewed.load_ns = fill.true_at_ns, fill.load_ns
        renewed.fresh_until_ns = until_ns = now_ns + fill.ttl_ns
        renewed.quiet_until_ns = until_ns if fill.quiet_ns == fill.ttl_ns else now_ns + fill.quiet_ns
        if kept is None:
            self.table.lay(renewed, proven=self.proven)
        else:
            self.table.renew(kept, proven=self.proven)

    def _make_room(self) -> None:
        table, absences = self.table, self.absences
        while table and (self.held_bytes > self._bytes_max or len(table) + len(absences) > self._entries_max):
            table.evict()
            self._evictions.value += 1
