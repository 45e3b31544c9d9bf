"""What the features show: pairs out of the real baskets; reviews, banners and slots by seeded chance."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import permutations

TOGETHER_MAX = 6
REVIEWED = 2_000
"""So many products, the most bought ones, have reviews."""
REVIEWS_MAX = 8
SLOTS = ((8, 40), (10, 60), (12, 60), (14, 40), (16, 60), (18, 80), (20, 60))
"""The hour a slot begins at, and how many deliveries fit into it."""
BANNERS = (
    ("fruit", "Sale day: fruit at half the price", "tropical-fruit"),
    ("milk", "Milk for the whole week", "fluid-milk-products"),
    ("beef", "The good cut for the barbecue", "beef"),
    ("drinks", "Six bottles, pay five", "soft-drinks"),
)

_FIRST_DAY = date(2025, 1, 1)
_STARS = (5, 5, 5, 4, 4, 3, 2, 1)
_SAID = {
    5: ("Fresh, and as it was described.", "We buy it every week.", "The children ask for it."),
    4: ("Good, the pack could be larger.", "Fresh, a little expensive.", "As always."),
    3: ("It is all right.", "Once good, once not."),
    2: ("Not as fresh as last time.", "Smaller than in the picture."),
    1: ("It came too ripe.", "Not what I had ordered."),
}
_AUTHORS = ("Ana", "Ben", "Chen", "Dana", "Eli", "Fatma", "Gao", "Hana", "Ines", "Jun", "Kai", "Lin")

Review = tuple[int, int, int, str, str, date]


def bought_together(baskets: Iterable[Sequence[int]]) -> Iterator[tuple[int, int, int]]:
    """(SKU, other, baskets that held both): for each SKU the others that were most often beside it."""
    beside: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for skus in baskets:
        for sku, other in permutations(skus, 2):
            beside[sku][other] += 1
    for sku, others in sorted(beside.items()):
        for other in sorted(others, key=lambda other: (-others[other], other))[:TOGETHER_MAX]:
            yield sku, other, others[other]


def reviews(skus: Iterable[int]) -> Iterator[Review]:
    """(SKU, number, stars, text, author, day): the same for the same SKU, whoever asks."""
    for sku in skus:
        chance = random.Random(sku)
        for n in range(chance.randint(1, REVIEWS_MAX)):
            stars = chance.choice(_STARS)
            day = _FIRST_DAY + timedelta(days=chance.randrange(365))
            yield sku, n, stars, chance.choice(_SAID[stars]), chance.choice(_AUTHORS), day
