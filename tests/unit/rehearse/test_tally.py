from tenfold.kernel import Duration
from tenfold.plan.model import Journey, Slo, Tier
from tenfold.rehearse.load.messages import Segment, Stage, Tick
from tenfold.rehearse.load.request import Request, Script
from tenfold.rehearse.load.response import Response
from tenfold.rehearse.load.result import sum_of
from tenfold.rehearse.load.tally import StageTally
from tenfold.telemetry import Registry, render

ORDER = Script(
    "order",
    Journey(
        tier=Tier.P0,
        share=1,
        method="POST",
        path="/orders",
        slo=Slo(p99=Duration.from_ms(100)),
        answers={201: "accepted", 409: "declined"},
    ),
    {},
)


def request(due_ns: int, sent_ns: int) -> Request:
    made = Request(ORDER, due_ns, b"", b"key")
    made.sent_ns = sent_ns
    return made


def take(tally: StageTally, cpu_ns: int = 0, *, last: bool = False) -> Tick:
    return tally.take(at_ns=1, cpu_ns=cpu_ns, inflight=0, waiting=0, lasted_ns=10**9 if last else None)


def test_an_answer_is_right_by_its_meaning_and_wrong_by_its_status() -> None:
    """A declined order is an answer; a 500 is an error with a name."""
    tally = StageTally([ORDER], Registry())
    for status in (201, 201, 409, 500):
        tally.answered(request(0, 0), Response(status, False, True), 1000)
    tally.failed(request(0, 0), "timeout", 1000)
    seen = take(tally).journeys["order"]
    assert seen.answers == {"accepted": 2, "declined": 1, "status-500": 1, "timeout": 1}
    assert (seen.requests, seen.errors) == (5, 2)


def test_a_degraded_answer_is_counted_and_is_no_error() -> None:
    """A page without its picture is a page; a degraded error is an error."""
    tally = StageTally([ORDER], Registry())
    tally.answered(request(0, 0), Response(201, True, True), 1)
    tally.answered(request(0, 0), Response(503, True, True), 1)
    seen = take(tally).journeys["order"]
    assert (seen.degraded, seen.errors) == (1, 1)


def test_response_time_counts_from_due_and_service_time_from_sent() -> None:
    """The customer's wait holds the queue's; the server's does not."""
    tally = StageTally([ORDER], Registry())
    tally.begin("10×")
    tally.answered(request(0, 90_000_000), Response(201, False, True), 100_000_000)
    result = sum_of(Stage("10×", [Segment(1, 1)]), [take(tally, last=True)], 0)
    assert abs(result.journeys["order"].latency.max - 100_000_000) <= 1_000_000
    assert abs(result.journeys["order"].service.max - 10_000_000) <= 100_000


def test_ticks_add_up_to_the_stage() -> None:
    """Nothing is counted twice, and nothing is lost between ticks."""
    tally = StageTally([ORDER], Registry())
    tally.begin("10×")
    ticks = []
    for number in range(3):
        tally.due(1000)
        tally.due(2000)
        tally.sent()
        tally.dropped(request(0, 0))
        tally.answered(request(0, 0), Response(201, False, True), 5)
        ticks.append(take(tally, cpu_ns=500 + number))
    result = sum_of(Stage("10×", [Segment(6, 1_000_000_000)]), ticks, 100)
    assert (result.due, result.sent, result.dropped, result.requests, result.errors) == (6, 3, 3, 3, 0)
    assert (result.cpu_ns, result.lateness.count, result.journeys["order"].dropped) == (402, 6, 3)
    assert (result.target_rps, result.sent_rps) == (6.0, 3.0)


def test_a_stage_that_was_ended_early_is_held_to_what_was_ordered_until_then() -> None:
    """Half a second of the lead, none of the rest: 50 arrivals, not 250."""
    tally = StageTally([ORDER], Registry())
    tally.begin("10×")
    for _ in range(50):
        tally.due(0)
        tally.sent()
    last = tally.take(at_ns=1, cpu_ns=0, inflight=0, waiting=0, lasted_ns=500_000_000)
    result = sum_of(Stage("10×", [Segment(100, 1_000_000_000), Segment(150, 1_000_000_000)]), [last], 0)
    assert (result.planned, result.target_rps, result.sent_rps) == (50.0, 100.0, 100.0)
    result.lasted_ns = 1_500_000_000
    assert (result.planned, result.duration.s) == (175.0, 1.5)


def test_what_was_counted_is_at_metrics_after_a_tick() -> None:
    """For whoever scrapes the driver."""
    registry = Registry()
    tally = StageTally([ORDER], registry)
    tally.sent()
    tally.answered(request(0, 0), Response(201, False, True), 5_000_000)
    take(tally)
    text = render(registry).decode()
    assert "tenfold_driver_sent_total 1" in text
    assert 'tenfold_driver_requests_total{journey="order",answer="accepted"} 1' in text
    assert 'tenfold_driver_response_seconds_count{journey="order"} 1' in text
