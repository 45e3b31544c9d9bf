"""The switchboard without a server: what is refused and why, what a change touches, what is over, what was edited."""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.memory_control import MemoryControl

from tenfold.channel import Change, Process
from tenfold.channel.messages import Report, Reports
from tenfold.commands.switch import text
from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.live.switches import Declaration, Rule, SwitchRecord
from tenfold.protect.live.switches.declaration import DECLARED, DeclarationReport
from tenfold.protect.live.switches.reports import LoadReport, ReadRate, RecordRefusal, SwitchStanding
from tenfold.protect.live.switches.rule import TOPIC
from tenfold.respond.control import Conflict, ControlNode, Put, SqliteStore, Unacceptable
from tenfold.respond.control.ledger import Ack, Presence
from tenfold.respond.control.store import Head, RecordsHeld
from tenfold.respond.switchboard import Draft, Switchboard, SwitchOperator, SwitchView
from tenfold.respond.switchboard.effect import Effect, effect_of
from tenfold.respond.switchboard.following import Refused, following
from tenfold.respond.switchboard.history import ends_at, entry, wholeness_of
from tenfold.respond.switchboard.view import view_of
from tenfold.telemetry import EventLog

REVIEWS = Declaration(
    name="reviews", kind="boolean", default=True, tier="P3", functions=("product page",), owner="shop team"
)
LIMIT = Declaration(name="limit", kind="integer", default=100, schema={"minimum": 1, "maximum": 500}, stores_max=None)
API = Process(id="p1", service="api", store="7")


def off(**said: Any) -> Rule:
    return Rule(value=False, owner="ann", reason="slow", **said)


class Board:
    """A control node with a switchboard, a store on disk, and a clock that stands still."""

    def __init__(self, folder: Path, events: EventLog | None = None) -> None:
        self.clock = VirtualClock()
        self.store = SqliteStore(folder / "control.db", now_ns=1)
        self.node = ControlNode(self.store, clock=self.clock, events=events)
        self.switchboard = Switchboard(self.node)

    async def declare(self, *declarations: Declaration) -> None:
        self.node.ledger.joined(API, 0, 0)
        payload = msgspec.Raw(msgspec.json.encode(DeclarationReport(list(declarations))))
        self.node.hear_reports(Reports(API.id, [Report(DECLARED, payload)]))
        while any(  # noqa: ASYNC110  # a record is no event
            self.switchboard.declarations.get(one.name) != one for one in declarations
        ):
            await asyncio.sleep(0)

    async def put(self, name: str, record: SwitchRecord | bytes | None, **said: Any) -> Any:
        value = record.json if isinstance(record, SwitchRecord) else record
        said = {"by": "ann", "reason": "slow", **said}
        return await self.node.put(Put(topic="switches", key=name, value=value, **said))

    def record(self, name: str) -> SwitchRecord:
        change = self.node.log.get("switches", name)
        return SwitchRecord.read(name, change.json if change else None)

    def in_ms(self, length_ms: int) -> int:
        return self.clock.wall_ns() // 1_000_000 + length_ms


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Callable[[Board], Coroutine[Any, Any, None]]], None]:
    def run_on(scene: Callable[[Board], Coroutine[Any, Any, None]]) -> None:
        async def main() -> None:
            board = Board(tmp_path)
            await board.node.open()
            board.switchboard.open()
            try:
                async with asyncio.timeout(10):
                    await board.declare(REVIEWS, LIMIT)
                    await scene(board)
            finally:
                await board.switchboard.close()
                await board.node.close()
                board.store.close()

        asyncio.run(main())

    return run_on


Run = Callable[[Callable[[Board], Coroutine[Any, Any, None]]], None]
STORES = tuple(map(str, range(11)))
NOTHING = SwitchRecord()
NOW_MS = VirtualClock().wall_ns() // 1_000_000

REFUSED: list[tuple[str, SwitchRecord | bytes, str]] = [
    ("reviews", SwitchRecord((Rule(value="off", owner="ann", reason="x", stores=("7",)),)), "'off' is no boolean"),
    ("limit", SwitchRecord((Rule(value=900, owner="ann", reason="x"),)), "900 is more than 500"),
    ("limit", SwitchRecord((Rule(value=1.5, owner="ann", reason="x"),)), "1.5 is no integer"),
    ("limit", SwitchRecord((Rule(value=10**400, owner="ann", reason="x"),)), "beyond 9007199254740991"),
    ("reviews", SwitchRecord((off(),)), "every store at once; more than 10 take a confirmation"),
    ("reviews", SwitchRecord((off(stores=STORES),)), "11 stores at once"),
    ("reviews", SwitchRecord((off(percent=10),)), "every store at once"),
    ("reviews", SwitchRecord((off(instances=("api-3",)),)), "It may reach every store at once, since an instance"),
    ("reviews", SwitchRecord((Rule(value=False, stores=("7",)),)), "has an owner, who answers for it, and a reason"),
    ("reviews", SwitchRecord((off(stores=("7",), until_ms=NOW_MS),)), "ends in the future"),
    ("reviews", SwitchRecord((off(stores=("7",), until_ms=NOW_MS * 2),)), "within 400 days"),
    ("review", SwitchRecord((off(stores=("7",)),)), "Did you mean 'reviews'?"),
    ("reviews", b'{"rules":[{"value":false,"region":"north"}]}', "unknown field `region`"),
    ("reviews", b"7", "cannot be read"),
]


def test_the_good_declarations_of_a_report_are_taken_that_holds_a_bad_one(run: Run) -> None:
    """A process with an older library may say what this node refuses; the bad one is counted."""

    async def scene(board: Board) -> None:
        good = [msgspec.json.encode(msgspec.structs.replace(LIMIT, name=name)) for name in ("first", "last")]
        payload = b'{"declarations":[%b,{"name":"Bad Name","kind":"boolean","default":true},7,%b]}' % (good[0], good[1])
        board.node.hear_reports(Reports(API.id, [Report(DECLARED, msgspec.Raw(payload))]))
        while not {"first", "last"} <= set(board.switchboard.declarations.names()):  # noqa: ASYNC110  # no event
            await asyncio.sleep(0)
        assert "Bad Name" not in board.switchboard.declarations.names()

    run(scene)


@pytest.mark.parametrize(("name", "record", "why"), REFUSED)
def test_a_bad_change_is_refused_with_a_reason(run: Run, name: str, record: SwitchRecord | bytes, why: str) -> None:
    """Wrong type, out of schema, too many stores, no such switch; and it costs no epoch."""

    async def scene(board: Board) -> None:
        epoch = board.node.log.epoch
        outcome = await board.put(name, record)
        assert isinstance(outcome, Unacceptable)
        assert why in outcome.problem
        assert board.node.log.epoch == epoch

    run(scene)


def test_a_value_of_another_type_is_another_value_though_python_calls_them_equal(run: Run) -> None:
    """1 is checked where true was set, and every process would refuse it; {"a": true} is set where {"a": 1} was."""

    async def scene(board: Board) -> None:
        on = Rule(value=True, stores=("7",), owner="ann", reason="slow")
        assert isinstance(await board.put("reviews", SwitchRecord((on,))), Change)
        outcome = await board.put("reviews", SwitchRecord((msgspec.structs.replace(on, value=1),)))
        assert isinstance(outcome, Unacceptable)
        assert "1 is no boolean" in outcome.problem

    run(scene)
    one, true = (SwitchRecord((Rule(value={"a": value}, owner="ann", reason="x"),)) for value in (1, True))
    draft = Draft(name="limits", if_epoch=1, before=one, after=true)
    assert not draft.changes_nothing
    assert not effect_of(draft, [], {}, now_ms=1).stays


def test_who_confirms_may_reach_far_but_not_beyond_the_schema(run: Run) -> None:
    """Also for a switch that no process has declared yet; an instance of one store is not far."""

    async def scene(board: Board) -> None:
        assert isinstance(await board.put("reviews", SwitchRecord((off(),)), confirmed=True), Change)
        assert isinstance(
            await board.put("reviews", SwitchRecord((off(), off(instances=("a",), stores=("7",))))), Change
        )
        assert isinstance(await board.put("tomorrows", SwitchRecord((off(),)), confirmed=True), Change)
        bad = SwitchRecord((Rule(value=900, owner="ann", reason="x"),))
        assert isinstance(await board.put("limit", bad, confirmed=True), Unacceptable)

    run(scene)


@pytest.mark.parametrize(
    ("name", "rule", "why"),
    [
        ("ghost", off(until_ms=NOW_MS + 401 * 86_400_000), "within 400 days"),
        ("ghost", off(until_ms=10**18), "cannot be read"),
        ("ghost", Rule(value=False), "has an owner, who answers for it, and a reason"),
        ("ghost", Rule(value=10**30, owner="ann", reason="x"), "every JSON reader"),
        ("ghost", off(where={"age": 10**30}), "every JSON reader"),
        ("../x", off(), "'../x' is no name of a switch"),
        ("Ghost", off(), "is no name of a switch"),
    ],
)
def test_what_nobody_has_declared_is_checked_as_well(run: Run, name: str, rule: Rule, why: str) -> None:
    """But for its kind, which nobody knows yet; whoever confirms it."""

    async def scene(board: Board) -> None:
        outcome = await board.put(name, SwitchRecord((rule,)), confirmed=True)
        assert isinstance(outcome, Unacceptable)
        assert why in outcome.problem
        draft = Draft(name=name, if_epoch=0, before=NOTHING, after=SwitchRecord((rule,)))
        assert why in draft.refusal(NOW_MS) or why == "cannot be read"

    run(scene)


def test_what_may_not_be_set_any_longer_can_be_taken_back(run: Run) -> None:
    """As it lies in a store that an earlier node wrote: an odd name, or what cannot be read."""

    async def scene(board: Board) -> None:
        check = board.node.checks.pop("switches")
        await board.put("../x", SwitchRecord((off(), off(stores=("7",)))))
        await board.put("reviews", b'{"rules":[{"value":false,"until_ms":8640001000000000000}]}')
        board.node.checks["switches"] = check
        assert isinstance(await board.put("../x", SwitchRecord((off(),)), confirmed=True), Change)
        assert isinstance(await board.put("../x", None), Change)
        assert isinstance(await board.put("reviews", None), Change)

    run(scene)


def test_a_record_that_cannot_be_read_is_taken_back_by_a_draft_of_nothing() -> None:
    """It is there, so taking it away is a change; where nothing is there is nothing to do."""
    assert not Draft(name="reviews", if_epoch=7, before=NOTHING, after=NOTHING).changes_nothing
    assert Draft(name="reviews", if_epoch=0, before=NOTHING, after=NOTHING).changes_nothing


UNREADABLE = [
    b"7",
    b'{"rules":[{"value":false,"until_ms":8640001000000000000}]}',
    b'{"rules":[{"value":false,"until_ms":99999999999999999999999}]}',
    b'{"rules":[{"value":%s}]}' % (b"[" * 500 + b"]" * 500),
]


@pytest.mark.parametrize("json", UNREADABLE)
def test_a_record_that_cannot_be_read_is_shown_as_such(json: bytes) -> None:
    """In the list, by itself and in the history; with the words for the others beside it."""
    change = Change(epoch=9, topic="switches", key="reviews", value=msgspec.Raw(json), by="ann", reason="x")
    view = view_of("reviews", REVIEWS, change, now_ms=NOW_MS)
    assert "The record of the switch 'reviews' cannot be" in view.problem
    assert view.value is True
    assert view.problem in text.table([view], NOW_MS)[1]
    assert any(view.problem in line for line in text.page(view, None, NOW_MS))
    assert "reviews" in text.entry_line(entry(change))


def test_nobody_changes_a_switch_without_a_name_and_a_reason(run: Run) -> None:
    """Also not to take something back."""

    async def scene(board: Board) -> None:
        record = SwitchRecord((off(stores=("7",)),))
        for said in ({"by": ""}, {"reason": ""}):
            assert isinstance(await board.put("reviews", record, **said), Unacceptable)
            assert isinstance(await board.put("reviews", None, **said), Unacceptable)

    run(scene)


def test_of_two_who_press_at_once_one_wins_and_the_other_is_told_who(run: Run) -> None:
    """Both looked at the same state."""

    async def scene(board: Board) -> None:
        one = board.put("reviews", SwitchRecord((off(stores=("7",)),)), if_epoch=0, by="ann")
        two = board.put("reviews", SwitchRecord((off(stores=("8",)),)), if_epoch=0, by="bob")
        outcomes = await asyncio.gather(one, two)
        assert [type(outcome) for outcome in outcomes] == [Change, Conflict]
        assert outcomes[1].current.by == "ann"

    run(scene)


def test_taking_back_what_reaches_everybody_is_a_change_that_reaches_everybody(run: Run) -> None:
    """The switch may have been off for a reason that still holds."""

    async def scene(board: Board) -> None:
        await board.put("reviews", SwitchRecord((off(), off(stores=("7",)))), confirmed=True)
        assert isinstance(await board.put("reviews", None), Unacceptable)
        assert isinstance(await board.put("reviews", SwitchRecord((off(),))), Change)
        assert isinstance(await board.put("reviews", None, confirmed=True), Change)

    run(scene)


def test_what_is_over_is_taken_out_of_the_record_and_the_history_says_why(run: Run) -> None:
    """What is not over stays."""

    async def scene(board: Board) -> None:
        ends = off(stores=("7",), until_ms=board.in_ms(1000))
        await board.put("reviews", SwitchRecord((off(stores=("8",)), ends)))
        await board.put("limit", SwitchRecord((Rule(value=5, until_ms=board.in_ms(1000), owner="a", reason="b"),)))
        await board.switchboard.expiry.look()
        assert len(board.record("reviews").rules) == 2
        board.clock.advance(Duration.from_s(1))
        await board.switchboard.expiry.look()
        assert board.record("reviews") == SwitchRecord((off(stores=("8",)),))
        assert board.node.log.get("switches", "limit") is None
        newest = board.store.history("switches", "limit", limit=1)[0]
        assert (newest.by, newest.reason) == ("tenfold", "was set until 2026-01-01T00:00:01.000Z")

    run(scene)


def test_who_renews_in_the_same_moment_wins_over_the_end(run: Run) -> None:
    """The end is written under the condition that nobody changed the switch."""

    async def scene(board: Board) -> None:
        record = SwitchRecord((off(stores=("7",), until_ms=board.in_ms(1000)),))
        renewed = SwitchRecord((off(stores=("7",), until_ms=board.in_ms(9000)),))
        await board.put("reviews", record)
        board.clock.advance(Duration.from_s(1))
        await asyncio.gather(board.put("reviews", renewed), board.switchboard.expiry.look())
        assert board.record("reviews") == renewed

    run(scene)


def test_a_declaration_that_is_none_becomes_no_record(run: Run) -> None:
    """Whoever sends it; what was declared well goes on."""

    async def scene(board: Board) -> None:
        bad = Declaration(name="bad", kind="json", default=1, schema={"$ref": "#"})
        payload = msgspec.Raw(msgspec.json.encode(DeclarationReport([bad, LIMIT])))
        board.node.hear_reports(Reports(API.id, [Report(DECLARED, payload), Report(DECLARED, msgspec.Raw(b"7"))]))
        await board.declare(msgspec.structs.replace(LIMIT, default=50))
        assert board.switchboard.declarations.get("bad") is None
        assert board.switchboard.declarations.get("reviews") == REVIEWS
        stray = Put(topic=DECLARED, key="other", value=msgspec.json.encode(LIMIT), by="x", reason="y")
        assert isinstance(await board.node.put(stray), Unacceptable)

    run(scene)


def test_a_declaration_that_is_known_is_not_written_again(run: Run) -> None:
    """Fifty processes that begin say it fifty times."""

    async def scene(board: Board) -> None:
        epoch = board.node.log.epoch
        for _ in range(50):
            await board.declare(REVIEWS, LIMIT)
        assert board.node.log.epoch == epoch

    run(scene)


def held(board: Board) -> dict[str, RecordsHeld]:
    """As the store has it, which a stranger may have edited."""
    return {"in the file": board.store.held()}


def edited(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute(statement).rowcount == 1


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "UPDATE changes SET change = CAST(replace(change, 'ann', 'bob') AS BLOB) WHERE epoch = 4",
            "epoch 4 is not what was written",
        ),
        ("UPDATE changes SET change = x'ff' WHERE epoch = 4", "epoch 4 is not what was written"),
        ("UPDATE changes SET digest = upper(digest) WHERE epoch = 3", "epoch 3 is not what was written"),
        ("DELETE FROM changes WHERE epoch = 3", "epoch 4 is not what was written"),
        (
            "UPDATE records SET change = CAST(replace(change, '7', '8') AS BLOB) WHERE topic = 'switches'",
            "'switches/reviews' in the file",
        ),
        ("DELETE FROM records WHERE topic = 'switches'", "'switches/reviews' in the file"),
    ],
)
def test_an_edit_of_the_history_or_of_what_is_in_force_is_found(
    run: Run, tmp_path: Path, statement: str, problem: str
) -> None:
    """By the chain of digests, and by following the history to what is in force."""

    async def scene(board: Board) -> None:
        for store in ("5", "6", "7"):
            await board.put("reviews", SwitchRecord((off(stores=(store,)),)))
        before = wholeness_of(board.store.chain(0, 100).links, held(board))
        assert (before.entries, before.problem) == (5, "")
        edited(tmp_path / "control.db", statement)
        after = wholeness_of(board.store.chain(0, 100).links, held(board))
        assert problem in after.problem

    run(scene)


@pytest.mark.parametrize("left", [4, 2, 0])
def test_a_history_whose_end_was_cut_off_is_found(run: Run, tmp_path: Path, left: int) -> None:
    """Also where what is in force was put back to what the rest of the history leads to, and where nothing is left."""

    async def scene(board: Board) -> None:
        for store in ("5", "6", "7"):
            await board.put("reviews", SwitchRecord((off(stores=(store,)),)))
        whole = board.store.chain(0, 100)
        assert whole.head == Head(5, whole.links[-1].digest)
        assert not ends_at(wholeness_of(whole.links, {}), whole.head).problem
        with closing(sqlite3.connect(tmp_path / "control.db")) as stranger, stranger:
            stranger.execute("DELETE FROM changes WHERE epoch > ?", (left,))
            stranger.execute("DELETE FROM records")
            stranger.execute(
                "INSERT INTO records SELECT topic, key, change FROM changes "
                "WHERE epoch IN (SELECT max(epoch) FROM changes GROUP BY topic, key)"
            )
        cut = board.store.chain(0, 100)
        wholeness = wholeness_of(cut.links, held(board))
        assert not wholeness.problem
        assert f"ends at epoch {left}, and was written up to epoch 5" in ends_at(wholeness, cut.head).problem

    run(scene)


def test_the_digest_of_a_change_is_said_outside_of_the_store(tmp_path: Path) -> None:
    """In its event: whoever can write the store cannot take that back."""

    async def scene(board: Board) -> None:
        await board.declare(LIMIT)
        await asyncio.gather(
            *(board.put("limit", SwitchRecord((Rule(value=n, owner="a", reason="b"),))) for n in (5, 6))
        )
        await board.node.put(Put(topic="hot-keys", key="k", value=b"1"))

    events = EventLog("control")
    board = Board(tmp_path, events)

    async def main() -> None:
        await board.node.open()
        board.switchboard.open()
        async with asyncio.timeout(10):
            await scene(board)
        await board.switchboard.close()
        await board.node.close()

    asyncio.run(main())
    said = [(event.detail["epoch"], event.detail["digest"]) for event in events]
    assert said == [(link.epoch, link.digest) for link in board.store.chain(0, 100).links]
    board.store.close()


def test_a_history_written_anew_is_found_by_whoever_noted_a_digest(run: Run) -> None:
    """Its chain is sound by itself."""

    async def scene(board: Board) -> None:
        links = board.store.chain(0, 100).links
        noted = (links[0].epoch, links[0].digest[:16])
        assert not wholeness_of(links, {}, seen=noted).problem
        assert "does not hold the digest" in wholeness_of(links, {}, seen=(noted[0], "0" * 16)).problem
        assert "does not hold the digest" in wholeness_of(links, {}, seen=(99, noted[1])).problem

    run(scene)


def effect(before: SwitchRecord, after: SwitchRecord, *, subject: bool = True, attributes: bool = True) -> Effect:
    """On two processes: one of store 7, one that reads for stores 8 and 9."""
    draft = Draft(name="reviews", if_epoch=0, before=before, after=after, declaration=REVIEWS)
    processes = [API, Process(id="p2", service="gateway")]

    def load(reads_per_s: float, service: str, store: str) -> ReadRate:
        return ReadRate("reviews", reads_per_s, service, store, subject=subject, attributes=attributes)

    loads = {
        "p1": LoadReport(5, [load(100, "api", "7")]),
        "p2": LoadReport(5, [load(10, "gateway", "8"), load(30, "gateway", "9")]),
        "gone": LoadReport(5, [load(1000, "api", "7")]),
    }
    return effect_of(draft, processes, loads, now_ms=1)


@pytest.mark.parametrize(
    ("before", "after", "processes", "stores", "reads_per_s"),
    [
        (NOTHING, (off(),), 2, ("7", "8", "9"), 140),
        (NOTHING, (off(stores=("7",)),), 1, ("7",), 100),
        (NOTHING, (off(stores=("9",)),), 1, ("9",), 30),
        (NOTHING, (off(services=("gateway",)),), 1, ("8", "9"), 40),
        (NOTHING, (off(percent=25),), 2, ("7", "8", "9"), 35),
        (NOTHING, (off(where={"channel": "app"}),), 2, ("7", "8", "9"), 140),
        (NOTHING, (Rule(value=True),), 0, (), 0),
        (SwitchRecord((off(percent=25),)), (off(percent=75),), 2, ("7", "8", "9"), 70),
        (SwitchRecord((off(percent=25),)), (Rule(value=None, percent=75),), 2, ("7", "8", "9"), 105),
        (SwitchRecord((off(),)), (off(), off(stores=("7",))), 0, (), 0),
        (SwitchRecord((off(until_ms=1),)), (off(),), 2, ("7", "8", "9"), 140),
    ],
)
def test_a_dry_run_says_what_a_change_would_touch(
    before: SwitchRecord, after: tuple[Rule, ...], processes: int, stores: tuple[str, ...], reads_per_s: float
) -> None:
    """Processes, stores and reads that would be answered otherwise, from those that live."""
    said = effect(before, SwitchRecord(after))
    assert (said.processes, said.stores, said.reads_per_s) == (processes, stores, reads_per_s)
    assert (said.processes_all, said.stores_all, said.reads_per_s_all) == (2, 3, 140)
    assert said.functions == ("product page",)


@pytest.mark.parametrize(
    ("rule", "subject", "attributes", "reads_per_s", "no_subject_per_s"),
    [
        (off(percent=50), False, True, 0, 140),
        (off(percent=50), True, False, 70, 0),
        (off(where={"channel": "app"}), True, False, 0, 0),
        (off(where={"channel": "app"}), False, True, 140, 0),
        (off(where={"channel": "app"}, percent=50), True, False, 0, 0),
        (off(where={"channel": "app"}, percent=50), False, True, 0, 140),
        (off(), False, False, 140, 0),
    ],
)
def test_a_dry_run_counts_no_read_that_a_rule_cannot_apply_to(
    rule: Rule, subject: bool, attributes: bool, reads_per_s: float, no_subject_per_s: float
) -> None:
    """A percentage never applies to a read without a subject, a rule on attributes to none without them."""
    said = effect(NOTHING, SwitchRecord((rule,)), subject=subject, attributes=attributes)
    assert (said.reads_per_s, said.no_subject_per_s) == (reads_per_s, no_subject_per_s)
    assert any("name no subject" in line for line in text.effect_lines(said, NOW_MS)) is bool(no_subject_per_s)


def test_a_dry_run_says_that_it_is_at_least_so_much_where_reads_are_not_told_apart() -> None:
    """A store beyond those that a process tells apart is not counted as nothing."""
    after = SwitchRecord((off(stores=("300",)),))
    draft = Draft(name="reviews", if_epoch=0, before=NOTHING, after=after, declaration=REVIEWS)
    report = LoadReport(10.0, [], elsewhere_per_s={"reviews": 40.0, "another": 7.0})
    said = effect_of(draft, [API], {API.id: report}, now_ms=NOW_MS)
    assert (said.reads_per_s, said.elsewhere_per_s) == (0, 40)
    assert "at least: about 40 more come from places" in "".join(text.effect_lines(said, NOW_MS))


@pytest.mark.parametrize(
    ("before", "after", "subject", "reads_per_s"),
    [
        (10, Rule(value=11), True, 1),
        (10, Rule(value=60), True, 50),
        (10, Rule(value=60, percent=10), True, 5),
        (10, Rule(value=11), False, 100),
    ],
)
def test_a_dry_run_of_a_percentage_counts_those_between_the_two(
    before: float, after: Rule, subject: bool, reads_per_s: float
) -> None:
    """Whoever is in at 10 is in at 11; only a read that names nobody is answered with the figure itself."""
    share = Declaration(name="share", kind="percentage", default=before)
    draft = Draft(name="share", if_epoch=0, before=NOTHING, after=SwitchRecord((after,)), declaration=share)
    loads = {"p1": LoadReport(5, [ReadRate("share", 100, "api", "7", subject=subject)])}
    said = effect_of(draft, [API], loads, now_ms=1)
    assert (said.reads_per_s, said.reads_per_s_all, said.processes) == (reads_per_s, 100, 1)


def test_a_dry_run_does_not_count_peoples_own_tools() -> None:
    """`tenfold switch watch` follows the node as well."""
    control = MemoryControl(VirtualClock())
    control.follow(API)
    control.follow(Process(id="p9", service="operator"))
    operator = SwitchOperator(control, by="ann")  # type: ignore[arg-type]
    said = operator.effect(operator.draft_set("reviews", off()))
    assert (said.processes, said.processes_all) == (1, 1)


def test_what_is_changed_between_two_looks_is_no_edit() -> None:
    """However often: what is in force is compared with the history as far as it went then."""
    control = BusyControl(VirtualClock())
    control.declare(REVIEWS)
    operator = SwitchOperator(control, by="ann")  # type: ignore[arg-type]
    for _ in range(3):
        assert not operator.verify().problem
    control.log.append(msgspec.structs.replace(control.log.records(TOPIC)[0], epoch=control.log.epoch + 1, by="eve"))
    assert "'switches/reviews' in force is not what the history says" in operator.verify().problem


class BusyControl(MemoryControl):
    """Somebody changes a switch whenever it has said what is in force."""

    def held(self) -> dict[str, RecordsHeld]:
        said = super().held()
        rule = Rule(value=bool(self.log.epoch % 2), owner="ben", reason="busy")
        self.put(TOPIC, "reviews", SwitchRecord((rule,)), by="ben", reason="busy", confirmed=True)
        return said


def test_a_dry_run_says_what_is_set_until_when_and_whose_settings_go() -> None:
    """`--until 02:00` typed at 02:05 is nearly a day."""
    theirs = Rule(value=True, percent=10, owner="ben", reason="pilot")
    lines = list(
        text.effect_lines(effect(SwitchRecord((theirs,)), SwitchRecord((off(until_ms=NOW_MS + 86_100_000),))), NOW_MS)
    )
    assert lines[1].startswith("  sets: off for everybody, for 23 h 55 min, until ")
    assert re.search(r"\d\d:\d\d:\d\d[+-]\d{4}$", lines[1])
    assert lines[2] == "  takes away: on for 10 % of subjects, until somebody changes it; ben: pilot"


def test_a_dry_run_names_the_narrower_rules_that_will_go_on_holding() -> None:
    """Whoever throws a switch for all should know who is not reached."""
    kept = Rule(value=True, stores=("7",), owner="ann", reason="pilot")
    said = effect(SwitchRecord((kept,)), SwitchRecord((kept, off())))
    assert said.narrower == (kept,)
    assert said.stores == ("8", "9")
    assert any("stays as it is" in line for line in text.effect_lines(said, NOW_MS))


def test_who_refuses_a_change_does_not_have_it_in_force() -> None:
    """By its acknowledgement, or by how it says that it stands; whoever has not heard of it yet is told apart."""
    presences = [
        Presence(process=Process(id=f"p{number}", service="api", pid=number), epoch=epoch, since_ns=0)
        for number, epoch in enumerate((7, 7, 9, 6))
    ]
    acks = [Ack("p0", 2_000_000, 0), Ack("p1", 1_000_000, 0, "20 is more than 10.")]
    standings = {
        "p2": SwitchStanding(
            refused=(RecordRefusal("limit", 7, "20 is more than 5."), RecordRefusal("limit", 3, "old"))
        )
    }
    follows = following(7, presences, acks, standings)
    assert (follows.processes, follows.applied, follows.missing, follows.complete) == (4, 1, ("api/3",), False)
    assert follows.refused == (Refused("api/1", "20 is more than 10."), Refused("api/2", "20 is more than 5."))
    assert (follows.slowest, follows.slowest_ms) == ("api/0", 2.0)
    assert (
        text.acknowledged(follows)
        == "in force in 1 of 4 processes, median 2.0 ms, slowest 2.0 ms (api/0); refused in 2 processes: "
        "20 is more than 10 (api/1, api/2); not yet in api/3"
    )
    assert following(7, presences[:3], acks, standings).complete


def test_a_list_says_value_scope_time_left_owner_and_reason() -> None:
    """One line a switch."""
    views = [
        SwitchView(name="limit", kind="integer", tier="", says="", default=100, value=100),
        SwitchView(
            name="reviews",
            kind="boolean",
            tier="P3",
            says="",
            default=True,
            value=False,
            rules=(off(percent=10, stores=("7", "8")), off(until_ms=1_800_000)),
        ),
    ]
    assert text.table(views, 0) == [
        "SWITCH   TIER  VALUE          ELSEWHERE                          TIME LEFT  OWNER  REASON",
        "limit          100 (default)",
        "reviews  P3    off            off 10 % of subjects, stores 7, 8  30 min     ann    slow",
    ]
