"""What every rung must do, as a suite for your own: each law is a function that fails when the rung breaks it.

    @pytest.mark.parametrize("law", RUNG_LAWS, ids=lambda law: law.__name__)
    def test_my_rung(law: RungLaw) -> None:
        asyncio.run(law(open_my_rung))

`open_my_rung` is called without arguments and answers an async context manager whose value is a rung that holds HELD.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from tenfold.protect.reads.found import Found
from tenfold.protect.reads.ladder import Rung

HELD: Mapping[str, bytes] = {f"key-{number}": f"value-{number}".encode() for number in range(300)} | {
    "ключ/🔑 with spaces\r\n": b"any text is a key",
    "empty": b"",
    "binary": bytes(range(256)),
    "large": b"x" * 300_000,
}
OpenRung = Callable[[], AbstractAsyncContextManager[Rung]]
RungLaw = Callable[[OpenRung], Coroutine[Any, Any, None]]


async def answers_what_it_holds_byte_for_byte(open_rung: OpenRung) -> None:
    """Any text is a key; a value may be empty, binary or large."""
    async with open_rung() as rung:
        for key, value in HELD.items():
            assert _value(await rung.read(key)) == value, f"{rung.name} changed the value of {key!r}"


async def says_none_for_what_it_does_not_hold(open_rung: OpenRung) -> None:
    """None is "not here", and is not the empty value."""
    async with open_rung() as rung:
        assert await rung.read("nowhere") is None, f"{rung.name} answered for a key that it does not hold"
        assert _value(await rung.read("empty")) == b"", f"{rung.name} takes the empty value for nothing"


async def gives_concurrent_readers_their_own_answers(open_rung: OpenRung) -> None:
    """Hundreds at once, some twice, some for what is not there."""
    keys = [*HELD, *HELD, *(f"nowhere-{number}" for number in range(300))]
    async with open_rung() as rung:
        answers = await asyncio.gather(*(rung.read(key) for key in keys))
    for key, answer in zip(keys, answers, strict=True):
        assert _value(answer) == HELD.get(key), f"a reader of {key!r} got another's answer"


async def lets_a_reader_leave_alone(open_rung: OpenRung) -> None:
    """Every other reader is cancelled, at different moments; the others get their answers."""
    async with open_rung() as rung:
        keys = [key for key in HELD if key.startswith("key-")]
        readers = {key: asyncio.create_task(_read(rung, key)) for key in keys}
        for place, key in enumerate(keys[::2]):
            if place % 10 == 0:
                await asyncio.sleep(0)
            readers[key].cancel()
        await asyncio.wait(readers.values())
        for key in keys[1::2]:
            assert _value(readers[key].result()) == HELD[key], f"a reader of {key!r} left with another"


async def takes_or_ignores_a_fill(open_rung: OpenRung) -> None:
    """What was filled is answered as it was, version and time of truth too, or not at all; no other key changes."""
    filled = {f"filled-{number}": Found(b"new", number, true_at_ns=1_700_000_000_000_000_000) for number in range(300)}
    async with open_rung() as rung:
        await rung.fill(filled)
        await rung.fill({})
        for key, found in filled.items():
            assert await rung.read(key) in (found, None), f"{rung.name} changed what it was filled with"
        assert _value(await rung.read("key-1")) == HELD["key-1"], f"a fill of {rung.name} changed another key"


async def leaves_no_task_behind(open_rung: OpenRung) -> None:
    """Nothing runs on after the rung is closed."""
    before = asyncio.all_tasks()
    async with open_rung() as rung:
        await asyncio.gather(*(rung.read(key) for key in HELD))
    left = asyncio.all_tasks() - before
    assert not left, f"{rung.name} left tasks behind: {left}"


RUNG_LAWS: Sequence[RungLaw] = (
    answers_what_it_holds_byte_for_byte,
    says_none_for_what_it_does_not_hold,
    gives_concurrent_readers_their_own_answers,
    lets_a_reader_leave_alone,
    takes_or_ignores_a_fill,
    leaves_no_task_behind,
)


def _value(found: Found | None) -> bytes | None:
    return None if found is None else found.value


async def _read(rung: Rung, key: str) -> Found | None:
    return await rung.read(key)
