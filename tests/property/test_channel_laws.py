"""The control channel's two pure ends against each other: changes, losses, repeats, restarts, in any order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tenfold.channel.known_records import Followed, KnownRecords, State
from tenfold.channel.messages import Beat, Change, Snapshot, decode, encode
from tenfold.channel.snapshot import kept
from tenfold.respond.control.log import ChangeBatch, Conflict, Log, Put

TOPICS = ("switches", "hot-keys")  # the second is ephemeral
KEYS = ("a", "b", "c")
PROCESSES = 3
RESERVE = 10
LINES_MAX = 1_000
"""More than forty steps can put on a wire."""

Values = dict[tuple[str, str], bytes]


class Store:
    """What a store keeps: durable changes, and how far epochs may have been given."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.reserved = 0
        self.boots = 0

    def commit(self, changes: list[Change]) -> None:
        for change in changes:
            if not change.ephemeral:
                self.changes.append(change)
            elif change.epoch > self.reserved:
                self.reserved = change.epoch + RESERVE

    def log(self, window_max: int) -> Log:
        """A node begins on this store."""
        self.boots += 1
        records = {(change.topic, change.key): change for change in self.changes}
        return Log(
            "0001-store",
            f"boot-{self.boots}",
            epoch=max(self.reserved, self.changes[-1].epoch if self.changes else 0),
            records=[record for record in records.values() if record.json is not None],
            history=self.changes[-window_max:],
            window_max=window_max,
        )


class Follower:
    """A process: its known, what is on the wire to it, and what a subscriber believes by what it was told."""

    def __init__(self) -> None:
        self.known = KnownRecords()
        self.wire: list[bytes] = []
        self.told: Values = {}
        self.told_epochs: list[int] = []
        self.highest = ("", 0)

    def follow(self, text: bytes) -> bool:
        """False when the stream cannot be followed any longer."""
        line = decode(text)
        followed = self.known.weigh(line)
        if not isinstance(followed, Followed):
            return False
        self.known.follow(followed)
        for change in followed.changes:
            self.told.pop((change.topic, change.key), None)
            if change.json is not None:
                self.told[change.topic, change.key] = change.json
        return True


def values_of(state: State) -> Values:
    return {(record.topic, record.key): record.json or b"" for record in state.records()}


class ChannelMachine(RuleBasedStateMachine):
    """Remembers what the node's records were at each epoch; every process must have exactly these at its epoch."""

    @initialize(window_max=st.sampled_from([1, 3, 100]))
    def begin(self, window_max: int) -> None:
        self.window_max = window_max
        self.store = Store()
        self.followers = [Follower() for _ in range(PROCESSES)]
        self.history: dict[tuple[str, int], Values] = {}
        self.start_node()

    def start_node(self) -> None:
        self.log = self.store.log(self.window_max)
        self.remember()
        for follower in self.followers:
            self.connect(follower)

    def remember(self) -> None:
        records = {(record.topic, record.key): record.json or b"" for record in self.log.records()}
        self.history[self.log.boot, self.log.epoch] = records

    def connect(self, follower: Follower) -> None:
        state = follower.known.state
        follower.known.begin()
        follower.wire = [self.log.catch_up(state.incarnation, state.boot, state.epoch)]

    @rule(
        puts=st.lists(
            st.tuples(st.sampled_from(TOPICS), st.sampled_from(KEYS), st.one_of(st.none(), st.integers(0, 9))),
            min_size=1,
            max_size=4,
        )
    )
    def change(self, puts: list[tuple[str, str, int | None]]) -> None:
        draft = ChangeBatch(self.log)
        for topic, key, number in puts:
            value = None if number is None else b"%d" % number
            assert isinstance(draft.weigh(Put(topic=topic, key=key, value=value), 0), Change)
        self.store.commit(draft.changes)
        for change in draft.changes:
            self.log.append(change)
            self.remember()
            for follower in self.followers:
                follower.wire.append(encode(change))

    @rule(topic=st.sampled_from(TOPICS), key=st.sampled_from(KEYS), off=st.sampled_from([-1, 1]))
    def change_what_is_not_there(self, topic: str, key: str, off: int) -> None:
        current = self.log.get(topic, key)
        epoch = current.epoch if current else 0
        outcome = ChangeBatch(self.log).weigh(Put(topic=topic, key=key, value=b"1", if_epoch=epoch + off), 0)
        assert isinstance(outcome, Conflict)

    @rule(number=st.integers(0, PROCESSES - 1), count=st.integers(1, 6))
    def deliver(self, number: int, count: int) -> None:
        follower = self.followers[number]
        for _ in range(count):
            if follower.wire and not follower.follow(follower.wire.pop(0)):
                self.connect(follower)

    @rule(number=st.integers(0, PROCESSES - 1), place=st.integers(0, 5))
    def lose(self, number: int, place: int) -> None:
        wire = self.followers[number].wire
        if wire:
            del wire[place % len(wire)]

    @rule(number=st.integers(0, PROCESSES - 1), place=st.integers(0, 5), later=st.integers(0, 3))
    def repeat(self, number: int, place: int, later: int) -> None:
        wire = self.followers[number].wire
        if wire:
            wire.insert(place % len(wire) + later, wire[place % len(wire)])

    @rule(number=st.integers(0, PROCESSES - 1))
    def beat(self, number: int) -> None:
        self.followers[number].wire.append(encode(Beat(epoch=self.log.epoch)))

    @rule(number=st.integers(0, PROCESSES - 1))
    def reconnect(self, number: int) -> None:
        self.connect(self.followers[number])

    @rule()
    def kill_node(self) -> None:
        self.start_node()

    @rule(number=st.integers(0, PROCESSES - 1))
    def restart_process(self, number: int) -> None:
        """It begins with what it kept on disk."""
        keepsake = decode(encode(kept(self.followers[number].known.state)))
        assert isinstance(keepsake, Snapshot)
        follower = self.followers[number] = Follower()
        if keepsake.incarnation:
            assert follower.follow(encode(keepsake))
        self.connect(follower)

    @rule(number=st.integers(0, PROCESSES - 1))
    def a_store_from_a_backup_speaks(self, number: int) -> None:
        """A node of the same name that knows less is not followed."""
        follower = self.followers[number]
        before = follower.known.state
        stale = Log("0001-store", "boot-of-backup")
        if before.epoch > 0:
            assert not follower.follow(stale.catch_up(before.incarnation, before.boot, before.epoch))
            assert follower.known.state is before

    @invariant()
    def every_process_has_what_the_node_had_at_its_epoch(self) -> None:
        for follower in self.followers:
            state = follower.known.state
            assert follower.told == values_of(state), "what was told is not what is there"
            if state.boot:
                assert values_of(state) == self.history[state.boot, state.epoch]

    @invariant()
    def no_process_goes_back(self) -> None:
        for follower in self.followers:
            now = (follower.known.state.incarnation, follower.known.state.epoch)
            assert now >= follower.highest
            follower.highest = now

    def teardown(self) -> None:
        """Once everything is delivered, everybody has everything, without another change."""
        if not hasattr(self, "log"):
            return
        for follower in self.followers:
            follower.wire.append(encode(Beat(epoch=self.log.epoch)))
            for _ in range(LINES_MAX):
                if not follower.wire:
                    break
                if not follower.follow(follower.wire.pop(0)):
                    self.connect(follower)
            assert not follower.wire, "it never comes to an end"
            if follower.known.state.boot:
                assert values_of(follower.known.state) == self.history[self.log.boot, self.log.epoch]
                assert follower.known.state.epoch == self.log.epoch


ChannelMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestChannelLaws = ChannelMachine.TestCase
