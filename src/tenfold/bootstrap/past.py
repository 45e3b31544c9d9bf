"""Past runs in a browser until a signal: no server of a plan is started."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from tenfold.bootstrap.ending import to_the_end
from tenfold.console import ReportReader
from tenfold.kernel import Interrupted, run_until_signal


def serve_reports(folder: Path, *, port: int, on_open: Callable[[str], object]) -> int:
    """Show the runs below `folder` until a signal; `on_open` is told the address; answers 0.

    Raises PortTakenError, ServerUnreachableError."""
    with contextlib.suppress(Interrupted):
        run_until_signal(_serve(ReportReader(folder, port=port), on_open))
    return 0


async def _serve(reader: ReportReader, on_open: Callable[[str], object]) -> None:
    try:
        on_open(await reader.open())
        await asyncio.Event().wait()
    finally:
        await to_the_end(reader.close())
