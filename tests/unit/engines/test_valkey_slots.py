"""Which of several shards holds a key."""

import asyncio

import pytest

from tenfold.engines.valkey.slots import Slots, slot_of


@pytest.mark.parametrize(("key", "slot"), [("123456789", 0x31C3), ("foo{bar}baz", 5061), ("bar", 5061), ("{}x", 10595)])
def test_a_key_has_the_slot_that_the_cluster_gives_it(key: str, slot: int) -> None:
    """CRC16 (XMODEM) of the key or of what its braces hold; empty braces hold nothing."""
    assert slot_of(key) == slot


def test_each_owner_carries_its_share_and_the_results_are_in_order() -> None:
    """As if there were one."""

    async def test() -> None:
        slots = Slots([([(0, 8_000)], "low"), ([(8_001, 16_383)], "high")])
        keys = [f"key-{number}" for number in range(100)]
        shares: dict[str, list[str]] = {}

        async def carry(owner: str, share: list[str]) -> list[str]:
            shares[owner] = share
            return [f"{owner} {key}" for key in share]

        carried = await slots.carry(keys, str, carry)
        assert [line.split()[1] for line in carried] == keys
        assert sorted(shares) == ["high", "low"]
        assert all(slot_of(key) <= 8_000 for key in shares["low"])

    asyncio.run(test())
