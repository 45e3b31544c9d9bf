"""The near cache under several threads, and in children of a fork."""

import os
import random
import sys
import threading
from collections.abc import Iterator

import pytest

from tenfold.kernel import Duration
from tenfold.protect.reads.near import NearBounds, NearCache

ROUNDS = 4_000


@pytest.fixture(autouse=True)
def _switching_often() -> Iterator[None]:
    """Threads take turns as often as they can."""
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval_s)


def cache_of(entries_max: int = 50) -> NearCache:
    return NearCache(
        "shared",
        bytes_max=100_000,
        bounds=NearBounds(entries_max=entries_max),
        ttl=Duration.from_ms(2),
        grace=Duration.from_ms(2),
        stale=Duration.from_s(1),
    )


def in_threads(*works: object) -> None:
    """Run all at once; whatever one raises is raised here."""
    errors: list[BaseException] = []

    def run(work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    if errors:
        raise errors[0]


def test_every_operation_at_once_leaves_nothing_behind() -> None:
    """Bounds hold all the while, and when all is dropped nothing is charged for."""
    cache = cache_of()

    def anything(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(ROUNDS):
            key = str(chance.randrange(80))
            value = None if chance.random() < 0.1 else bytes(chance.randrange(3_000))
            chance.choice(
                [
                    lambda: cache.put(key, value, chance.randrange(3), token=cache.begin(key)),  # noqa: B023
                    lambda: cache.put(key, value),  # noqa: B023
                    lambda: cache.get(key),  # noqa: B023
                    lambda: cache.read(key),  # noqa: B023
                    lambda: cache.invalidate(key, chance.randrange(3)),  # noqa: B023
                    cache.doubt if chance.random() < 0.05 else cache.prove,
                ]
            )()
            assert cache.held_bytes <= 100_000 + 4 * 3_600  # what is being put just now has not made room yet

    in_threads(*(lambda seed=seed: anything(seed) for seed in range(4)))
    for number in range(80):
        cache.drop(str(number))
    assert (len(cache), cache.held_bytes) == (0, 0)


def test_who_reads_after_an_invalidation_never_sees_the_value_from_before() -> None:
    """One changes the truth and invalidates, others load and read: what is read is no older than what was said."""
    cache = NearCache("shared", bytes_max=100_000, ttl=Duration.from_s(10), stale=Duration.from_s(10))
    truth, said = [0], [0]
    over = threading.Event()

    def change() -> None:
        for number in range(1, ROUNDS):
            truth[0] = number
            cache.invalidate("a")
            said[0] = number
        over.set()

    def read() -> None:
        while not over.is_set():
            before = said[0]
            value = cache.get("a")
            assert value is None or int(value) >= before

    def load() -> None:
        while not over.is_set():
            token = cache.begin("a")
            value = str(truth[0]).encode()
            cache.put("a", value, token=token)

    in_threads(change, read, load, load)
    assert cache.put("a", b"last", token=cache.begin("a"))


def test_one_reader_among_many_threads_is_told_to_refresh() -> None:
    """However many ask in the same moment."""
    cache = NearCache("shared", bytes_max=100_000, ttl=Duration(1), grace=Duration.from_s(60))
    start = threading.Barrier(8)
    told: list[bool] = []

    def ask() -> None:
        for number in range(50):
            start.wait(10)
            entry = cache.read(str(number))
            assert entry is not None
            told.append(entry.refresh)

    for number in range(50):
        cache.put(str(number), b"1")
    in_threads(*[ask] * 8)
    assert (len(told), sum(told)) == (400, 50)


def in_child(work: object) -> int:
    """The exit status of a forked child that runs `work`; 99 when it did not end by itself."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()  # type: ignore[operator]
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_child_forked_while_another_thread_writes_can_use_the_cache() -> None:
    """The lock that was held in that moment is not: what it guarded may be torn, and is forgotten."""
    cache = cache_of()
    cache.put("a", b"1")

    def use() -> None:
        assert len(cache) == 0
        assert cache.put("a", b"2")
        assert cache.entry("a") is not None
        cache.invalidate("a")

    with cache._lock:
        assert in_child(use) == 0
    assert len(cache) == 1


def test_a_child_forked_in_peace_keeps_the_values_and_draws_other_lots() -> None:
    """Children that draw the same lots would refresh at the same moment."""
    cache = cache_of()
    cache.put("a", b"1")
    lot = random.Random(0).random()

    def use() -> None:
        assert len(cache) == 1
        assert cache._chance.random() != lot

    cache._chance.seed(0)
    assert in_child(use) == 0
    assert cache._chance.random() == lot
