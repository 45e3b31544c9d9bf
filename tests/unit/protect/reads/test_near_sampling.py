"""Which hits are told of."""

import random

from tenfold.protect.reads.near.sampling import Sampling


def test_what_is_told_stands_for_all_hits_together() -> None:
    """However far apart chance puts them, each weighs what it came after; on average as many as were asked for."""
    sampling, told = Sampling(8, random.Random(1)), []
    sampling.sampled = lambda key, weight: told.append((key, weight))
    hits, at = 0, 0
    for _ in range(1_000):
        hits += (at := sampling.tell("a"))
    assert sum(weight for _, weight in told) == hits - at + 1
    assert 7 < hits / 1_000 < 9


def test_who_is_told_says_how_often() -> None:
    """From the next hit on; without an answer it stays as it is."""
    sampling = Sampling(64, random.Random(1))
    sampling.sampled = lambda key, weight: 1
    assert [sampling.tell("a") for _ in range(10)] == [1] * 10
    sampling.sampled = lambda key, weight: None
    assert [sampling.tell("a") for _ in range(10)] == [1] * 10
