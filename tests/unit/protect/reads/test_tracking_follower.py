"""From one connection to the next: when targets are doubted, and when they are proven again; on virtual time."""

from collections.abc import Callable

import pytest
from tests.tracked_server import PREFIX, Memory, World

from tenfold.kernel import Duration, TenfoldError
from tenfold.protect.reads.valkey.tracking.follower import TrackingFollower, TrackingInvalid
from tenfold.protect.reads.valkey.tracking.gap import StreamBroken, TrackingPace
from tenfold.protect.reads.valkey.tracking.notice import Notice, name_of
from tenfold.protect.reads.valkey.tracking.question import Referred


def settled(world: World) -> World:
    world.run(50)
    assert world.memory.proven
    return world


def gaps(world: World, gap: str) -> int:
    family = world.registry.counter("tenfold_tracking_gaps_total", "", ("tracking", "prefix", "gap"))
    return family.child("main", PREFIX, gap).value


def happened(world: World) -> list[str]:
    return [event.kind for event in world.events]


def test_a_target_is_in_doubt_until_the_first_heartbeat_is_answered() -> None:
    """Whatever it thought of itself before."""
    world = World()
    assert not world.memory.proven
    world.run(20)
    assert world.memory.proven
    assert world.follower.proven(world.now_ns)


def test_a_change_is_told_with_its_version_and_without_the_prefix() -> None:
    world = settled(World())
    world.memory.versions = {"7/4711": 4, "x:y": 9}
    world.announce("7/4711", 5)
    world.announce("x:y", 9)
    world.run(10)
    assert world.memory.told == [("7/4711", 5), ("x:y", 9)]
    assert world.memory.versions == {"x:y": 9}
    told = world.registry.counter("tenfold_tracking_invalidations_total", "", ("tracking", "prefix"))
    assert told.child("main", PREFIX).value == 2


@pytest.mark.parametrize(
    ("harm", "gap", "within_ms"),
    [
        (lambda world: world.server.kill(), "closed", 5),
        (lambda world: world.server.drop_all(), "closed", 5),
        (lambda world: setattr(world.server, "hung", True), "silent", 305),
        (lambda world: setattr(world, "swallowed", True), "silent", 305),
        (lambda world: setattr(world.server, "role", b"replica"), "not-primary", 110),
        (lambda world: setattr(world.server, "refusal", b"NOPERM no"), "refused", 110),
        (lambda world: world.server.flush(), "flushed", 5),
        (lambda world: world.server.write("{notice}price:what"), "garbled", 5),
    ],
)
def test_any_gap_is_doubt_in_time(harm: Callable[[World], object], gap: str, within_ms: int) -> None:
    """And counted by its kind, and an event with the evidence."""
    world = settled(World())
    harm(world)
    epoch = world.memory.epoch
    world.run(within_ms + 5)
    assert world.memory.epoch > epoch
    assert gaps(world, gap) == 1
    lost = next(event for event in world.events if event.kind == "tracking-lost")
    assert lost.subject == f"main/{PREFIX}"
    assert lost.detail["gap"] == gap
    assert lost.detail["proven_ms"] > 0


def test_a_flush_is_a_gap_that_the_next_heartbeat_ends() -> None:
    """Which is sent at once; the connection is kept."""
    world = settled(World())
    world.server.flush()
    world.turn()
    assert not world.memory.proven
    world.run(10)
    assert world.memory.proven
    assert happened(world) == ["tracking-proven", "tracking-lost", "tracking-proven"]


def test_a_target_is_proven_soon_after_its_server_is_back() -> None:
    """Whatever was done in between; the event says how long it was in doubt."""
    world = settled(World())
    world.server.kill()
    world.run(3_000)
    assert not world.memory.proven
    world.server.restart()
    world.run(1_050)
    assert world.memory.proven
    assert list(world.events)[-1].detail["unproven_ms"] > 2_000


def test_a_server_that_is_down_is_dialled_about_once_a_second() -> None:
    """And soon at first: it may be back at once."""
    world = settled(World())
    dials = world.registry.counter("tenfold_tracking_dials_total", "", ("tracking",)).child("main")
    world.server.kill()
    world.run(500)
    assert 3 <= dials.value <= 8
    world.run(10_000)
    assert dials.value <= 8 + 20


def test_a_server_that_accepts_and_drops_is_not_stormed() -> None:
    """Only a connection that held begins the waits anew."""
    world = settled(World())
    dials = world.registry.counter("tenfold_tracking_dials_total", "", ("tracking",)).child("main")
    for _ in range(500):
        world.run(20)
        world.server.drop_all()
    assert dials.value <= 8 + 20


def test_many_who_lost_one_server_do_not_come_back_in_one_moment() -> None:
    worlds = [settled(World(seed=seed)) for seed in range(20)]
    for world in worlds:
        world.server.kill()
        world.turn()
    assert len({world._dial_ns for world in worlds}) == len(worlds)


def test_a_stream_that_has_to_settle_is_believed_only_then() -> None:
    """Longer than a replica lags, so that no load can miss what changed in the gap."""
    world = World(pace=TrackingPace(settle=Duration.from_ms(500)))
    world.run(450)
    assert not world.memory.proven
    world.run(200)
    assert world.memory.proven
    world.server.drop_all()
    world.run(450)
    assert not world.memory.proven
    world.run(400)
    assert world.memory.proven


def test_without_the_announcers_beats_nothing_is_proven() -> None:
    """A server that answers does not mean that anybody tells what changes."""
    world = World(pace=TrackingPace(beat_max=Duration.from_ms(300)))
    world.run(500)
    assert not world.memory.proven
    world.announce("", 0)
    world.run(105)
    assert world.memory.proven
    world.run(250)
    assert not world.memory.proven
    assert gaps(world, "unannounced") == 1
    for _ in range(10):
        world.announce("", 0)
        world.run(200)
    assert world.memory.proven
    assert world.memory.told == []


def test_one_announcer_that_falls_silent_costs_the_others_nothing() -> None:
    """Its own target is in doubt; the connection is kept for those who are still told."""
    price, stock = Memory(), Memory()
    world = World({"price:": price, "stock:": stock}, pace=TrackingPace(beat_max=Duration.from_ms(300)))
    world.run(50)
    world.announce("", 0)
    world.server.write(name_of("stock:", Notice("", 0)))
    world.run(105)
    assert price.proven
    assert stock.proven
    epoch = price.epoch
    for _ in range(5):
        world.announce("", 0)
        world.run(100)
    assert not stock.proven
    assert price.proven
    assert price.epoch == epoch


def test_a_beat_from_before_a_gap_counts_no_more() -> None:
    world = World(pace=TrackingPace(beat_max=Duration.from_s(60)))
    world.run(20)
    world.announce("", 0)
    world.run(105)
    assert world.memory.proven
    world.server.drop_all()
    world.run(500)
    assert not world.memory.proven


def test_targets_are_told_by_their_prefix_alone() -> None:
    price, stock = Memory(), Memory()
    world = World({"price:": price, "stock:": stock})
    world.run(20)
    world.server.write(name_of("stock:", Notice("a", 1)))
    world.server.write(name_of("other:", Notice("a", 1)))
    world.run(10)
    assert (price.told, stock.told) == ([], [("a", 1)])


def test_the_values_own_keys_can_be_followed() -> None:
    """Then there is no version: whatever is there is wrong."""
    world = settled(World(keys=True))
    world.memory.versions = {"a": 9}
    world.server.write("price:a")
    world.server.write("{notice}price:1:b")
    world.run(10)
    assert world.memory.told == [("a", 0)]
    assert world.memory.versions == {}


def test_of_several_servers_the_primary_is_found() -> None:
    world = World()
    dialled = []
    for _ in range(4):
        dialled.append(world.follower.dial(0).port)
        world.follower.lost(OSError(), 0)
    assert set(dialled) == {1}
    several = TrackingFollower("main", "redis://a:1,b:2", {"p:": Memory()})
    assert [several.dial(0).port for _ in range(3)] == [1, 2, 1]


def test_a_process_that_stood_still_is_not_proven_before_it_has_listened_again() -> None:
    """Nobody called `doubt`: nobody ran."""
    world = settled(World())
    world.clock.advance(Duration.from_ms(400))
    assert not world.follower.proven(world.now_ns)
    world.run(50)
    assert world.follower.proven(world.now_ns)


def test_a_target_that_raises_is_a_gap_for_all() -> None:
    """What it missed nobody knows; the reader goes on."""

    class Broken(Memory):
        def invalidate(self, key: str, version: int = 0) -> None:
            raise KeyError(key)

    broken, sound = Broken(), Memory()
    world = World({"price:": broken, "stock:": sound})
    world.run(20)
    world.announce("a", 1)
    with pytest.raises(KeyError):
        world.turn()
    world.follower.lost(KeyError("a"), world.now_ns)
    assert not broken.proven
    assert not sound.proven


def test_the_child_of_a_fork_doubts_without_a_word() -> None:
    """An event log's lock may be held by a thread that the child does not have."""
    world = settled(World())
    before = happened(world)
    world.follower.forget(world.now_ns, world.cuts)
    assert not world.memory.proven
    assert happened(world) == before


def test_closing_is_doubt() -> None:
    world = settled(World())
    world.follower.close(world.now_ns)
    assert not world.memory.proven
    assert gaps(world, "ended") == 1


def test_where_nobody_announces_any_more_it_is_asked_again_who_the_primary_is() -> None:
    """Another one may be it by now, unknown to the one that is followed; a dead announcer costs no storm either."""
    world = World(pace=TrackingPace(beat_max=Duration.from_ms(300)))
    dials = world.registry.counter("tenfold_tracking_dials_total", "", ("tracking",)).child("main")
    world.run(250)
    assert dials.value == 1
    world.run(200)
    assert dials.value == 2
    world.run(10_000)
    assert 8 <= dials.value <= 30


@pytest.mark.parametrize(
    ("url", "keys", "pace"),
    [
        ("redis+sentinel://a:1/shop", False, TrackingPace()),
        ("redis+cluster://a:1", True, TrackingPace()),
        ("redis://a:1", True, TrackingPace(beat_max=Duration.from_s(1))),
    ],
)
def test_what_could_not_be_sound_is_refused(url: str, keys: bool, pace: TrackingPace) -> None:
    with pytest.raises(TrackingInvalid):
        TrackingFollower("main", url, {"p:": Memory()}, keys=keys, pace=pace)


@pytest.mark.parametrize("prefixes", [["price:", "price:x:"], ["", "a"], []])
def test_prefixes_that_the_server_would_refuse_are_refused_at_once(prefixes: list[str]) -> None:
    with pytest.raises(TrackingInvalid):
        TrackingFollower("main", "redis://server", {prefix: Memory() for prefix in prefixes})


@pytest.mark.parametrize("url", ["redis+cluster://:secret@a:1", "http://:secret@a"])
def test_an_address_that_cannot_be_followed_is_refused_without_its_password(url: str) -> None:
    """One node of a Cluster hears all notices, but not all keys."""
    with pytest.raises(TenfoldError) as refused:
        TrackingFollower("main", url, {"p:": Memory()}, keys=True)
    assert "secret" not in str(refused.value)


def test_no_event_tells_the_password() -> None:
    world = settled(World())
    world.server.refusal = b"WRONGPASS secret"
    world.run(3_000)
    assert "secret" not in repr(list(world.events))


BEATEN = TrackingPace(beat_max=Duration.from_s(1))
SLOTS = b"*2\r\n*3\r\n:0\r\n:99\r\n*2\r\n$1\r\nx\r\n:1\r\n*3\r\n:100\r\n:16383\r\n*2\r\n$1\r\ny\r\n:7\r\n"


@pytest.mark.parametrize(
    ("url", "asked", "answer"),
    [
        ("redis+sentinel://:pw@a:1,b:2/shop", b"GET-MASTER-ADDR-BY-NAME", b"*2\r\n$1\r\ny\r\n$1\r\n7\r\n"),
        ("redis+sentinel://a:1,b:2/shop?sentinel_password=s", b"AUTH", b"+OK\r\n*2\r\n$1\r\ny\r\n$1\r\n7\r\n"),
        ("redis+cluster://a:1,b:2", b"SLOTS", SLOTS),
        ("redis+cluster://:pw@a:1,b:2", b"SLOTS", b"+OK\r\n" + SLOTS),
    ],
)
def test_sentinels_and_clusters_are_asked_whom_to_follow(url: str, asked: bytes, answer: bytes) -> None:
    """Each attempt anew, since it may be another one by now; whoever does not know is followed by the next."""
    follower = TrackingFollower("main", url, {"p:": Memory()}, pace=BEATEN)
    assert follower.dial(0) == ("a", 1)
    assert asked in follower.greet(0)
    follower.hear(answer[:7], 0)
    with pytest.raises(Referred) as referred:
        follower.hear(answer[7:], 0)
    assert follower.lost(referred.value, 0) == 0
    assert follower.dial(0) == ("y", 7)
    assert b"TRACKING" in follower.greet(0)
    assert follower.lost(OSError(), 0) > 0
    assert follower.dial(0) == ("b", 2)


@pytest.mark.parametrize(
    ("answer", "gap"),
    [
        (b"*-1\r\n", "unreachable"),
        (b"-NOAUTH secret\r\n", "refused"),
        (b"nonsense", "garbled"),
        (b"", "unreachable"),
        (b"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nx\r\n:1\r\n", "unreachable"),
    ],
)
@pytest.mark.parametrize("url", ["redis+sentinel://a:1/shop", "redis+cluster://a:1"])
def test_whoever_does_not_know_whom_to_follow_is_no_help(url: str, answer: bytes, gap: str) -> None:
    follower = TrackingFollower("main", url, {"p:": Memory()}, pace=BEATEN)
    follower.dial(0)
    follower.greet(0)
    with pytest.raises(StreamBroken) as broken:
        follower.hear(answer, 0)
    assert broken.value.gap == gap
    assert follower.lost(broken.value, 0) > 0


def test_whoever_does_not_answer_whom_to_follow_is_given_up_in_time() -> None:
    follower = TrackingFollower("main", "redis+sentinel://a:1/shop", {"p:": Memory()}, pace=BEATEN)
    follower.dial(0)
    follower.greet(0)
    assert follower.wait_s(0) == 0.25
    with pytest.raises(StreamBroken):
        follower.speak(250_000_000)
