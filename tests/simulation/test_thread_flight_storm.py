"""A thousand threads with little patience, and a loader that raises at random: nobody harmed, nobody left waiting."""

import random
import threading
import time

import pytest

from tenfold.kernel import Duration
from tenfold.protect.reads.flight import ThreadFlight, WaitTimeout

DEADLINE_S = 20.0


class LoadFailed(Exception):
    """Half of the loads end so."""


class Storm:
    """Fifty threads call twenty times each at three keys; three calls in ten have little patience."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.flight = ThreadFlight[int](threads_max=2)
        self.lock = threading.Lock()
        self.loading: dict[str, int] = {}
        self.loading_most = self.collateral = self.answered = self.failed = 0

    def load(self, key: str) -> int:
        with self.lock:
            self.loading[key] = self.loading.get(key, 0) + 1
            self.loading_most = max(self.loading_most, self.loading[key])
        time.sleep(0.002)  # what a load is
        with self.lock:
            self.loading[key] -= 1
        if self.chance.random() < 0.5:
            raise LoadFailed
        return 1

    def call(self) -> None:
        for _ in range(20):
            key = f"key-{self.chance.randrange(3)}"
            patience = Duration.from_ms(1) if self.chance.random() < 0.3 else None
            try:
                self.flight.do(key, lambda key=key: self.load(key), timeout=patience)  # type: ignore[misc]
                with self.lock:
                    self.answered += 1
            except LoadFailed:
                with self.lock:
                    self.failed += 1
            except WaitTimeout:
                with self.lock:
                    self.collateral += patience is None


@pytest.mark.parametrize("seed", range(2))
def test_no_thread_is_harmed_by_another_and_none_is_left_waiting(seed: int) -> None:
    """At most one load of a key at a time, and nothing left afterwards."""
    storm = Storm(seed)
    threads = [threading.Thread(target=storm.call, daemon=True) for _ in range(50)]
    for thread in threads:
        thread.start()
    ends_s = time.monotonic() + DEADLINE_S
    for thread in threads:
        thread.join(max(0.0, ends_s - time.monotonic()))
    assert not any(thread.is_alive() for thread in threads)
    assert storm.collateral == 0
    assert storm.loading_most == 1
    assert storm.answered + storm.failed >= 700
