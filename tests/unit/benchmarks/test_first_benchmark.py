"""What `make bench` makes of the turns it measured."""

import asyncio
from pathlib import Path

import pytest
from benchmarks import first
from benchmarks.first import OURS, PEER, PROMISES, Score, figures_of, main, table_of
from benchmarks.questions import AnswersDiffer, Questions
from benchmarks.turn import Turn, is_held, write_plan_of_one
from rich.console import Console

from tenfold.fleet import FAULT_KINDS
from tenfold.kernel import TenfoldError
from tenfold.plan import read_plan
from tenfold.rehearse.load.messages import Segment, Stage
from tenfold.rehearse.load.result import JourneyResult, StageResult
from tenfold.telemetry import Histogram


def score_of(ours: list[float], plain: list[float]) -> Score:
    """The same rates for every kind of request, one turn a round."""
    score = Score()
    for promise in PROMISES:
        for contestant, rates in ((OURS, ours), (PEER, plain)):
            for rate_rps in rates:
                score.add(contestant, promise.workload.journey, Turn(rate_rps, rate_rps, "server"))
    return score


def seen(*, requests: int = 100, dropped: int = 0, errors: int = 0, slowest_ms: float = 1.0) -> StageResult:
    """One second at 100 requests a second."""
    latency = Histogram()
    for _ in range(requests):
        latency.record(round(slowest_ms * 1e6))
    journey = JourneyResult(requests=requests, errors=errors, dropped=dropped, latency=latency)
    stage = Stage("price", [Segment(100, 1_000_000_000)])
    return StageResult(stage, due=requests + dropped, sent=requests, dropped=dropped, journeys={"price": journey})


def test_figures_are_medians_and_ratios_are_of_each_round_with_itself() -> None:
    """A round in which the machine was slow for both does not move the ratio."""
    reads, orders, reads_ratio, orders_ratio = figures_of(score_of([4_000, 2_000, 4_400], [1_000, 500, 1_100]))
    assert (reads.value, reads.peers, reads.ratio) == (4_000, {PEER: 1_000}, 4)
    assert (reads_ratio.value, reads_ratio.spread) == (4, 0)
    assert [one.figure for one in (reads, orders, reads_ratio, orders_ratio)] == [1, 2, 3, 4]


def test_a_figure_is_held_when_it_reaches_its_target() -> None:
    """Each is held to its own: beside a slow peer is not fast, beside a fast peer is not twice as fast."""
    assert [one.held for one in figures_of(score_of([2_999], [1_000]))] == [False, True, True, True]
    assert [one.held for one in figures_of(score_of([3_000], [2_000]))] == [True, True, False, False]


def test_a_peer_that_held_nothing_gives_no_ratio() -> None:
    """Infinitely better is a broken measurement, not a figure."""
    assert [one.held for one in figures_of(score_of([4_000], [0.0]))] == [True, True, False, False]


def test_the_table_says_what_was_not_held() -> None:
    """A person sees figure, peer, ratio, target and a NO, on 80 columns."""
    terminal = Console(width=80)
    with terminal.capture() as capture:
        terminal.print(table_of(figures_of(score_of([2_500, 2_600], [2_000, 2_000]))))
    table = capture.get()
    assert "price reads, ratio" in table
    assert "2,550 /s" in table
    assert "1.27 ×" in table
    assert "NO" in table


def test_a_rate_is_held_when_all_of_it_was_sent_and_answered_in_time() -> None:
    """Late, failed, dropped or not sent: none of it is throughput."""
    price = read_plan(first.PLAN, FAULT_KINDS).journeys["price"]
    assert is_held(seen(), "price", price)
    assert not is_held(seen(slowest_ms=price.slo.p99.ms * 2), "price", price)
    assert not is_held(seen(errors=1), "price", price)
    assert not is_held(seen(dropped=1), "price", price)
    assert not is_held(seen(requests=97), "price", price)


def test_the_load_driver_reads_a_plan_of_one_journey(tmp_path: Path) -> None:
    """All arrivals are of that journey, by the real feed, and a hundred milliseconds is what is promised."""
    alone = read_plan(write_plan_of_one(read_plan(first.PLAN, FAULT_KINDS), "order", tmp_path), FAULT_KINDS)
    assert list(alone.journeys) == ["order"]
    assert alone.journeys["order"].share == 1
    assert alone.journeys["order"].slo.p99.ms == 100
    assert alone.traffic.feed.is_file()


def test_contestants_that_answer_differently_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first sets the answers; the message names both, the question and what each said."""
    answers = iter([{"GET /p": (200, {"fen": 1})}, {"GET /p": (200, {"fen": 1})}, {"GET /p": (200, {"fen": 2})}])
    monkeypatch.setattr("benchmarks.questions._ask_all", lambda address, token: next(answers))

    async def ask_thrice() -> None:
        questions = Questions()
        for contestant in ("one", "same", "other"):
            await questions.ask(contestant, "http://nowhere", "token")

    with pytest.raises(AnswersDiffer, match=r"'other' answers GET /p .*'fen': 2.* 'one' .*'fen': 1"):
        asyncio.run(ask_thrice())


@pytest.mark.parametrize(
    ("ours", "status"), [([4_000.0], 0), ([400.0], 1)], ids=["every target reached", "one target missed"]
)
def test_the_exit_status_says_whether_every_figure_was_held(
    ours: list[float], status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """0 yes, 1 no; and the results are written either way."""
    monkeypatch.setattr("benchmarks.figures.RESULTS", tmp_path)
    monkeypatch.setattr(first, "CHECKOUT", tmp_path)
    monkeypatch.setattr(first, "compare", lambda *_, **__: _answer(score_of(ours, [100.0])))
    assert main([]) == status
    assert (tmp_path / "first.json").is_file()


def test_what_cannot_be_measured_is_status_2(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written then, and one sentence says why."""
    monkeypatch.setattr("benchmarks.figures.RESULTS", tmp_path)
    monkeypatch.setattr(first, "compare", lambda *_, **__: _fail())
    assert main(["--rounds", "1"]) == 2
    assert "the servers are gone" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


async def _answer(score: Score) -> Score:
    return score


async def _fail() -> Score:
    raise TenfoldError("the servers are gone")
