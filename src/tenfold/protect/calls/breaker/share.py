"""What one process says of its breakers, and what it makes of the others' word. Each process decides for itself.

told: broken    CLOSED, and own calls were answered lately: the first own failure is enough; an own success ends that
                CLOSED, and nothing heard lately: believes it, OPEN
                OPEN, and others probe: waits for them, but not for ever; its turn to probe: the next call is a probe
told: back      OPEN: the next call is a probe, then the ramp; so nobody trusts it unseen
"""

import weakref
from collections.abc import Callable
from typing import Protocol

from tenfold.protect.calls.breaker.breaker import Breaker
from tenfold.protect.calls.breaker.messages import NAMES_MAX, BreakerReport, FleetWord
from tenfold.protect.calls.breaker.state import BreakerStanding, BreakerState


class Finder(Protocol):
    """Breakers, or whatever else knows them by name."""

    def find(self, name: str) -> Breaker | None: ...
    def listen(self, on_change: Callable[[Breaker], None]) -> None: ...


class Share:
    """One process's part. `process` answers its id, which is another after a fork; `send` must not block.

    A report that is lost is made good by the next: each says all.
    """

    def __init__(
        self, breakers: Finder, *, process: Callable[[], str], send: Callable[[BreakerReport], object]
    ) -> None:
        self._breakers = breakers
        self._process = process
        self._send = send
        self._unwell: dict[str, weakref.ref[Breaker]] = {}
        self._words: dict[str, FleetWord] = {}
        breakers.listen(self.changed)

    def changed(self, breaker: Breaker) -> None:
        """A breaker of this process stands otherwise than before."""
        if len(self._unwell) >= NAMES_MAX:
            self._standings()  # whose place is free by now
        if breaker.name in self._unwell or len(self._unwell) < NAMES_MAX:
            self._unwell[breaker.name] = weakref.ref(breaker)
        word = self._words.get(breaker.name)
        if word is not None and breaker.state is BreakerState.OPEN and self._others_probe(word):
            breaker.wait()
        self._send(BreakerReport(self._standings()))

    def _standings(self) -> dict[str, BreakerStanding]:
        """Of every breaker that is not well. One that is well, or was forgotten to make room for others, leaves."""
        standings: dict[str, BreakerStanding] = {}
        for name, known in list(self._unwell.items()):
            breaker = known()
            standing = breaker.standing if breaker is not None else BreakerStanding.WELL
            if standing is BreakerStanding.WELL:
                self._unwell.pop(name, None)
            else:
                standings[name] = standing
        return standings

    def told(self, name: str, word: FleetWord | None) -> None:
        """The fleet's newest word on the breaker of this name; None: there is nothing to say."""
        before = self._words.pop(name, None)
        if word is None:
            return
        if before is not None or len(self._words) < NAMES_MAX:
            self._words[name] = word
        breaker = self._breakers.find(name)
        if breaker is None:
            return
        if word.back:
            breaker.wake()
        elif breaker.state is BreakerState.CLOSED:
            if before is None or before.episode != word.episode:
                breaker.suspect(others=word.broken)
        elif self._others_probe(word):
            breaker.wait()
        elif before is not None and self._others_probe(before):
            breaker.wake()

    def _others_probe(self, word: FleetWord) -> bool:
        return bool(word.probers) and not word.back and self._process() not in word.probers
