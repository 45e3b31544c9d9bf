"""What is remembered of keys that left."""

import pytest

from tenfold.protect.reads.near.sketch import CELLS_MIN, HeatSketch, mark_of


def test_a_key_has_the_same_mark_in_every_process() -> None:
    """Or two processes with the same requests would decide differently."""
    assert mark_of("7/4711") == 0x22C2B508
    assert mark_of("Käse") != mark_of("Kase")


def test_heat_is_never_forgotten_by_sharing_a_cell() -> None:
    """A cell keeps the hottest of those who share it."""
    sketch = HeatSketch()
    for number in range(10 * CELLS_MIN):
        sketch.keep(mark_of(str(number)), float(number))
    assert all(sketch.heat_of(mark_of(str(number))) >= number for number in range(10 * CELLS_MIN))


def test_a_stranger_is_cold_in_a_sketch_that_fits() -> None:
    """Both cells of a stranger must be taken to mistake it for somebody."""
    sketch = HeatSketch()
    sketch.fit(1000)
    for number in range(1000):
        sketch.keep(mark_of(f"known-{number}"), 3.0)
    mistaken = sum(sketch.heat_of(mark_of(f"stranger-{number}")) > 0 for number in range(1000))
    assert mistaken < 100


def test_growing_forgets_nobody() -> None:
    """The past of a cache that is being filled counts when it is full."""
    sketch = HeatSketch()
    for number in range(16):
        sketch.keep(mark_of(str(number)), number + 1.0)
    sketch.fit(5000)
    assert all(sketch.heat_of(mark_of(str(number))) >= number + 1 for number in range(16))


@pytest.mark.parametrize("residents", [16, 100, 1000, 30_000])
def test_memory_is_in_proportion_to_the_residents(residents: int) -> None:
    """At most 64 bytes a resident."""
    sketch = HeatSketch()
    sketch.fit(residents)
    assert 32 * residents <= sketch.held_bytes <= 64 * residents


def test_fading_forgets_everybody() -> None:
    """In the same memory."""
    sketch = HeatSketch()
    sketch.fit(100)
    held_bytes = sketch.held_bytes
    sketch.keep(mark_of("7/4711"), 9.0)
    sketch.fade()
    assert sketch.heat_of(mark_of("7/4711")) == 0
    assert sketch.held_bytes == held_bytes
