"""What a process makes of the others' word, and when there is a word."""

import asyncio

import msgspec

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.calls.breaker import BreakerReport, Breakers, BreakerState, FleetWord
from tenfold.protect.calls.breaker.judge import DOUBT
from tenfold.protect.calls.breaker.messages import NAMES_MAX
from tenfold.protect.calls.breaker.share import Share
from tenfold.protect.calls.breaker.state import BreakerStanding
from tenfold.protect.testing import run_in_virtual_time
from tenfold.respond.merges import BreakerMerge, merge_breakers

NAME = "supplier/order"
S = 1_000_000_000


class Sharing:
    """One process, and what it says."""

    def __init__(self, *, keys_max: int = 4_096) -> None:
        self.clock = VirtualClock()
        self.breakers = Breakers(clock=self.clock, keys_max=keys_max)
        self.breaker = self.breakers.of("supplier", "order")
        self.said: list[BreakerReport] = []
        self.share = Share(self.breakers, process=lambda: "me", send=self.said.append)

    @property
    def state(self) -> BreakerState:
        return self.breaker.state

    def told(self, *, episode: int = 1, broken: int = 3, back: int = 0, probers: tuple[str, ...] = ("other",)) -> None:
        self.share.told(NAME, FleetWord(episode, broken=broken, back=back, probers=list(probers)))


def report(standing: BreakerStanding) -> BreakerReport:
    return BreakerReport({NAME: standing})


def test_who_saw_it_answer_a_moment_ago_needs_one_failure_of_its_own() -> None:
    """Instead of five."""
    one = Sharing()
    one.breaker.succeeded()
    one.told()
    assert one.state is BreakerState.CLOSED
    one.breaker.failed("timeout")
    assert one.breaker.state is BreakerState.OPEN


def test_a_success_of_ones_own_outweighs_the_word_until_there_is_a_new_one() -> None:
    """The same episode told again is no news."""
    one = Sharing()
    one.breaker.succeeded()
    one.told()
    one.breaker.succeeded(one.breaker.admit())
    one.told(probers=("another",))
    one.breaker.failed("timeout")
    assert one.state is BreakerState.CLOSED
    one.told(episode=2)
    one.breaker.failed("timeout")
    assert one.breaker.state is BreakerState.OPEN


def test_who_heard_nothing_lately_believes_the_word_and_is_no_evidence_for_it() -> None:
    """It opens without a call of its own, and says that it only believes, also when the others but doubt."""
    for broken in (3, 0):
        one = Sharing()
        one.told(broken=broken)
        assert one.state is BreakerState.OPEN
        assert one.said[-1].standings == {NAME: BreakerStanding.BELIEVED}


def test_who_was_held_open_by_hand_is_no_evidence_when_it_is_released() -> None:
    """Its probe is out: nothing was measured, and what was before that hand is old. A failure is news."""
    for failures in (0, 5):
        one = Sharing()
        for _ in range(failures):
            one.breaker.failed("refused")
        one.breakers.isolate("supplier", owner="nina", reason="a test")
        one.breakers.release("supplier", owner="nina", reason="a test")
        probe = one.breaker.admit()
        assert one.said[-1].standings == {NAME: BreakerStanding.BELIEVED}
        one.breaker.failed("refused", probe)
        assert one.said[-1].standings == {NAME: BreakerStanding.BROKEN}


def test_who_is_no_prober_waits_but_not_for_ever() -> None:
    """Four seconds after the last word; twenty in all, however often it is told."""
    one = Sharing()
    one.told()
    one.clock.advance(Duration.from_ms(3_999))
    assert not one.breaker.allows()
    waited_s = 4
    while not one.breaker.allows():
        one.told()
        one.clock.advance(Duration.from_s(1))
        waited_s += 1
    assert 18 <= waited_s <= 22


def test_who_becomes_a_prober_probes_at_its_next_call() -> None:
    """And so does everybody when it is back."""
    for word in ({"probers": ("me",)}, {"back": 1}):
        one = Sharing()
        one.told()
        one.told()
        one.told(**word)
        assert one.breaker.allows()


def test_a_row_of_failures_that_lasts_is_told_before_it_opens() -> None:
    """Two failures 100 ms apart and nothing else; not two in one moment, which is chance."""
    one = Sharing()
    one.breaker.failed("timeout")
    one.breaker.failed("timeout")
    assert not one.said
    one.clock.advance(Duration.from_ms(100))
    one.breaker.failed("timeout")
    assert one.said == [report(BreakerStanding.DOUBTED)]
    one.breaker.succeeded()
    one.breaker.force_open(owner="test", reason="test")
    assert one.said[-1].standings == {}


def test_what_was_seen_long_ago_is_no_evidence_however_often_something_else_is_told() -> None:
    """A report says all: a doubt hours old is left out of it, and who opened and is asked no more only believes."""
    one = Sharing()
    broken, noisy = one.breakers.of("payment"), one.breakers.of("mail")
    for _ in range(2):
        one.breaker.failed("timeout")
        one.clock.advance(Duration.from_ms(100))
    for _ in range(5):
        broken.failed("refused")
    for passed_s, known in (
        (1, {"payment": BreakerStanding.BROKEN, NAME: BreakerStanding.DOUBTED}),
        (28, {"payment": BreakerStanding.BROKEN}),
        (3_600, {"payment": BreakerStanding.BELIEVED}),
    ):
        one.clock.advance(Duration.from_s(passed_s))
        noisy.failed("refused")
        one.clock.advance(DOUBT)
        noisy.failed("refused")
        assert one.said[-1].standings == {**known, "mail": BreakerStanding.DOUBTED}
        noisy.succeeded()


def test_a_key_class_that_was_forgotten_is_told_no_more() -> None:
    """Nobody could say any longer that it is back."""
    one = Sharing(keys_max=2)
    for store in ("store-1", "store-2", "store-3"):
        for _ in range(5):
            one.breakers.of("stock", "read", store).failed("refused")
    assert set(one.said[-1].standings) == {"stock/read/store-2", "stock/read/store-3"}


def test_trouble_that_is_over_leaves_its_place_in_the_report_to_others() -> None:
    """As many classes as there are names in a report were doubted, hours ago."""
    one = Sharing(keys_max=NAMES_MAX)
    for _ in range(2):
        for number in range(NAMES_MAX):
            one.breakers.of("stock", "read", f"store-{number}").failed("timeout")
        one.clock.advance(DOUBT)
    one.clock.advance(Duration.from_s(3_600))
    for _ in range(5):
        one.breaker.failed("refused")
    assert set(one.said[-1].standings) == {"stock/read/*", NAME}


def test_nothing_is_said_before_a_quorum_saw_it_broken() -> None:
    """Three that opened, or six that doubt; any number that believe is none."""
    for standing, enough in ((BreakerStanding.BROKEN, 3), (BreakerStanding.DOUBTED, 6)):
        fleet = BreakerMerge()
        for number in range(50):
            fleet.took(f"believer-{number}", report(BreakerStanding.BELIEVED), 0)
        for number in range(enough):
            assert not fleet.changes(0)
            fleet.took(f"witness-{number}", report(standing), 0)
        assert fleet.word(NAME) is None
        assert set(fleet.changes(0)) == {NAME}


def test_who_names_it_no_more_is_back_and_all_are_told() -> None:
    """And when nobody names it, there is nothing to say."""
    fleet = BreakerMerge()
    for number in range(3):
        fleet.took(f"witness-{number}", report(BreakerStanding.BROKEN), 0)
    first = fleet.changes(0)[NAME]
    assert first is not None
    assert (first.broken, first.back, len(first.probers)) == (3, 0, 3)
    fleet.took("witness-1", BreakerReport({}), S)
    second = fleet.changes(S)[NAME]
    assert second is not None
    assert (second.back, "witness-1" in second.probers) == (1, False)
    for number in range(3):
        fleet.took(f"witness-{number}", BreakerReport({}), S)
    assert fleet.changes(60 * S) == {NAME: None}


def test_a_prober_is_replaced_when_it_is_silent_and_when_it_has_probed_for_long() -> None:
    """It may be dead, and it may be its own network that is broken."""
    fleet = BreakerMerge(probers=1)
    names = {f"witness-{number}" for number in range(4)}
    seen = set()
    for second in range(30):
        for name in names:
            fleet.took(name, report(BreakerStanding.BROKEN), second * S)
        fleet.changes(second * S)
        word = fleet.word(NAME)
        assert word is not None
        seen |= set(word.probers)
    assert len(seen) >= 2


def test_the_merge_is_bounded() -> None:
    """Names and processes beyond are left out and counted."""
    fleet = BreakerMerge(names_max=2, processes_max=3)
    for number in range(10):
        fleet.took(f"witness-{number}", report(BreakerStanding.BROKEN), 0)
    fleet.took("one", BreakerReport({f"name-{number}": BreakerStanding.BROKEN for number in range(10)}), 0)
    assert fleet.refused == 7 + 9


def test_the_tender_tells_again_what_it_could_not_put() -> None:
    """The store was busy at first."""
    told: list[tuple[str, bytes | None]] = []

    async def put(name: str, payload: bytes | None) -> None:
        if tender.failures < 2:
            raise OSError("busy")
        told.append((name, payload))

    tender = merge_breakers(put)

    async def main(_: VirtualClock) -> None:
        tender.open()
        for number in range(3):
            tender.took(f"witness-{number}", msgspec.json.encode(report(BreakerStanding.BROKEN)))
        await asyncio.sleep(1)
        await tender.close()

    run_in_virtual_time(main)
    assert tender.failures == 2
    assert [name for name, _ in told][:1] == [NAME]
