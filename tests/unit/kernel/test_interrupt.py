"""Interrupts at a moment that cannot bear one."""

import signal

import pytest

from tenfold.kernel import interrupts_held_back


def test_an_interrupt_is_answered_when_what_cannot_bear_it_is_over() -> None:
    """Not in the middle, and not lost."""
    done: list[str] = []

    def interrupted_half_way() -> None:
        signal.raise_signal(signal.SIGINT)
        done.append("all of it")

    with pytest.raises(KeyboardInterrupt), interrupts_held_back():
        interrupted_half_way()
    assert done == ["all of it"]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_without_an_interrupt_nothing_happens_and_an_error_is_that_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupts_held_back():
        pass
    with pytest.raises(ImportError), interrupts_held_back():
        raise ImportError
    assert signal.getsignal(signal.SIGINT) is before
