"""One batch of keys, compared twice: the first difference is a suspicion, and only one that lasts is a verdict.

    sampled                       settled: everything that was under way then has arrived
       │ cache read, database read      │ the suspects read again
       ├────────────────────────────────┤
       equal ─► right                   equal ─► right            gone from the cache ─► no evidence
       else  ─► suspect                 both as before ─► WRONG   one has changed ─► suspect again, `tries_max` times

Versions are not asked: an entry that is wrong may carry any.
"""

from collections.abc import Mapping
from typing import NamedTuple

from tenfold.protect.reads.found import Found

TRIES_MAX = 3


class Wrong(NamedTuple):
    """A key whose cached value is not the database's; `stored` None: the database has nothing."""

    key: str
    cached: Found
    stored: Found | None


class _Suspect(NamedTuple):
    pair: Wrong
    tries: int


class BatchComparison:
    """What became of the keys of one batch. `read_ns`: the moment by which both places had been read.

    `absent` keys were not in the cache, so that nothing wrong could be read there.
    """

    def __init__(
        self, cached: Mapping[str, Found], stored: Mapping[str, Found], read_ns: int, *, absent: int = 0
    ) -> None:
        self.read_ns = read_ns
        self.absent = absent
        self.right = 0
        self.wrong: list[Wrong] = []
        self.unclear = 0
        self._suspects: list[_Suspect] = []
        for key, found in cached.items():
            pair = Wrong(key, found, stored.get(key))
            if _agree(pair):
                self.right += 1
            else:
                self._suspects.append(_Suspect(pair, 1))

    @property
    def suspects(self) -> list[str]:
        """The keys to be read again; none when the batch is settled."""
        return [suspect.pair.key for suspect in self._suspects]

    def look_again(self, cached: Mapping[str, Found], stored: Mapping[str, Found], read_ns: int) -> None:
        """Judge every suspect by what lies in both places now."""
        before, self._suspects, self.read_ns = self._suspects, [], read_ns
        for suspect in before:
            found = cached.get(suspect.pair.key)
            if found is None:
                self.unclear += 1
            else:
                self._judge(suspect, Wrong(suspect.pair.key, found, stored.get(suspect.pair.key)))

    def _judge(self, suspect: _Suspect, pair: Wrong) -> None:
        if _agree(pair):
            self.right += 1
        elif _value(pair.stored) == _value(suspect.pair.stored) and pair.cached.value == suspect.pair.cached.value:
            self.wrong.append(pair)
        elif suspect.tries < TRIES_MAX:
            self._suspects.append(_Suspect(pair, suspect.tries + 1))
        else:
            self.unclear += 1


def _agree(pair: Wrong) -> bool:
    return _value(pair.stored) == pair.cached.value


def _value(found: Found | None) -> bytes | None:
    return found.value if found is not None else None
