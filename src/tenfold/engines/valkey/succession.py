"""Who of several servers is the primary, and whether its data are still the same history.

A history has an id, `master_replid`. Replicas carry their primary's; one that is promoted takes a new id and keeps the
old one as `master_replid2` (https://valkey.io/topics/replication/). A primary that restarts has a new id and no second
one: whatever it holds, it is not what was there before.
"""

from collections.abc import Mapping
from typing import NamedTuple


class RoleReport(NamedTuple):
    """What a server says of itself, by ROLE and INFO replication."""

    primary: bool
    replid: str
    replid2: str = ""
    offset: int = 0
    syncing: bool = False
    """It is taking over another server's data and answers from none or from half of them."""

    def descends_from(self, history: str) -> bool:
        return bool(history) and history in (self.replid, self.replid2)


Reports = Mapping[str, RoleReport]


class Standing(NamedTuple):
    """The server to write to, and those that may be read. `renewed`: the history known before is gone with its data."""

    primary: str | None = None
    readable: frozenset[str] = frozenset()
    renewed: bool = False


class Health(NamedTuple):
    """`readable`: a server answers reads; `primary`: a primary of a known history is confirmed.

    `renewals`: how often the history, and with it the data, has been found to be a new one.
    """

    readable: bool
    primary: bool
    renewals: int = 0


class Succession:
    """Judges what servers say against the history that it knows.

    A primary of that history is the primary; a promoted replica goes before the primary that it came from. A primary
    of another history is a stranger, neither read nor written, and is taken only when nobody of the known history is
    left: everybody has answered, or `patience` looks in a row were without one. Its data are new then, and cold.
    """

    def __init__(self, patience: int = 3) -> None:
        self.history = ""
        self.standing = Standing()
        self._patience = patience
        self._without_kin = 0

    def judge(self, answers: Mapping[str, RoleReport | None]) -> Standing:
        """What the servers' words come to, by name; None for a server that did not answer."""
        heard = {name: report for name, report in answers.items() if report is not None}
        kin = _kin(heard, self.history)
        self._without_kin = 0 if kin else self._without_kin + 1
        renewed = False
        silent = len(heard) < len(answers)  # and may hold the known history
        if heard and not kin and (not self.history or not silent or self._without_kin >= self._patience):
            renewed = bool(self.history)
            self.history = _founder(heard)
            kin = _kin(heard, self.history)
        primary = self._heir(kin)
        if primary is not None and kin[primary].replid != self.history:
            self.history = kin[primary].replid
            kin = {name: report for name, report in kin.items() if report.descends_from(self.history)}
        readable = frozenset(name for name, report in kin.items() if not report.syncing)
        self.standing = Standing(primary, readable, renewed)
        return self.standing

    def _heir(self, kin: Reports) -> str | None:
        """The promoted before the one it came from, then the one that has written most."""
        claims = [
            (report.replid != self.history, report.offset, name)
            for name, report in kin.items()
            if report.primary and not report.syncing
        ]
        return max(claims)[2] if claims else None


def _kin(heard: Reports, history: str) -> dict[str, RoleReport]:
    return {name: report for name, report in heard.items() if report.descends_from(history)}


def _founder(heard: Reports) -> str:
    """The history to begin with: a primary's before a replica's, the one with most followers, then the longest."""

    def weight(report: RoleReport) -> tuple[bool, int, int]:
        followers = sum(other.replid == report.replid for other in heard.values())
        return report.primary, followers, report.offset

    return max(heard.values(), key=weight).replid
