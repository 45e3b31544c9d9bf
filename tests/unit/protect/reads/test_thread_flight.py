"""Single flight among threads: one load, whoever comes and goes, and whoever is forked."""

import contextvars
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from types import FrameType

import pytest

from tenfold.kernel import Duration
from tenfold.protect.reads.flight import FlightsFull, LoadCancelled, ThreadFlight, WaitTimeout
from tenfold.protect.reads.flight.crew import Crew

DEADLINE_S = 10.0
SOON = Duration.from_ms(1)


def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds; fail when it does not by the deadline."""
    ends_s = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < ends_s
        time.sleep(0)


class Loader:
    """Counts its loads; each ends when the test says so."""

    def __init__(self) -> None:
        self.loads = 0
        self.running = threading.Event()
        self.ending = threading.Event()
        self.error: BaseException | None = None

    def __call__(self) -> int:
        self.loads += 1
        self.running.set()
        assert self.ending.wait(DEADLINE_S)
        if self.error:
            raise self.error
        return self.loads


class Callers:
    """Threads that call, and the moment in which all of them have."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(max_workers=100)

    def outcomes(self, flight: ThreadFlight[int], loader: Loader, count: int) -> list[object]:
        """What each got; the load ends when all have come."""
        arrived = threading.Barrier(count + 1)

        def call() -> int:
            arrived.wait(DEADLINE_S)
            return flight.do("k", loader)

        futures = [self.pool.submit(call) for _ in range(count)]
        arrived.wait(DEADLINE_S)
        with pytest.raises(WaitTimeout):
            flight.do("k", loader, timeout=Duration.from_ms(30))
        loader.ending.set()
        _, hung = wait_for(futures, DEADLINE_S)
        assert not hung
        return [future.exception() or future.result() for future in futures]


@pytest.fixture
def callers() -> Iterator[Callers]:
    callers = Callers()
    yield callers
    callers.pool.shutdown(wait=False, cancel_futures=True)


def test_threads_that_come_while_a_load_runs_share_it(callers: Callers) -> None:
    """And the next one after it begins another."""
    flight, loader = ThreadFlight[int](), Loader()
    assert callers.outcomes(flight, loader, 50) == [1] * 50
    assert len(flight) == 0
    assert flight.do("k", loader) == 2


def test_a_raising_loader_wakes_every_thread(callers: Callers) -> None:
    """Each gets the loader's own error, and the error's traceback does not grow with them."""
    flight, loader = ThreadFlight[int](), Loader()
    loader.error = ValueError("no")
    assert all(outcome is loader.error for outcome in callers.outcomes(flight, loader, 50))
    assert len(flight) == 0
    frames, traceback = 0, loader.error.__traceback__
    while traceback is not None:
        frames, traceback = frames + 1, traceback.tb_next
    assert frames < 10


def test_a_load_that_ends_its_thread_is_no_end_of_its_callers(callers: Callers) -> None:
    """SystemExit in a loader is an error that callers can tell from their own."""
    flight, loader = ThreadFlight[int](), Loader()
    loader.error = SystemExit(1)
    outcomes = callers.outcomes(flight, loader, 5)
    assert all(isinstance(outcome, LoadCancelled) for outcome in outcomes)
    assert flight.do("other", lambda: 3) == 3


def test_a_caller_who_has_waited_long_enough_leaves_even_when_it_was_the_first() -> None:
    """The load goes on, and serves whoever asks next."""
    flight, loader = ThreadFlight[int](), Loader()
    with pytest.raises(WaitTimeout, match="'k' was not loaded within 1 ms"):
        flight.do("k", loader, timeout=SOON)
    assert loader.running.wait(DEADLINE_S)
    loader.ending.set()
    assert flight.do("k", loader, timeout=Duration.from_s(DEADLINE_S)) in (1, 2)


def test_a_caller_who_is_interrupted_harms_nobody() -> None:
    """A signal in the main thread, which was the first to ask."""
    flight, loader = ThreadFlight[int](), Loader()

    class Interrupted(Exception):
        """What the signal raises."""

    interrupted = threading.Event()

    def interrupt(_: int, __: FrameType | None) -> None:
        if not interrupted.is_set():
            interrupted.set()
            raise Interrupted

    def send() -> None:
        assert loader.running.wait(DEADLINE_S)
        until(lambda: len(flight) == 1 and sys._current_frames()[main].f_code.co_name == "wait")
        while not interrupted.wait(0.001):  # a signal that comes just before the wait begins is not heard in it
            signal.pthread_kill(main, signal.SIGUSR1)

    before, main = signal.signal(signal.SIGUSR1, interrupt), threading.main_thread().ident or 0
    try:
        sender = threading.Thread(target=send)
        sender.start()
        with pytest.raises(Interrupted):
            flight.do("k", loader)
        sender.join(DEADLINE_S)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert len(flight) == 1
    loader.ending.set()
    flight.do("k", loader)
    assert len(flight) == 0


def test_a_child_forked_while_a_load_runs_loads_for_itself() -> None:
    """The thread that loads stays with the parent, and so does whoever held a lock."""
    flight, loader = ThreadFlight[int](), Loader()
    with pytest.raises(WaitTimeout):
        flight.do("k", loader, timeout=SOON)
    assert loader.running.wait(DEADLINE_S)
    with flight._lock:  # as another thread of the parent might at that moment
        child = os.fork()
    if child == 0:
        status = 1
        signal.alarm(10)  # a child that hangs must not hang the tests
        try:
            status = 0 if flight.do("k", lambda: 7, timeout=Duration.from_s(5)) == 7 else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    loader.ending.set()
    flight.do("k", loader)


def test_no_more_keys_are_under_way_than_may_be() -> None:
    """Joining a load that runs is always allowed."""
    flight, loader = ThreadFlight[int](flights_max=1), Loader()
    with pytest.raises(WaitTimeout):
        flight.do("k", loader, timeout=SOON)
    with pytest.raises(FlightsFull, match="'other' was not begun"):
        flight.do("other", loader)
    with pytest.raises(WaitTimeout):
        flight.do("k", loader, timeout=SOON)
    loader.ending.set()


def test_keys_wait_for_a_thread_when_all_are_loading() -> None:
    """They are loaded when one is free; a hung load costs its own thread only."""
    flight, hung = ThreadFlight[int](threads_max=2), Loader()
    with pytest.raises(WaitTimeout):
        flight.do("hung", hung, timeout=SOON)
    assert hung.running.wait(DEADLINE_S)
    assert [flight.do(f"k{number}", lambda: 5, timeout=Duration.from_s(DEADLINE_S)) for number in range(20)] == [5] * 20
    with pytest.raises(WaitTimeout):
        flight.do("second", hung, timeout=SOON)
    with pytest.raises(WaitTimeout):
        flight.do("queued", lambda: 5, timeout=Duration.from_ms(20))
    hung.ending.set()
    assert flight.do("queued", lambda: 5, timeout=Duration.from_s(DEADLINE_S)) == 5


def test_closing_wakes_everyone_at_once(callers: Callers) -> None:
    """Also those whose load hangs; what ends later is nobody's any more."""
    flight, loader = ThreadFlight[int](), Loader()
    future = callers.pool.submit(flight.do, "k", loader)
    assert loader.running.wait(DEADLINE_S)
    flight.close()
    with pytest.raises(LoadCancelled, match="closed"):
        future.result(DEADLINE_S)
    loader.ending.set()
    assert len(flight) == 0


def test_a_load_sees_the_context_of_whoever_began_it() -> None:
    """So that a trace goes on through it."""
    trace = contextvars.ContextVar("trace", default="none")
    trace.set("abc")
    assert ThreadFlight[str]().do("k", trace.get) == "abc"


def test_threads_end_when_there_has_been_nothing_to_do() -> None:
    """And begin again when there is."""
    crew = Crew(threads_max=4, idle_max=SOON)
    for _ in range(20):
        done = threading.Event()
        crew.give(done.set)
        assert done.wait(DEADLINE_S)
    for thread in list(crew._threads):
        thread.join(DEADLINE_S)
    assert crew._threads == []


def test_work_given_in_one_breath_is_not_left_behind_one_that_hangs() -> None:
    """One idle thread can take one work only."""
    crew, hang = Crew(threads_max=3), threading.Event()
    crew.give(lambda: None)
    until(lambda: crew._idle == 1)
    done: list[threading.Event] = [threading.Event() for _ in range(2)]
    work: list[Callable[[], object]] = [lambda: hang.wait(10 * DEADLINE_S), *(event.set for event in done)]
    for each in work:
        crew.give(each)  # type: ignore[arg-type]
    assert all(event.wait(DEADLINE_S) for event in done)
    hang.set()
