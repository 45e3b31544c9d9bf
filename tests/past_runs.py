"""A folder of reports as runs leave it."""

from pathlib import Path

import msgspec

from tenfold.rehearse.verdict import Verdict
from tenfold.rehearse.view.report import encode_verdict

OLDER, NEWER = "20261121T180115.042Z-7f3a", "20261122T180115.042Z-81bc"


def leave_run(reports: Path, run_id: str, verdict: Verdict, page: str = "<p>page</p>") -> Path:
    """What `write_report` leaves, under that id."""
    folder = reports / run_id
    folder.mkdir(parents=True)
    (folder / "verdict.json").write_bytes(encode_verdict(msgspec.structs.replace(verdict, run_id=run_id)))
    (folder / "index.html").write_text(page)
    return folder
