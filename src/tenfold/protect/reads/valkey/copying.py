"""From one cluster to another: what was just filled, and what is read most."""

import asyncio
from collections.abc import Sequence

from tenfold.engines.valkey.cluster import ValkeyCluster
from tenfold.kernel import TenfoldError
from tenfold.protect.reads.drain import Drain
from tenfold.protect.reads.valkey.rung import Write, as_new
from tenfold.telemetry import Registry

BATCH_MAX = 256
WAITING_MAX = 4_096
GATHER_S = 0.005


class WriteBehind:
    """Writes to `target` what was filled elsewhere, in the background: newest wins, bounded, dropped when it cannot.

    It gathers for `GATHER_S`, so that many go together, and the ladder's own fill of the target can come first.
    """

    def __init__(self, target: ValkeyCluster, *, registry: Registry, waiting_max: int = WAITING_MAX) -> None:
        self._target = target
        self._drain: Drain[Write] = Drain(self._write, batch_max=BATCH_MAX, waiting_max=waiting_max, gather_s=GATHER_S)
        label = ("cluster",)
        done = registry.counter("tenfold_mirrored_total", "Values written to the passive cluster too.", label)
        dropped = registry.counter("tenfold_mirrored_dropped_total", "Values not written there.", label)
        self._done, self._dropped = done.child(target.name), dropped.child(target.name)

    def offer(self, write: Write) -> None:
        if not self._target.health.primary or not self._drain.offer(write.key, write._replace(late=True)):
            self._dropped.inc()

    def forget(self, key: str) -> None:
        """Another rung writes it there."""
        self._drain.forget(key)

    async def close(self) -> None:
        self._dropped.inc(await self._drain.close())

    async def _write(self, batch: dict[str, Write]) -> None:
        try:
            await self._target.set_many(list(batch.values()))
        except TenfoldError:
            self._dropped.inc(len(batch))
        else:
            self._done.inc(len(batch))


async def copy_recent(source: ValkeyCluster, target: ValkeyCluster, keys: Sequence[str]) -> tuple[float | None, int]:
    """Give `target` what it lacks, or has older, of what `source` holds of `keys`, to live as long as it does there.

    Answers how warm the target was before: of the reads that the source can answer, the share that the target could
    answer as well (None when there was none); and how many values were copied. Raises what the clusters raise.
    """
    lasting, held = await asyncio.gather(source.get_lasting(keys), target.get_many(keys))
    answerable = warm = 0
    lacking: dict[str, Write] = {}
    for key, there, here in zip(keys, lasting, held, strict=True):
        if there is None or there.ttl_ms <= 0:
            continue
        answerable += 1
        if as_new(here, there.packed):
            warm += 1
        else:
            lacking[key] = Write(key, there.packed, there.ttl_ms, late=True)
    if lacking:
        await target.set_many(list(lacking.values()))
    return (warm / answerable if answerable else None), len(lacking)
