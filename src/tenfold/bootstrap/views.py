"""Who looks at a run: the terminal where it was asked for, and the console in the browser."""

import os
from contextlib import AsyncExitStack

from rich.console import Console as Terminal

from tenfold.bootstrap.call import Call
from tenfold.console import Console, Publisher
from tenfold.rehearse import Board, terminal_view

CONSOLE_TOKEN = "TENFOLD_CONSOLE_TOKEN"  # noqa: S105  # the name of the variable
"""Whoever signs in at the console may type it instead of following a link; a link works once."""


class Paper(Terminal):
    """A terminal whose reader may go away (`| head`): the run goes on unseen to its verdict."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


async def open_views(call: Call, board: Board, stack: AsyncExitStack) -> Console:
    """Both are shown the board until `stack` ends."""
    view = stack.enter_context(terminal_view(call.terminal))
    board.show_to(view.show)
    return await _open_console(call, board, stack)


async def _open_console(call: Call, board: Board, stack: AsyncExitStack) -> Console:
    """Links to sign in go to the terminal alone: whoever reads it may change things."""
    publisher = Publisher()
    console = Console(
        publisher,
        port=call.port,
        token=os.environ.get(CONSOLE_TOKEN, ""),
        on_link=lambda link: call.terminal.print(f"sign in   {link}", highlight=False, markup=False, soft_wrap=True),
    )
    board.progress.console = await console.open()
    stack.push_async_callback(console.close)
    board.show_to(publisher.publish)
    return console
