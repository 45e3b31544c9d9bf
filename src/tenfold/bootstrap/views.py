"""Who looks at a run: the terminal where it was asked for, and the console in the browser."""

import os
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console as Terminal

from tenfold.bootstrap.request import RunRequest
from tenfold.bootstrap.sign_in import SignInLine
from tenfold.console import Console, Publisher
from tenfold.rehearse import RunRecord, terminal_view

CONSOLE_TOKEN = "TENFOLD_CONSOLE_TOKEN"  # noqa: S105  # the name of the variable
"""Whoever signs in at the console may type it instead of following a link; a link works once."""


class Paper(Terminal):
    """A terminal whose reader may go away (`| head`): the run goes on unseen to its verdict."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


async def open_views(request: RunRequest, record: RunRecord, stack: AsyncExitStack) -> Console:
    """Both are shown the run's record until `stack` ends."""
    view = stack.enter_context(terminal_view(request.terminal))
    record.show_to(view.show)
    return await _open_console(request, record, stack)


async def _open_console(request: RunRequest, record: RunRecord, stack: AsyncExitStack) -> Console:
    """Links to sign in go to the terminal alone: whoever reads it may change things."""
    command = "tenfold rehearse" if request.rehearsing else "tenfold up"
    publisher = Publisher()
    console = Console(
        publisher,
        port=request.port,
        token=os.environ.get(CONSOLE_TOKEN, ""),
        reports=Path("reports"),
        on_link=SignInLine(request.terminal, command, asked=request.print_sign_in).write,
    )
    record.progress.console = await console.open()
    stack.push_async_callback(console.close)
    record.show_to(publisher.publish)
    return console
