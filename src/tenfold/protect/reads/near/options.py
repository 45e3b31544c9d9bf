"""What a near cache is told beyond its ttl and its bytes, by those who know why."""

from dataclasses import dataclass

from tenfold.kernel import Duration
from tenfold.protect.reads.near.early import EarlyRefresh
from tenfold.protect.reads.near.policy import AdmissionPolicy
from tenfold.protect.reads.near.tombstones import Tombstones

ABSENT_TTL = Duration.from_s(1)
REFRESH_LEASE = Duration.from_s(1)


@dataclass(frozen=True, slots=True)
class NearBounds:
    """`entries_max` beside the cache's `bytes_max`; `absent_ratio` of both is for keys that lead to nothing."""

    entries_max: int = 100_000
    absent_ratio: float = 0.1


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Each is shortened by chance, by up to `jitter_ratio`, so that what came together does not expire together.

    That there is nothing is believed for `absent_ttl`. A refresh that has not come after `refresh_lease` is asked of
    another reader.
    """

    jitter_ratio: float = 0.1
    absent_ttl: Duration = ABSENT_TTL
    refresh_lease: Duration = REFRESH_LEASE


@dataclass(frozen=True, slots=True)
class NearParts:
    """What a cache is made of, where it is not its own: by `policy` entries are admitted and evicted, `early` draws who
    refreshes before expiry, `tombstones` refuse slow fills. Of `sample_every` hits one is told to `sampled`, until that
    says otherwise. `seed` is that of every draw.
    """

    policy: AdmissionPolicy | None = None
    early: EarlyRefresh | None = None
    tombstones: Tombstones | None = None
    sample_every: int = 64
    seed: int = 0


BOUNDS, LIFETIMES, PARTS = NearBounds(), Lifetimes(), NearParts()
