"""Looks at the control node while a page is open, and tells each page that something is different.

A page that is told fetches itself again: what it shows is drawn in one place, the template, with JavaScript or without.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import Any

from tenfold.console.switchboard.gateway import NodeGateway
from tenfold.console.switchboard.overview import Card, Overview, look
from tenfold.kernel import Duration, TenfoldError
from tenfold.respond.switchboard import SwitchUnknown
from tenfold.serving.events import CLOSED, HEARTBEAT_S, RETRY, Viewers, event
from tenfold.telemetry import Registry

LOOK_EVERY_S = 1.0
SOON_S = 0.1
"""After a change, while processes are still taking it up."""
FRESH = Duration.from_ms(100)
"""So old an overview may be that several pages share."""
VIEWERS_MAX, VIEWERS_KEPT = 200, 50
"""Of whoever opens the page; and more for people who are signed in."""


class Watch:
    """The newest overview, shared by all pages of one event loop."""

    def __init__(self, gateway: NodeGateway, registry: Registry | None = None) -> None:
        self.newest: Overview | None = None
        self.number = 0
        self.closed = False
        self._problem = ""
        self._looked_ns: int | None = None
        self._round = 0
        self._gateway = gateway
        gateway.on_commit = self.expire
        self._viewers = Viewers(VIEWERS_MAX, VIEWERS_KEPT)
        self._looking: asyncio.Task[Overview] | None = None
        self._task: asyncio.Task[None] | None = None
        viewers = (registry or Registry()).gauge(
            "tenfold_console_switch_viewers", "Pages that follow the switches now."
        )
        viewers.child().ask(lambda: float(len(self._viewers)))

    def full(self, *, signed_in: bool = False) -> bool:
        return self._viewers.full(signed_in=signed_in)

    async def overview(self) -> Overview:
        """As things are now. Raises what the gateway raises."""
        if self.newest is not None and self._is_fresh():
            return self.newest
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="switchboard-look")
            self._looking.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._looking)

    async def card(self, name: str) -> Card:
        """One switch as things are now. Raises SwitchUnknown, and what the gateway raises."""
        overview = await self.overview()
        card = next((card for card in overview.cards if card.view.name == name), None)
        if card is None:
            raise SwitchUnknown(f"There is no switch '{name}': nobody has declared or set it.")
        return card

    def expire(self) -> None:
        """Something was changed from here: no look that was begun before shows it."""
        self._looked_ns, self._looking = None, None
        self._round += 1

    async def stream(self, serving: "asyncio.Task[Any] | None" = None) -> AsyncIterator[bytes]:
        """What one page is sent: `changed` when it should fetch itself again, `alive` in between, `closed` at last."""
        number = self.number
        with self._viewers.join(serving) as news:
            self._begin()
            yield RETRY + event("changed", b"%d" % number)
            while not self.closed:
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), HEARTBEAT_S)
                news.clear()
                kind = "alive" if number == self.number else "changed"
                number = self.number
                yield event(kind, b"%d" % number)
            yield CLOSED

    async def close(self, *, patience_s: float) -> None:
        """Say farewell, leave behind each page that does not take it, and look no more."""
        self.closed = True
        await self._viewers.see_off(patience_s=patience_s)
        for task in (self._task, self._looking):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._follow(), name="switchboard-watch")

    def _is_fresh(self) -> bool:
        return self._looked_ns is not None and self._gateway.clock.monotonic_ns() - self._looked_ns < FRESH.ns

    async def _follow(self) -> None:
        """While a page is open."""
        while self._viewers and not self.closed:
            try:
                settled = not (await self.overview()).behind
            except TenfoldError as error:
                settled = True
                self._note_problem(str(error))
            await asyncio.sleep(LOOK_EVERY_S if settled else SOON_S)

    async def _look(self) -> Overview:
        began_ns, this_round = self._gateway.clock.monotonic_ns(), self._round
        overview = await self._gateway.ask(partial(look, now_ns=self._gateway.clock.wall_ns()))
        if this_round == self._round:
            self._take(overview, began_ns)
        return overview

    def _take(self, overview: Overview, looked_ns: int) -> None:
        different = self._problem or not overview.same_as(self.newest)
        self.newest, self._looked_ns, self._problem = overview, looked_ns, ""
        if different:
            self.number += 1
            self._viewers.wake()

    def _note_problem(self, problem: str) -> None:
        self._looked_ns = None
        if problem != self._problem:
            self._problem = problem
            self.number += 1
            self._viewers.wake()
