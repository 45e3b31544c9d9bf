"""What the machine spoiled is tried once more, within a bound of time."""

import asyncio
from typing import Generic, TypeVar

import msgspec
import pytest
from tests.simulated_rehearsal import SimulatedRehearsal

from tenfold.kernel import Duration
from tenfold.rehearse.repeat import Repeats
from tenfold.rehearse.verdict import DrillVerdict, StepVerdict

STEP, DRILL = SimulatedRehearsal().verdict().steps[-1], SimulatedRehearsal().verdict().drills[0]
SPOILED = msgspec.structs.replace(STEP, limited_by="machine")
MISSED = msgspec.structs.replace(STEP, limited_by="server")
Found = TypeVar("Found", StepVerdict, DrillVerdict)
LENGTH = Duration.from_s(20)


class Tries(Generic[Found]):
    """Finds one thing after the other, and counts."""

    def __init__(self, *found: Found) -> None:
        self._found: list[Found] = list(found)
        self.made = 0
        self.told: list[Found] = []

    async def _once(self) -> Found:
        self.made += 1
        return self._found.pop(0)

    def within(self, repeats: Repeats) -> Found:
        found: Found = asyncio.run(repeats.tried(self._once, LENGTH, self.told.append))
        return found


@pytest.mark.parametrize("first", [STEP, MISSED])
def test_what_held_or_was_the_servers_is_not_repeated(first: StepVerdict) -> None:
    """A slow server is not given a second chance to be quick."""
    tries = Tries(first)
    assert tries.within(Repeats()) == first
    assert (tries.made, tries.told) == (1, [])


@pytest.mark.parametrize("second", [STEP, MISSED, SPOILED])
def test_what_the_machine_spoiled_is_tried_once_more_and_both_are_shown(second: StepVerdict) -> None:
    """Whatever the second says counts; there is no third."""
    tries = Tries(SPOILED, second)
    found = tries.within(Repeats())
    assert found == msgspec.structs.replace(second, earlier=[SPOILED])
    assert (tries.made, tries.told) == (2, [SPOILED])


def test_the_time_for_repeats_has_an_end() -> None:
    """On a machine that is never quiet a run takes no longer than it may."""
    repeats = Repeats(Duration.from_s(50))
    made = []
    for _ in range(4):
        tries = Tries(SPOILED, SPOILED)
        tries.within(repeats)
        made.append(tries.made)
    assert made == [2, 2, 1, 1]


def test_a_fault_that_is_still_in_place_is_not_injected_again() -> None:
    left = msgspec.structs.replace(DRILL, held=False, limited_by="machine", reverted=False)
    tries = Tries(left)
    assert tries.within(Repeats()) is left
