"""The store's file: what it leads to, what is found when somebody has edited it, and how old history goes."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from tests.asgi_client import AsgiClient
from tests.control_store import accepted, edited, one, opened, put, wholeness

from tenfold.channel import Change
from tenfold.commands.switch.text import wholeness_line
from tenfold.kernel import TenfoldError
from tenfold.respond.control.app import control_app
from tenfold.respond.control.node import ControlNode
from tenfold.respond.control.pruning import Bounds
from tenfold.respond.control.replay import SEAL_KEY, SEALS, seal_of
from tenfold.respond.control.sqlite import SqliteStore, StoreUnusable
from tenfold.respond.switchboard.history import wholeness_of
from tenfold.telemetry import EventLog


def test_a_node_goes_on_where_its_store_ended(tmp_path: Path) -> None:
    """Same records, same name, later epochs; what was ephemeral is gone, and its epochs do not come again."""
    store = opened(tmp_path)
    changes = accepted(store, put(b"1"), put(b"2", key="b"), put(b"3"), put(b"4", topic="hot-keys"))
    name = store.incarnation
    store.close()
    store = opened(tmp_path)
    log = ControlNode(store).log
    assert store.incarnation == name
    assert log.epoch > changes[-1].epoch
    assert [(record.key, record.json) for record in log.records()] == [("b", b"2"), ("a", b"3")]
    assert [change.epoch for change in store.history()] == [3, 2, 1]
    store.close()


def test_one_store_serves_one_node(tmp_path: Path) -> None:
    """Two would give the same epochs twice."""
    store = opened(tmp_path)
    with pytest.raises(TenfoldError, match="another control node"):
        opened(tmp_path)
    store.close()
    opened(tmp_path).close()


@pytest.mark.parametrize(
    ("edit", "broken_at"),
    [
        ("UPDATE changes SET change = CAST(replace(change, '\"value\":2', '\"value\":9') AS BLOB) WHERE epoch = 2", 2),
        ("DELETE FROM changes WHERE epoch = 2", 3),
        ("DELETE FROM changes WHERE epoch = 3", 2),
    ],
)
def test_a_history_that_was_edited_is_noticed(tmp_path: Path, edit: str, broken_at: int) -> None:
    """Changed, left out, or cut off at its end."""
    store = opened(tmp_path)
    accepted(store, put(b"1"), put(b"2"), put(b"3"))
    assert wholeness(store).problem == ""
    edited(store, edit)
    assert wholeness(store).problem
    assert wholeness(store).epoch == broken_at
    store.close()


@pytest.mark.parametrize("edit", ["topic = 'hidden'", "key = 'b'"])
def test_a_change_that_is_hidden_from_the_history_is_noticed(tmp_path: Path, edit: str) -> None:
    """The history is looked for by columns that no digest is of."""
    store = opened(tmp_path)
    accepted(store, put(b"1"), put(b"2"), put(b"3"))
    edited(store, f"UPDATE changes SET {edit} WHERE epoch = 2")
    assert [change.epoch for change in store.history("switches", "a")] == [3, 1]
    assert "epoch 2 is not what was written" in wholeness(store).problem
    store.close()


def test_what_is_no_change_is_left_out_of_the_history_and_counted(tmp_path: Path) -> None:
    """A page is as long as was asked for all the same, and who verifies hears which it is."""
    store = opened(tmp_path)
    accepted(store, put(b"1"), put(b"2"), put(b"3"))
    node = ControlNode(store)
    edited(store, "UPDATE changes SET change = x'6e6f' WHERE epoch = 2")
    client = AsgiClient(control_app(node, "secret"))
    headers = {"Authorization": "Bearer secret"}
    answer = asyncio.run(client.ask("GET", "/control/v1/history", headers)).json()
    assert [change["epoch"] for change in answer["changes"]] == [3, 1]
    assert [change.epoch for change in store.history(limit=2)] == [3, 1]
    assert "tenfold_control_changes_unreadable 1" in client.get("/metrics").text
    assert "epoch 2 is not what was written" in wholeness(store).problem
    store.close()


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        ("UPDATE changes SET change = x'6e6f' WHERE epoch = 1", "entry of epoch 1 is not what was written"),
        ("DELETE FROM changes WHERE epoch = 1", "entry of epoch 2 is not what was written"),
        ("DELETE FROM changes WHERE epoch = 2", "ends at epoch 1, and was written up to epoch 2"),
        ("INSERT OR REPLACE INTO facts VALUES ('reserved', 'many')", "invalid literal"),
    ],
)
def test_a_node_does_not_open_on_what_it_cannot_read(tmp_path: Path, edit: str, what: str) -> None:
    """Somebody who follows would be told less than there is. It says what to do."""
    store = opened(tmp_path)
    accepted(store, put(b"1"), put(b"2"))
    edited(store, edit)
    with pytest.raises(StoreUnusable, match=what) as refused:
        ControlNode(store)
    assert "--renew" in refused.value.remedy
    store.close()


OTHER = '{"line":"change","epoch":2,"topic":"switches","key":"b","value":7,"by":"mallory"}'


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        ("UPDATE records SET change = CAST(replace(change, '\"value\":2', '\"value\":9') AS BLOB)", "epoch 2, 9"),
        ("UPDATE records SET change = CAST(replace(change, '\"epoch\":2', '\"epoch\":9') AS BLOB)", "epoch 9, 2"),
        ("UPDATE records SET change = CAST(replace(change, '2030', '2040') AS BLOB)", "2040"),
        ("UPDATE records SET change = x'7b7d'", "what cannot be read"),
        ("UPDATE records SET key = 'c' WHERE key = 'a'", "switches/a"),
        ("DELETE FROM records WHERE key = 'a'", "stands none"),
        (f"INSERT INTO records VALUES ('switches', 'b', CAST('{OTHER}' AS BLOB))", "says that there is none"),
        ("DELETE FROM records", "stands none"),
    ],
)
def test_a_record_that_was_edited_in_the_file_is_put_right_and_named(tmp_path: Path, edit: str, named: str) -> None:
    """The next node serves what the history leads to, in its log and in its file, and says so once."""
    store = opened(tmp_path)
    accepted(store, put(b"1"), put(b"2"), put(b'{"until":"2030"}', key="until"))
    edited(store, edit)
    assert named in wholeness(store).problem
    store.close()
    store, events = opened(tmp_path), EventLog("control")
    node = ControlNode(store, events=events)
    assert named in " ".join(map(str, node.rebuilt))
    assert {event.kind for event in events} == {"control-record-rebuilt"}
    assert [(record.key, record.json) for record in node.log.records()] == [("a", b"2"), ("until", b'{"until":"2030"}')]
    assert wholeness(store).problem == ""
    assert not ControlNode(store).rebuilt
    store.close()


def test_a_history_is_pruned_and_stays_verifiable(tmp_path: Path) -> None:
    """What is gone is vouched for by what is left; what was in force stays so, and the next node opens on it."""
    store = SqliteStore(tmp_path / "control.db", now_ns=1_000, bounds=Bounds(changes=20))
    kept = [Change(epoch=1, topic="switches", key="kept", value=msgspec.Raw(b"1"))]
    digests = dict(store.commit(kept))
    epoch = 1
    for _ in range(10):
        changes = [one(epoch + n, b"%d" % n) for n in range(1, 10)]
        digests |= store.commit(changes)
        epoch += 10
        seal = msgspec.json.encode(seal_of(epoch - 1, digests[epoch - 1], store.records()))
        digests |= store.commit([one(epoch, seal, topic=SEALS, key=SEAL_KEY)])
    whole = wholeness(store)
    assert (whole.problem, whole.entries <= 30, whole.entries + whole.pruned) == ("", True, 101)
    assert whole.checkpoint
    assert f"{whole.pruned} earlier entries pruned at epoch {whole.checkpoint}" in wholeness_line(whole)
    chain = store.chain(0, 100)
    assert "was pruned" in wholeness_of(chain.links, {}, seen=(1, digests[1]), base=chain.base).problem
    assert not wholeness_of(chain.links, {}, seen=(100, digests[100]), base=chain.base).problem
    sealed = (whole.checkpoint, digests[whole.checkpoint])
    assert not wholeness_of(chain.links, {}, seen=sealed, base=chain.base).problem
    assert len(store.history(limit=1000)) == whole.entries
    assert [record.key for record in ControlNode(store).log.records("switches")] == ["kept", "a"]
    store.close()
    store = opened(tmp_path)
    assert not ControlNode(store).rebuilt
    store.close()


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE base SET change = CAST(replace(change, '\"value\":1', '\"value\":9') AS BLOB) WHERE key = 'kept'",
        "DELETE FROM base WHERE key = 'kept'",
        "DELETE FROM facts WHERE name = 'base'",
        "UPDATE facts SET fact = 'x' WHERE name = 'base'",
        "UPDATE facts SET fact = replace(fact, '\"epoch\":', '\"epoch\":1') WHERE name = 'base'",
        "DELETE FROM changes WHERE epoch = (SELECT min(epoch) FROM changes)",
    ],
)
def test_a_base_that_was_edited_is_found(tmp_path: Path, edit: str) -> None:
    """By who verifies, and by the next node, which does not open on it."""
    store = SqliteStore(tmp_path / "control.db", now_ns=1_000, bounds=Bounds(changes=2))
    digests = dict(store.commit([one(1, b"1", key="kept"), one(2, b"2")]))
    seal = msgspec.json.encode(seal_of(2, digests[2], store.records()))
    store.commit([one(3, seal, topic=SEALS, key=SEAL_KEY), one(4, b"4")])
    assert (wholeness(store).problem, wholeness(store).checkpoint) == ("", 2)
    edited(store, edit)
    assert wholeness(store).problem
    with pytest.raises(StoreUnusable):
        ControlNode(store)
    store.close()


def test_a_history_whose_end_is_noted_as_nonsense_is_noticed(tmp_path: Path) -> None:
    """And asking does not fail."""
    store = opened(tmp_path)
    accepted(store, put(b"1"))
    edited(store, "UPDATE facts SET fact = 'x' WHERE name IN ('head', 'digest')")
    assert "its end was edited" in wholeness(store).problem
    store.close()
