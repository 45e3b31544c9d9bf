"""The driver's journal: what the system told its customers, one JSON line an answer, so that it can be held to it.

`{"journey": "order", "key": "…", "status": 201, "answer": {…}}`. Only answers that arrived are in it. `answer` is what
the system said, as JSON; text that is none stands as a string.
"""

from pathlib import Path

import msgspec

from tenfold.kernel import TenfoldError
from tenfold.rehearse.load.request import Request
from tenfold.rehearse.load.response import Response

_BUFFER_BYTES = 64 * 1024


class JournalFailed(TenfoldError):
    """The journal cannot be written; without it the audit would hold the system to less than it said."""


class Journal:
    """Appended to through a buffer; on disk after `flush`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("ab", buffering=_BUFFER_BYTES)
        except OSError as cause:
            raise self._failed(cause) from cause

    def write(self, request: Request, response: Response, answer: object) -> None:
        """One answer; `answer` is its body, decoded. Raises JournalFailed."""
        entry = {
            "journey": request.script.name,
            "key": request.key.decode(),
            "status": response.status,
            "answer": answer,
        }
        try:
            self._file.write(msgspec.json.encode(entry) + b"\n")
        except OSError as cause:
            raise self._failed(cause) from cause

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError as cause:
            raise self._failed(cause) from cause

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as cause:
            raise self._failed(cause) from cause

    def _failed(self, cause: OSError) -> JournalFailed:
        return JournalFailed(f"The journal of answers cannot be written at {self._path}: {cause.strerror or cause}.")
