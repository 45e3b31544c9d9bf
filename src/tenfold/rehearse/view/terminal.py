"""What the terminal shows of a run: a live view where there is a screen, plain lines where there is none."""

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live

from tenfold.rehearse.view.lines import changes
from tenfold.rehearse.view.progress import RunProgress
from tenfold.rehearse.view.screen import clock, draw, draw_verdict


class View(Protocol):
    """Whatever shows a run while it happens. Use it as a context manager; `show` is cheap and never raises."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def show(self, progress: RunProgress) -> None: ...


def terminal_view(console: Console) -> View:
    """The view that suits `console`: drawn in place on a terminal, one line a change anywhere else."""
    return ScreenView(console) if console.is_terminal and not console.is_dumb_terminal else LineView(console)


class ScreenView:
    """The run drawn in place; when it is over the verdict stays on the screen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._latest: RunProgress | None = None
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        if self._latest is not None and self._latest.verdict:
            self._console.print(draw_verdict(self._latest))

    def show(self, progress: RunProgress) -> None:
        self._latest = progress
        size = self._console.size
        self._live.update(draw(progress, width=size.width, height=size.height), refresh=True)


class LineView:
    """The run as lines for a log: one at each change of phase, step, drill, server or invariant, no control codes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: dict[str, str] = {}
        self._latest: RunProgress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._latest is not None and self._latest.verdict:
            self._console.print(draw_verdict(self._latest))

    def show(self, progress: RunProgress) -> None:
        self._latest = progress
        for key, state, line in changes(progress):
            if self._said.get(key) != state:
                self._said[key] = state
                self._console.out(f"{clock(progress.elapsed_s):>5}  {line}", highlight=False)
