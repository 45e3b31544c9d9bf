"""The verdicts that runs have left below `reports/`. Others wrote what lies there: it is read with bounds."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import msgspec

from tenfold.kernel import TenfoldError
from tenfold.rehearse.summary import VerdictSummary, summary_of
from tenfold.rehearse.verdict import StepVerdict, Verdict

LATEST = "latest"
RUNS_MAX = 1000
"""Of the newest; older ones are still found by their name."""
VERDICT_BYTES_MAX = 16 << 20
_ID_TIME = "%Y%m%dT%H%M%S.%fZ"


class RunUnknown(TenfoldError):
    """No past run, or more than one, goes by that name."""


class ArchiveUnreadable(TenfoldError):
    """The folder of reports cannot be listed."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run that left a verdict."""

    folder: Path
    verdict: Verdict

    @property
    def id(self) -> str:
        """The folder's name, which is the run's."""
        return self.folder.name

    @property
    def page(self) -> Path:
        return self.folder / "index.html"

    @property
    def summary(self) -> VerdictSummary:
        return summary_of(self.verdict)

    @property
    def top(self) -> StepVerdict | None:
        """The highest step that was sent."""
        return max(self.verdict.steps, key=lambda step: step.factor, default=None)

    def began(self, zone: tzinfo | None = None) -> str:
        """`2026-12-01 02:05 CET`, in this machine's zone when none is stated; the id itself when it tells no time."""
        try:
            moment = datetime.strptime(self.id.rpartition("-")[0], _ID_TIME).replace(tzinfo=UTC)
        except ValueError:
            return self.id
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


class RunArchive:
    """The runs below one folder of reports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unreadable = 0
        """Folders that the last look left out: a run that did not end, or a verdict that is none."""

    def runs(self, most: int = RUNS_MAX) -> list[PastRun]:
        """The newest first, of the newest `most` folders. Raises ArchiveUnreadable."""
        self.unreadable = 0
        return list(self._read(self._names()[:most]))

    def find(self, name: str) -> PastRun:
        """By its id, the beginning or the end of it, or `latest`. Raises RunUnknown, ArchiveUnreadable."""
        names = self._names()
        if name == LATEST:
            found = next(self._read(names), None)
            if found is None:
                raise self._unknown(name, "none has left a verdict")
            return found
        fitting = [one for one in names if one == name] or [
            one for one in names if name and (one.startswith(name) or one.endswith(name))
        ]
        if len(fitting) != 1:
            raise self._unknown(name, f"{len(fitting) or 'none'} of {len(names)} in {self.folder} fit that name")
        runs = list(self._read(fitting))
        if not runs:
            raise self._unknown(name, "it left no verdict that can be read")
        return runs[0]

    def _names(self) -> list[str]:
        """Of real folders: a link would count a run twice."""
        if not self.folder.exists():
            return []
        try:
            folders = [one for one in self.folder.iterdir() if one.is_dir() and not one.is_symlink()]
        except OSError as cause:
            raise ArchiveUnreadable(
                f"Past runs in {self.folder} cannot be listed: {cause.strerror}.",
                remedy="Say where they lie: --folder DIR.",
            ) from cause
        return sorted((one.name for one in folders), reverse=True)

    def _read(self, names: list[str]) -> Iterator[PastRun]:
        for name in names:
            verdict = _verdict_of(self.folder / name)
            if verdict is None:
                self.unreadable += 1
            else:
                yield PastRun(self.folder / name, verdict)

    def _unknown(self, name: str, why: str) -> RunUnknown:
        return RunUnknown(f"Past run '{name}' is not known: {why}.", remedy="`tenfold reports` lists them.")


def _verdict_of(folder: Path) -> Verdict | None:
    path = folder / "verdict.json"
    try:
        if path.stat().st_size > VERDICT_BYTES_MAX:
            return None
        return msgspec.json.decode(path.read_bytes(), type=Verdict)
    except (OSError, msgspec.DecodeError):
        return None
