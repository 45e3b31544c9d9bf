"""The newest observation of each hot key, as the control node keeps them between the processes."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tenfold.protect.reads.hot.messages import Seen


@dataclass(slots=True)
class Observation:
    """What `by` saw, when the node heard of it, and whether the fleet has been told."""

    seen: Seen
    by: str
    at_ns: int
    is_news: bool = True
    is_urgent: bool = False


class Observations:
    """By key, at most `keys_max`, the one that was heard of first leaving first.

    An older version never takes the place of a newer one, unless nothing has been heard of the key for `forget_ns`:
    where versions began anew, as after a restore, they are believed again then.
    """

    def __init__(self, *, keys_max: int, forget_ns: int) -> None:
        self._keys_max = keys_max
        self._forget_ns = forget_ns
        self._newest: dict[str, Observation] = {}

    def took(self, key: str, seen: Seen, by: str, now_ns: int) -> None:
        last = self._newest.get(key)
        if last is not None and (seen.version, seen.at_ms) <= (last.seen.version, last.seen.at_ms):
            return
        if last is None and len(self._newest) >= self._keys_max:
            del self._newest[next(iter(self._newest))]
        is_urgent = last is not None and (last.is_urgent or last.seen.digest != seen.digest)
        self._newest[key] = Observation(seen, by, now_ns, is_urgent=is_urgent)

    def get(self, key: str) -> Observation | None:
        return self._newest.get(key)

    def forget(self, now_ns: int) -> None:
        for key in [key for key, observation in self._newest.items() if now_ns - observation.at_ns >= self._forget_ns]:
            del self._newest[key]

    def news(self, keys: Collection[str]) -> Iterator[Observation]:
        """Those of `keys` that the fleet has not been told."""
        return (
            observation for key in keys if (observation := self._newest.get(key)) is not None and observation.is_news
        )

    def told(self, keys: Collection[str]) -> None:
        for observation in self.news(keys):
            observation.is_news = observation.is_urgent = False
