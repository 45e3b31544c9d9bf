"""Looks at the control node while anybody has a page open, and tells the pages that something is different.

A page that is told fetches itself again: what it shows is drawn in one place, the template, with JavaScript or without.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import Any

from tenfold.console.events import HEARTBEAT_S, RETRY_MS
from tenfold.console.switchboard.desk import Desk
from tenfold.console.switchboard.picture import Card, Picture, look
from tenfold.kernel import Duration, TenfoldError
from tenfold.respond.switchboard import SwitchUnknown
from tenfold.telemetry import Registry

LOOK_EVERY_S = 1.0
SOON_S = 0.1
"""After a change, while processes are still taking it up."""
FRESH = Duration.from_ms(100)
"""So old a picture may be that several pages share."""
VIEWERS_MAX = 200


class Watch:
    """The newest picture, shared by all pages of one event loop."""

    def __init__(self, desk: Desk, registry: Registry | None = None) -> None:
        self.newest: Picture | None = None
        self.number = 0
        self.closed = False
        self._problem = ""
        self._looked_ns: int | None = None
        self._round = 0
        self._desk = desk
        self._viewers: dict[asyncio.Event, asyncio.Task[Any] | None] = {}
        self._looking: asyncio.Task[Picture] | None = None
        self._task: asyncio.Task[None] | None = None
        viewers = (registry or Registry()).gauge(
            "tenfold_console_switch_viewers", "Pages that follow the switches now."
        )
        viewers.child().ask(lambda: float(len(self._viewers)))

    @property
    def full(self) -> bool:
        return len(self._viewers) >= VIEWERS_MAX

    async def picture(self) -> Picture:
        """As things are now. Raises what the desk raises."""
        if self.newest is not None and self._is_fresh():
            return self.newest
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="switchboard-look")
            self._looking.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._looking)

    async def card(self, name: str) -> Card:
        """One switch as things are now. Raises SwitchUnknown, and what the desk raises."""
        picture = await self.picture()
        card = next((card for card in picture.cards if card.view.name == name), None)
        if card is None:
            raise SwitchUnknown(f"There is no switch '{name}': nobody has declared or set it.")
        return card

    def expire(self) -> None:
        """Something was changed from here: no look that was begun before shows it."""
        self._looked_ns, self._looking = None, None
        self._round += 1

    async def stream(self, serving: "asyncio.Task[Any] | None" = None) -> AsyncIterator[bytes]:
        """What one page is sent: `changed` when it should fetch itself again, `alive` in between, `closed` at last."""
        news, number = asyncio.Event(), self.number
        self._viewers[news] = serving
        self._begin()
        try:
            yield b"retry: %d\n\nevent: changed\ndata: %d\n\n" % (RETRY_MS, number)
            while not self.closed:
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), HEARTBEAT_S)
                news.clear()
                word = b"alive" if number == self.number else b"changed"
                number = self.number
                yield b"event: %s\ndata: %d\n\n" % (word, number)
            yield b"event: closed\ndata: {}\n\n"
        finally:
            self._viewers.pop(news, None)

    async def close(self, *, patience_s: float) -> None:
        """Say farewell, leave behind who does not take it, and look no more."""
        self.closed = True
        self._tell()
        waited_s = 0.0
        while self._viewers and waited_s < patience_s:
            await asyncio.sleep(0.01)
            waited_s += 0.01
        for serving in self._viewers.values():
            if serving is not None:
                serving.cancel()
        for task in (self._task, self._looking):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._follow(), name="switchboard-watch")

    def _is_fresh(self) -> bool:
        return self._looked_ns is not None and self._desk.clock.monotonic_ns() - self._looked_ns < FRESH.ns

    async def _follow(self) -> None:
        """While anybody looks on."""
        while self._viewers and not self.closed:
            try:
                settled = not (await self.picture()).behind
            except TenfoldError as error:
                settled = True
                self._note_problem(str(error))
            await asyncio.sleep(LOOK_EVERY_S if settled else SOON_S)

    async def _look(self) -> Picture:
        began_ns, this_round = self._desk.clock.monotonic_ns(), self._round
        picture = await self._desk.ask(partial(look, now_ns=self._desk.clock.wall_ns()))
        if this_round == self._round:
            self._take(picture, began_ns)
        return picture

    def _take(self, picture: Picture, looked_ns: int) -> None:
        different = self._problem or not picture.same_as(self.newest)
        self.newest, self._looked_ns, self._problem = picture, looked_ns, ""
        if different:
            self.number += 1
            self._tell()

    def _note_problem(self, problem: str) -> None:
        self._looked_ns = None
        if problem != self._problem:
            self._problem = problem
            self.number += 1
            self._tell()

    def _tell(self) -> None:
        for news in self._viewers:
            news.set()
