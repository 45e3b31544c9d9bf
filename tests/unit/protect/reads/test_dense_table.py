"""A dense table: what lies here is as new as what was announced, or is not answered."""

import asyncio

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.reads.dense import DenseLoading, DenseTable, LoadedRow

COLUMNS = ("11", "12", "13")


def table(**options: object) -> DenseTable:
    return DenseTable("steps", COLUMNS, **options)  # type: ignore[arg-type]


def loaded(version: int = 100, **options: object) -> DenseTable:
    made = table(**options)
    assert made.put("r:7", bytes((3, 0, 9)), version, made.begin())
    return made


def test_a_level_is_answered_by_row_and_column() -> None:
    dense = loaded()
    assert [dense.get("r:7", column) for column in COLUMNS] == [3, 0, 9]


def test_what_is_not_known_is_none() -> None:
    dense = loaded()
    assert dense.get("r:8", "11") is None
    assert dense.get("r:7", "14") is None


def test_an_announced_cell_is_unknown_until_its_row_is_as_new() -> None:
    dense = loaded(version=100)
    dense.invalidate("r:7:12", 130)
    assert dense.get("r:7", "12") is None
    assert dense.put("r:7", bytes((3, 1, 9)), 129, dense.begin())
    assert dense.get("r:7", "12") is None
    assert dense.put("r:7", bytes((3, 1, 9)), 130, dense.begin())
    assert dense.get("r:7", "12") == 1


def test_an_announcement_that_the_row_includes_changes_nothing() -> None:
    dense = loaded(version=100)
    dense.invalidate("r:7:12", 100)
    assert dense.get("r:7", "12") == 0


def test_a_load_that_was_under_way_cannot_bring_an_old_level_back() -> None:
    dense = table()
    token = dense.begin()
    dense.invalidate("r:7:11", 130)
    assert dense.put("r:7", bytes((3, 0, 9)), 120, token)
    assert dense.get("r:7", "11") is None
    assert dense.get("r:7", "12") == 0


def test_an_announcement_without_a_version_outlives_the_loads_before_it() -> None:
    dense = loaded(version=100)
    token = dense.begin()
    dense.invalidate("r:7:11")
    dense.put("r:7", bytes((3, 0, 9)), 500, token)
    assert dense.get("r:7", "11") is None
    dense.put("r:7", bytes((4, 0, 9)), 500, dense.begin())
    assert dense.get("r:7", "11") == 4


def test_a_row_never_goes_back() -> None:
    dense = loaded(version=100)
    assert not dense.put("r:7", bytes((1, 1, 1)), 90, dense.begin())
    assert dense.get("r:7", "11") == 3


def test_a_row_that_may_lack_a_forgotten_announcement_is_not_taken() -> None:
    dense = table(recent_max=2)
    for version, key in enumerate(("r:7:11", "r:7:12", "r:7:13"), 200):
        dense.invalidate(key, version)
    assert not dense.put("r:7", bytes((3, 0, 9)), 201, dense.begin())
    assert dense.put("r:7", bytes((3, 0, 9)), 202, dense.begin())


def test_in_doubt_it_answers_for_a_while_and_then_no_longer() -> None:
    clock = VirtualClock()
    dense = loaded(clock=clock, stale=Duration.from_s(30))
    dense.doubt()
    assert not dense.proven
    clock.advance(Duration.from_s(29))
    assert dense.expire() == Duration.from_s(1)
    assert dense.get("r:7", "11") == 3
    clock.advance(Duration.from_s(1))
    assert dense.expire() is None
    assert dense.get("r:7", "11") is None


def test_only_a_row_whose_load_began_after_the_proof_is_proven() -> None:
    clock = VirtualClock()
    dense = loaded(clock=clock)
    dense.doubt()
    early = dense.begin()
    dense.prove()
    dense.put("r:7", bytes((5, 0, 9)), 110, early)
    assert not dense.proven
    dense.put("r:7", bytes((5, 0, 9)), 111, dense.begin())
    assert dense.proven
    clock.advance(Duration.from_s(60))
    assert dense.expire() is None
    assert dense.get("r:7", "11") == 5


def test_a_row_that_is_loaded_in_doubt_is_answered_for_a_while_from_then_on() -> None:
    clock = VirtualClock()
    dense = loaded(clock=clock, stale=Duration.from_s(30))
    dense.doubt()
    clock.advance(Duration.from_s(20))
    dense.put("r:7", bytes((4, 0, 9)), 120, dense.begin())
    clock.advance(Duration.from_s(20))
    assert dense.expire() == Duration.from_s(10)
    assert dense.get("r:7", "11") == 4


def test_rows_that_are_missing_doubted_or_have_gaps_want_to_be_loaded() -> None:
    dense = loaded()
    assert dense.wanting(("r:7", "r:8")) == ["r:8"]
    dense.invalidate("r:7:11", 130)
    assert dense.wanting(("r:7",)) == ["r:7"]
    dense.put("r:7", bytes((4, 0, 9)), 130, dense.begin())
    assert dense.wanting(("r:7",)) == []
    dense.doubt()
    assert dense.wanting(("r:7",)) == []
    dense.prove()
    assert dense.wanting(("r:7",)) == ["r:7"]


def test_doubt_proof_and_many_gaps_ask_for_a_load() -> None:
    asked: list[str] = []
    dense = loaded(gaps_max=2)
    dense.on_need = lambda: asked.append("load")
    dense.invalidate("r:7:11", 130)
    assert asked == []
    dense.invalidate("r:7:12", 131)
    assert asked == ["load"]
    dense.doubt()
    dense.prove()
    assert asked == ["load"] * 3


def test_a_row_of_another_length_is_refused() -> None:
    dense = table()
    with pytest.raises(ValueError, match="3 columns, and 2 came"):
        dense.put("r:7", bytes((1, 2)), 1, dense.begin())


async def _until(condition: object) -> None:
    async with asyncio.timeout(5):
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110  # a turn of the loop, no time
            await asyncio.sleep(0)


def test_loading_takes_every_row_and_again_what_failed() -> None:
    dense, refusals = table(), ["r:8"]

    async def read_row(row: str) -> LoadedRow:
        if row in refusals:
            refusals.remove(row)
            raise ConnectionResetError(row)
        return LoadedRow(bytes((1, 2, 3)), 50)

    async def scene() -> None:
        loading = DenseLoading(dense, ("r:7", "r:8"), read_row, pause=Duration(0))
        loading.open()
        await loading.whole()
        assert dense.get("r:7", "11") == 1
        assert dense.get("r:8", "11") is None
        dense.on_need()
        await _until(lambda: dense.get("r:8", "11") == 1)
        await loading.close()

    asyncio.run(scene())


def test_a_proof_has_every_row_loaded_anew() -> None:
    dense, version = table(), [50]

    async def read_row(row: str) -> LoadedRow:
        version[0] += 1
        return LoadedRow(bytes((1, 2, version[0])), version[0])

    async def scene() -> None:
        loading = DenseLoading(dense, ("r:7",), read_row, pause=Duration(0))
        loading.open()
        await loading.whole()
        dense.doubt()
        dense.prove()
        await _until(lambda: dense.proven)
        await loading.close()

    asyncio.run(scene())
