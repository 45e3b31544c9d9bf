"""Switches without a node: which value holds, what is refused, what ends by itself, what is told and reported."""

import os
import threading
from typing import Any

import msgspec
import pytest
from tests.channel_in_memory import MemoryChannel

from tenfold.channel import State
from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.live.switches import (
    Declaration,
    DeclarationInvalid,
    Place,
    RecordInvalid,
    Rule,
    SchemaInvalid,
    Switches,
    SwitchesBusy,
)
from tenfold.protect.live.switches.declaration import DECLARED
from tenfold.protect.live.switches.place_rules import Said
from tenfold.protect.live.switches.reporter import AGAIN_EVERY_MS, BYTES_MAX, LOADS_EVERY_MS
from tenfold.protect.live.switches.reports import LOADS, STANDING, SWITCHES_MAX, LoadReport, ReadRate
from tenfold.protect.live.switches.schema import check_schema, problem_with
from tenfold.protect.live.switches.switch import PLACES_MAX
from tenfold.telemetry import EventLog, Registry


class World:
    """Switches that follow a channel, and a clock that stands still."""

    def __init__(self, *, store: str = "") -> None:
        self.clock = VirtualClock()
        self.channel = MemoryChannel(store=store, instance="a")
        self.registry = Registry()
        self.events = EventLog("test")
        self.switches = Switches(registry=self.registry, events=self.events, clock=self.clock)

    def in_ms(self, length_ms: int) -> int:
        return self.clock.wall_ns() // 1_000_000 + length_ms

    def pass_ms(self, length_ms: int) -> None:
        self.clock.advance(Duration.from_ms(length_ms))
        self.switches.look()

    def count(self, name: str) -> float:
        return next(child.value for family in self.registry if family.name == name for _, child in family)  # type: ignore[union-attr]


def test_the_default_holds_while_nothing_is_known() -> None:
    """Before a channel, with one that has nothing, and after the record is gone."""
    world = World()
    switch = world.switches.boolean("recommendations", default=True)
    assert (switch(), switch.read(), switch.on, switch.value, switch.at(store="7", subject="x")) == (True,) * 5
    with world.switches.following(world.channel, tended=False):
        assert switch() is True
        world.channel.put_record("recommendations", Rule(value=False))
        assert (switch(), switch.read(), switch.on, switch.value, switch.at(store="7", subject="x")) == (False,) * 5
        world.channel.put_raw("switches", "recommendations", None)
        assert switch() is True


def test_what_was_set_before_the_switch_was_declared_holds_from_its_first_read() -> None:
    """As the last good state on disk does, when a process begins with the node dead."""
    world = World()
    world.channel.put_record("rate", Rule(value=3))
    with world.switches.following(world.channel, tended=False):
        assert world.switches.integer("rate", default=1).read() == 3


RULES = [
    Rule(value="everybody"),
    Rule(value="ten percent", percent=10),
    Rule(value="the app", where={"channel": "app"}),
    Rule(value="this service", services=("shop",)),
    Rule(value="this store", stores=("7",)),
    Rule(value="a part of this store", stores=("7",), percent=10),
    Rule(value="this instance", instances=("a",)),
]


@pytest.mark.parametrize("count", range(1, len(RULES) + 1))
@pytest.mark.parametrize("turned", [False, True])
def test_the_narrowest_rule_wins_in_whatever_order_they_were_set(count: int, turned: bool) -> None:
    """Instance before store before service before attributes before a percentage before everybody."""
    world = World(store="7")
    switch = world.switches.text("page", default="nobody")
    subject = next(f"c-{n}" for n in range(1000) if _in_ten_percent("page", f"c-{n}"))
    with world.switches.following(world.channel, tended=False):
        rules = RULES[:count]
        world.channel.put_record("page", *(rules[::-1] if turned else rules))
        assert switch.at(subject=subject, where={"channel": "app"}) == rules[-1].value


def test_of_two_equally_narrow_rules_the_later_wins() -> None:
    """A store that two lists name."""
    world = World()
    switch = world.switches.text("page", default="nobody")
    with world.switches.following(world.channel, tended=False):
        world.channel.put_record("page", Rule(value="one", stores=("7", "8")), Rule(value="two", stores=("7", "9")))
        assert [switch.at(store=store) for store in ("7", "8", "9", "10")] == ["two", "one", "two", "nobody"]


def test_a_plain_read_is_for_this_process_and_no_percentage_counts_for_nobody() -> None:
    """Own store, own instance; a percentage takes a subject."""
    world = World(store="7")
    switch = world.switches.boolean("reviews", default=True)
    with world.switches.following(world.channel, tended=False):
        world.channel.put_record("reviews", Rule(value=False, stores=("7",)), Rule(value=False, percent=100))
        assert switch() is False
        assert switch.at(store="8") is True
        assert switch.at(store="8", subject="anybody") is False


def test_a_percentage_grows_by_keeping_whoever_was_in_it() -> None:
    """And 0 is nobody, 100 everybody."""
    world = World()
    share = world.switches.percentage("new-checkout", default=0)
    with world.switches.following(world.channel, tended=False):
        inside: list[set[int]] = []
        for percent in (0, 10, 50, 100):
            world.channel.put_record("new-checkout", Rule(value=percent))
            inside.append({n for n in range(400) if share.holds(f"c-{n}")})
    assert inside[0] == set()
    assert inside[0] < inside[1] < inside[2] < inside[3] == set(range(400))


def test_a_rule_with_an_end_goes_back_by_itself_at_that_moment() -> None:
    """Nobody says anything; who wants to hear of changes hears of this one."""
    world = World()
    switch = world.switches.boolean("reviews", default=True)
    heard: list[bool] = []
    names: list[str] = []
    with world.switches.following(world.channel, tended=False):
        switch.on_change(heard.append)
        world.channel.put_record("reviews", Rule(value=False, until_ms=world.in_ms(60_000)))
        world.switches.listen(names.append)
        world.pass_ms(59_999)
        assert switch() is False
        world.pass_ms(1)
        assert switch() is True
        assert switch.at(store="7") is True
    assert heard == [True, False, True]
    assert names == ["reviews"]
    assert world.count("tenfold_switch_ended_total") == 1


def _broken(_: object) -> None:
    raise OSError("broken on purpose")


def test_a_listener_of_events_that_raises_keeps_no_switch_from_going_back() -> None:
    """Neither the one whose end it hears of nor those after it."""
    world = World()
    switches = [world.switches.boolean(name, default=True) for name in ("reviews", "banners")]
    with world.switches.following(world.channel, tended=False):
        for switch in switches:
            world.channel.put_record(switch.name, Rule(value=False, until_ms=world.in_ms(1_000)))
        world.events.listen(_broken)
        world.pass_ms(1_000)
        assert [switch() for switch in switches] == [True, True]
    assert world.count("tenfold_switch_callback_failures_total") == 2


def test_a_listener_of_events_that_raises_leaves_a_refusal_a_refusal() -> None:
    """The acknowledgement says what became of the change, and why."""
    world = World()
    world.switches.boolean("reviews", default=True)
    world.events.listen(_broken)
    with world.switches.following(world.channel, tended=False):
        world.channel.put_raw("switches", "reviews", b"7")
        assert [type(error) for error in world.channel.raised] == [RecordInvalid]
        world.channel.put_record("reviews", Rule(value=False))
        assert "broken on purpose" in str(world.channel.raised[1])


def test_a_child_ends_what_is_over_though_somebody_raised_when_it_took_up_what_is_set() -> None:
    """Its thread begins all the same, and so does everybody else's who is told of a fork."""
    world = World()
    world.switches.boolean("reviews", default=True)
    world.channel.put_record("reviews", Rule(value=False))
    with world.switches.following(world.channel):
        world.events.listen(_broken)
        pid = os.fork()
        if not pid:
            names = [thread.name for thread in threading.enumerate()]
            os._exit(0 if names == ["MainThread", "tenfold-switches"] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


class SetBack(VirtualClock):
    """A clock on the wall that somebody may set back."""

    lag_ns = 0

    def wall_ns(self) -> int:
        return super().wall_ns() - self.lag_ns


def test_an_ended_rule_stays_ended_though_the_clock_is_set_back() -> None:
    """With the node dead nobody takes it out of the record; it does not begin again when the record comes once more
    either. Whoever renews it renews it.
    """
    world = World()
    world.clock = clock = SetBack()
    world.switches = Switches(registry=world.registry, clock=clock)
    switch = world.switches.boolean("reviews", default=True)
    ends = Rule(value=False, until_ms=world.in_ms(60_000))
    other = Rule(value=False, stores=("7",))
    with world.switches.following(world.channel, tended=False):
        world.channel.put_record("reviews", ends, other)
        world.pass_ms(60_000)
        assert switch() is True
        clock.lag_ns = Duration.from_s(3600).ns
        world.pass_ms(1)
        assert switch() is True
        world.channel.put_record("reviews", ends, other)
        assert switch() is True
        assert switch.at(store="7") is False
        world.channel.put_record("reviews", Rule(value=False, until_ms=world.in_ms(60_000)), other)
        assert switch() is False
    assert world.count("tenfold_switch_ended_total") == 1


def test_what_lies_beneath_an_ended_rule_holds_again() -> None:
    """A store was off for a minute within a week of half the limit."""
    world = World()
    limit = world.switches.number("limit", default=100)
    with world.switches.following(world.channel, tended=False):
        ends = world.in_ms(60_000)
        world.channel.put_record("limit", Rule(value=50), Rule(value=10, stores=("7",), until_ms=ends))
        assert limit.at(store="7") == 10
        world.pass_ms(60_000)
        assert limit.at(store="7") == 50


def test_a_rule_that_is_over_already_is_never_in_force() -> None:
    """As one of a snapshot on disk may be."""
    world = World()
    world.channel.put_record("reviews", Rule(value=False, until_ms=world.in_ms(-1)))
    with world.switches.following(world.channel, tended=False):
        assert world.switches.boolean("reviews", default=True)() is True


BAD = [
    b"{",
    b"7",
    b"null",
    b'{"rules":7}',
    b'{"rules":[{"value":"off"}]}',
    b'{"rules":[{"value":1}]}',
    b'{"rules":[{"value":false,"region":"north"}]}',
    b'{"rules":[{"value":false,"percent":101}]}',
    b'{"rules":[' + b'{"value":false},' * 64 + b'{"value":false}]}',
]


@pytest.mark.parametrize("json", BAD)
def test_a_record_that_cannot_be_leaves_the_last_good_one_in_force(json: bytes) -> None:
    """It is counted, and the acknowledgement says so. A scope that is not understood must not widen a rule."""
    world = World()
    switch = world.switches.boolean("reviews", default=True)
    with world.switches.following(world.channel, tended=False):
        world.channel.put_record("reviews", Rule(value=False))
        world.channel.put_raw("switches", "reviews", json)
        assert switch() is False
        assert world.channel.failures == 1
        assert world.count("tenfold_switch_refused_total") == 1


def test_what_was_set_before_is_checked_when_the_switch_is_declared() -> None:
    """A number that the code was not written for is not used, once and for all."""
    world = World()
    world.channel.put_record("rate", Rule(value=900))
    with world.switches.following(world.channel, tended=False):
        rate = world.switches.integer("rate", default=1, maximum=500)
        assert rate() == 1
        for _ in range(3):
            world.switches.look()
    assert world.count("tenfold_switch_refused_total") == 1


def test_who_wants_to_hear_of_changes_hears_each_once_and_in_order() -> None:
    """The value now, then every other; a change for others is none here; who left hears nothing."""
    world = World()
    rate = world.switches.integer("rate", default=1)
    heard: list[int] = []
    with world.switches.following(world.channel, tended=False):
        leave = rate.on_change(heard.append)
        for value in (2, 2, 3):
            world.channel.put_record("rate", Rule(value=value))
        world.channel.put_record("rate", Rule(value=3), Rule(value=9, stores=("7",)))
        leave()
        world.channel.put_record("rate", Rule(value=4))
    assert heard == [1, 2, 3]


def test_a_callback_that_raises_neither_stops_the_change_nor_the_others() -> None:
    """But it is counted, and the acknowledgement says so."""
    world = World()
    rate = world.switches.integer("rate", default=1)
    heard: list[int] = []

    def broken(value: int) -> None:
        if value == 2:
            raise RuntimeError("broken on purpose")

    with world.switches.following(world.channel, tended=False):
        rate.on_change(broken)
        rate.on_change(heard.append)
        world.channel.put_record("rate", Rule(value=2))
        assert rate() == 2
    assert heard == [1, 2]
    assert world.channel.failures == 1
    assert world.count("tenfold_switch_callback_failures_total") == 1


def test_reading_never_raises_whatever_is_asked() -> None:
    """Places and attributes of any type; a subject that has no text."""
    world = World()
    switch = world.switches.boolean("reviews", default=True)

    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("broken on purpose")

        def __eq__(self, _: object) -> bool:
            raise RuntimeError("broken on purpose")

    with world.switches.following(world.channel, tended=False):
        world.channel.put_record("reviews", Rule(value=False, where={"a": 1}), Rule(value=False, percent=50))
        odd: Any = Odd()
        answers = [
            switch.at(store=[]),  # type: ignore[arg-type]
            switch.at(store=odd),
            switch.at(subject=odd),
            switch.at(where=odd),
            switch.at(where={"a": odd}),
            switch.at(store=7, subject=8),  # type: ignore[arg-type]
            switch.at(subject="\ud800"),
        ]
    assert {type(answer) for answer in answers} == {bool}
    assert world.switches.percentage("share", default=50).holds(odd) is False


def test_a_true_attribute_is_no_one_and_a_store_may_be_a_number() -> None:
    """JSON knows the difference; people write store numbers as numbers."""
    world = World()
    switch = world.switches.boolean("reviews", default=True)
    with world.switches.following(world.channel, tended=False):
        world.channel.put_record("reviews", Rule(value=False, where={"age": 1}), Rule(value=False, stores=("7",)))
        assert switch.at(where={"age": True}) is True
        assert switch.at(where={"age": 1.0}) is False
        assert switch.at(store=7) is False  # type: ignore[arg-type]


def test_places_are_bounded_and_those_beyond_are_answered_right() -> None:
    """However many stores there are."""
    world = World()
    switch = world.switches.boolean("reviews", default=True)
    with world.switches.following(world.channel, tended=False):
        world.channel.put_record("reviews", Rule(value=False, stores=("9999",)))
        for store in range(2 * PLACES_MAX):
            assert switch.at(store=str(store)) is True
        assert switch.at(store="9999") is False
        for _ in range(3):
            switch()
        reads = switch.reads()
    assert len(reads) <= PLACES_MAX + 1
    assert reads[Place("shop", "", "a"), Said()] == 3
    assert sum(reads.values()) + switch.reads_elsewhere() == 2 * PLACES_MAX + 1 + 3
    assert switch.reads_elsewhere() == 0


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"name": "Bad Name"}, "'Bad Name' cannot be declared: a name is 1 to 128 of a-z"),
        ({"name": ""}, "a name is"),
        ({"name": "-x"}, "beginning with a letter or a digit"),
        ({"name": "line\n"}, "a name is"),
        ({"name": "x" * 129}, "a name is"),
        ({"tier": "P4"}, "'P4' is no tier; one of P0, P1, P2, P3"),
        ({"stores_max": -1}, "stores_max"),
        ({"labels": {"cost": None}}, "labels"),
    ],
)
def test_what_the_node_could_not_read_is_refused_where_it_is_declared(said: dict[str, Any], why: str) -> None:
    """Else it would be declared here, and known nowhere."""
    switches = Switches()
    with pytest.raises(DeclarationInvalid, match=why):
        switches.boolean(**{"name": "reviews", "default": True, **said})
    assert list(switches) == []


def test_a_name_is_declared_alike_everywhere_or_not_at_all() -> None:
    """The same words give the same switch; others are a fault of the code, said where it is made."""
    switches = Switches()
    assert switches.boolean("a", default=True) is switches.boolean("a", default=True)
    with pytest.raises(DeclarationInvalid, match="declared twice"):
        switches.boolean("a", default=False)
    with pytest.raises(DeclarationInvalid, match="its own default"):
        switches.integer("b", default=7, maximum=5)
    with pytest.raises(SchemaInvalid, match="'pattern' is not known"):
        switches.json("c", default="x", schema={"pattern": ".*"})


def _sorting(*choices: str) -> Declaration:
    return Declaration(name="sorting", kind="text", default="price", schema={"enum": list(choices)})


def test_a_borrowed_declaration_follows_the_nodes() -> None:
    """Another process was deployed with one choice more; what is set to it holds here, and is acknowledged."""
    world = World()
    world.channel.put(DECLARED, "sorting", _sorting("price", "name"))
    with world.switches.following(world.channel, tended=False):
        assert world.switches.known("sorting").read() == "price"  # type: ignore[union-attr]
        world.channel.put(DECLARED, "sorting", _sorting("price", "name", "age"))
        world.channel.put_record("sorting", Rule(value="age"))
        assert world.channel.failures == 0
        assert world.switches.known("sorting").read() == "age"  # type: ignore[union-attr]
        world.channel.put_raw(DECLARED, "sorting", b"7")
        assert world.switches.known("sorting").read() == "age"  # type: ignore[union-attr]


def test_what_a_borrowed_declaration_refused_holds_once_the_nodes_allows_it() -> None:
    """Whichever came first, the value or what allows it."""
    world = World()
    world.channel.put(DECLARED, "sorting", _sorting("price", "name"))
    with world.switches.following(world.channel, tended=False):
        assert world.switches.known("sorting").read() == "price"  # type: ignore[union-attr]
        world.channel.put_record("sorting", Rule(value="age"))
        assert world.channel.failures == 1
        world.channel.put(DECLARED, "sorting", _sorting("price", "name", "age"))
        assert world.switches.known("sorting").read() == "age"  # type: ignore[union-attr]
        world.pass_ms(1)
    assert _stood(world) == []


@pytest.mark.parametrize("choices", [("price", "name"), ("price", "name", "age")])
def test_a_declaration_of_its_own_takes_the_place_of_a_borrowed_one(choices: tuple[str, ...]) -> None:
    """Alike or not: it is what code says here, and the node is told so. A second one has to be alike as ever."""
    world = World()
    world.channel.put(DECLARED, "sorting", _sorting("price", "name"))
    world.channel.put_record("sorting", Rule(value=choices[-1]))
    with world.switches.following(world.channel, tended=False):
        world.switches.known("sorting")
        world.switches.look()
        assert _declared(world) == []
        switch = world.switches.text("sorting", default="price", choices=choices)
        assert switch() == choices[-1]
        assert switch is world.switches.known("sorting")
        world.channel.put(DECLARED, "sorting", _sorting("price"))
        assert switch is world.switches.known("sorting")
        world.switches.look()
        with pytest.raises(DeclarationInvalid, match="declared twice"):
            world.switches.text("sorting", default="price", choices=("price", "size"))
    assert _declared(world) == [["sorting"]]


def test_switches_follow_one_channel() -> None:
    """A second would overrule the first."""
    world = World()
    with world.switches.following(world.channel, tended=False), pytest.raises(SwitchesBusy):
        world.switches.open(MemoryChannel())
    world.switches.open(world.channel)
    world.switches.close()


def test_what_was_taken_back_while_nothing_was_followed_is_taken_back_at_the_next_opening() -> None:
    """The channel tells what there is, not what there is no longer; who listens hears of it. A refusal goes too."""
    world = World()
    switches = [world.switches.boolean(name, default=True) for name in ("reviews", "banners", "images")]
    with world.switches.following(world.channel, tended=False):
        for switch in switches[:2]:
            world.channel.put_record(switch.name, Rule(value=False))
        world.channel.put_record("images", Rule(value=7))
    world.channel.put_raw("switches", "reviews", None)
    world.channel.put_raw("switches", "images", None)
    heard: list[str] = []
    world.switches.listen(heard.append)
    with world.switches.following(world.channel, tended=False):
        assert [switch() for switch in switches] == [True, False, True]
        assert sorted(heard) == ["banners", "images", "reviews"]
        world.pass_ms(1)
    assert _stood(world) == []


def test_what_is_set_stays_so_with_another_channel_until_its_node_is_heard() -> None:
    """With the node away everything is as last known; once it is there, what it does not have is not set."""
    world = World()
    switch = world.switches.boolean("reviews", default=True)
    with world.switches.following(world.channel, tended=False):
        world.channel.put_record("reviews", Rule(value=False))
    other = MemoryChannel()
    other.state = State()
    with world.switches.following(other, tended=False):
        world.pass_ms(1)
        assert switch() is False
        other.state = State("i", "b", 0, {})
        world.pass_ms(1)
        assert switch() is True
        other.put_record("reviews", Rule(value=False))
        world.pass_ms(1)
        assert switch() is False


def test_declarations_are_told_and_told_again_to_a_node_that_began_anew() -> None:
    """Also what is declared later; and what the node has not made a record of."""
    world = World()
    world.switches.boolean("a", default=True, tier="P3", says="what it is for", functions=("home page",))
    with world.switches.following(world.channel, tended=False):
        world.switches.look()
        world.switches.integer("b", default=1)
        world.switches.look()
        first = _declared(world)
        world.channel.state = State("i", "another boot", 1, {})
        world.switches.look()
        world.pass_ms(10_000)
    assert first == [["a"], ["b"]]
    assert _declared(world) == [["a"], ["b"], ["a", "b"], ["a", "b"]]


def test_reads_are_reported_by_place_as_rates() -> None:
    """A plain read is of this process; the newest report counts from the one before; what a read says is told."""
    world = World(store="7")
    switch = world.switches.boolean("a", default=True)
    with world.switches.following(world.channel, tended=False):
        world.switches.look()
        for _ in range(100):
            switch()
            switch.read()
        for _ in range(50):
            switch.at(store="8")
            switch.at(store="8", subject="c")
            switch.at(where={"channel": "app"}, subject="c")
        world.pass_ms(LOADS_EVERY_MS)
        world.pass_ms(LOADS_EVERY_MS)
    loads = [payload["loads"] for topic, payload in world.channel.reports if topic == LOADS]
    assert loads[0] == [
        ["a", 40.0, "shop", "7", "a", False, False],
        ["a", 10.0, "shop", "7", "a", True, True],
        ["a", 10.0, "shop", "8", "a", False, False],
        ["a", 10.0, "shop", "8", "a", True, False],
    ]
    assert loads[1:] == [[]]
    assert world.count("tenfold_switch_reads_total") == 350


def _loads(world: World) -> LoadReport:
    """Of one turn, as the node reads it."""
    world.channel.reports.clear()
    world.pass_ms(LOADS_EVERY_MS)
    [payload] = [payload for topic, payload in world.channel.reports if topic == LOADS]
    assert len(msgspec.json.encode(payload)) <= BYTES_MAX
    return msgspec.convert(payload, LoadReport)


def test_reads_from_places_that_are_not_told_apart_are_told_as_such() -> None:
    """A dry run for the 300th store must not say that nobody reads there."""
    world = World()
    switch = world.switches.boolean("a", default=True)
    with world.switches.following(world.channel, tended=False):
        world.switches.look()
        for _ in range(5):
            switch()
            for store in range(PLACES_MAX + 19):
                switch.at(store=str(store))
        report = _loads(world)
        again = _loads(world)
    assert (len(report.loads), report.elsewhere_per_s, report.unnamed_per_s) == (PLACES_MAX, {"a": 20}, 0)
    assert ReadRate("a", 1, "shop", "", "a") in report.loads
    assert again == LoadReport(LOADS_EVERY_MS / 1000, [])
    assert world.count("tenfold_switch_reads_total") == 5 * (PLACES_MAX + 20)


@pytest.mark.parametrize("length", [1, 1_000, 1 << 16])
def test_a_report_that_is_too_large_says_what_it_does_not_tell_apart(length: int) -> None:
    """Too many places, too many bytes, or a single place that is too long: no read is lost."""
    world = World()
    switches = [world.switches.boolean(f"{n:x<128}", default=True) for n in range(SWITCHES_MAX + 50)]
    with world.switches.following(world.channel, tended=False):
        world.switches.look()
        for n, switch in enumerate(switches):
            for store in range(10):
                for _ in range(1 + n % 3):
                    switch.at(store=str(store) * length)
        report = _loads(world)
    told = sum(load.reads_per_s for load in report.loads) + sum(report.elsewhere_per_s.values())
    assert told + report.unnamed_per_s == pytest.approx(len(switches) * 10 * 2 / 5)
    assert len(report.elsewhere_per_s) == SWITCHES_MAX
    assert report.unnamed_per_s > 0


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("value", [(1 << 53) - 1, -((1 << 53) - 1), 1.7e308, nested(32)])
def test_what_every_json_reader_holds_may_be(value: Any) -> None:
    """To the very bound."""
    assert not problem_with(value, {})


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        ({"type": "integer"}, True, "True is no integer"),
        ({"type": ["integer", "null"]}, "x", "'x' is no integer or null"),
        ({"enum": [1, "a"]}, True, "True is none of 1, 'a'"),
        ({"minimum": 5}, 4, "4 is less than 5"),
        ({"maximum": 5}, 5.5, "5.5 is more than 5"),
        ({"type": "number"}, float("inf"), "inf is not finite"),
        (
            {"type": "integer"},
            1 << 53,
            "9007199254740992 is beyond 9007199254740991, the largest integer that every JSON reader holds",
        ),
        (
            {},
            {"a": [-(10**50)]},
            f"-1{'0' * 50} at /a/0 is beyond 9007199254740991, the largest integer that every JSON reader holds",
        ),
        ({}, nested(33), "it is nested more than 32 deep"),
        ({}, nested(900), "it is nested more than 32 deep"),
        ({"maxLength": 2}, "abc", "'abc' has more than 2 characters"),
        ({"items": {"type": "string"}}, ["a", 1], "1 at /1 is no string"),
        ({"required": ["a"]}, {}, "'a' is missing"),
        ({"properties": {"a": {"properties": {"b": {"minimum": 1}}}}}, {"a": {"b": 0}}, "0 at /a/b is less than 1"),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"b": 1}, "'b' is not known"),
    ],
)
def test_a_bad_value_is_named_with_its_place(schema: dict[str, Any], value: Any, problem: str) -> None:
    """So that whoever set it knows what to change."""
    check_schema(schema)
    assert problem_with(value, schema) == problem


@pytest.mark.parametrize("schema", [{"type": "bool"}, {"minimum": "1"}, {"$ref": "#"}, [], {"items": {"x": 1}}])
def test_a_schema_that_says_what_nobody_checks_is_refused(schema: Any) -> None:
    """Instead of being believed."""
    with pytest.raises(SchemaInvalid):
        check_schema(schema)


def _declared(world: World) -> list[list[str]]:
    reports = [payload for topic, payload in world.channel.reports if topic == "switch-declarations"]
    return [[declaration["name"] for declaration in report["declarations"]] for report in reports]


def _in_ten_percent(name: str, subject: str) -> bool:
    return Rule(value=0, percent=10).applies(_bucket(name, subject), {})


def _bucket(name: str, subject: str) -> int:
    from tenfold.protect.live.switches import bucket_of

    return bucket_of(name, subject)


def _stood(world: World) -> list[Any]:
    return [payload for topic, payload in world.channel.reports if topic == STANDING]


def test_what_is_refused_is_told_for_as_long_as_it_is() -> None:
    """Also of a record that was there before the switch; and to a node that has begun anew."""
    world = World()
    world.channel.put_record("limit", Rule(value=20))
    with world.switches.following(world.channel, tended=False):
        world.switches.integer("limit", default=1, maximum=10)
        world.pass_ms(1)
        why = "The switch 'limit' was set to what it may not be here: 20 is more than 10."
        assert _stood(world) == [{"refused": [["limit", 1, why]]}]
        world.pass_ms(1)
        assert len(_stood(world)) == 1
        world.channel.state = State("i", "another boot", world.channel.state.epoch, world.channel.state.topics)
        world.pass_ms(1)
        assert len(_stood(world)) == 2
        world.channel.put_record("limit", Rule(value=30))
        world.pass_ms(1)
        assert _stood(world)[-1]["refused"][0][1] == 2
        world.channel.put_record("limit", Rule(value=5))
        world.pass_ms(1)
        assert _stood(world)[-1] == {}
        count = len(_stood(world))
        world.pass_ms(AGAIN_EVERY_MS)
        assert len(_stood(world)) == count


def test_a_declaration_that_differs_from_the_nodes_is_told_with_what_differs() -> None:
    """Two versions of a service may run at once."""
    world = World()
    with world.switches.following(world.channel, tended=False):
        switch = world.switches.integer("limit", default=1, maximum=10)
        world.channel.put(DECLARED, "limit", switch.declaration)
        world.pass_ms(1)
        assert _stood(world) == []
        other = msgspec.structs.replace(switch.declaration, default=2, schema={"maximum": 50})
        world.channel.put(DECLARED, "limit", other)
        world.pass_ms(1)
        assert _stood(world) == [{"otherwise": [["limit", ["default", "schema"]]]}]
        world.channel.put_raw(DECLARED, "limit", b"7")
        world.pass_ms(1)
        assert _stood(world)[-1] == {}
