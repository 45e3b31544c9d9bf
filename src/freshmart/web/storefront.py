"""What freshmart answers to each question, whatever carries the question.

The first line of each read is what /openapi.json says of it.
"""

import asyncio
import hmac
import math
import time
import uuid

from freshmart.backends import Backends
from freshmart.catalog import page_key
from freshmart.features import BANNER, HISTORY, IMAGE, RECOMMENDATIONS, REVIEWS, SLOT, history_key
from freshmart.inventory import shelf_key
from freshmart.media import kind_of, placeholder
from freshmart.orders import AskedOrder, OrderMalformed, OrdersBusy, OrdersLate, read_order
from freshmart.pricing import price_key
from freshmart.web.reply import JSON, JSON_STALE, PICTURES, PLACEHOLDER, PROBLEM, Reply, compose, problem, shielded
from tenfold.kernel import TenfoldError
from tenfold.protect import ReadLadder
from tenfold.protect.calls.limit import RateExceeded
from tenfold.protect.doors.deadline import DeadlinePassed
from tenfold.protect.reads.ladder import LadderExhausted

_NO_ORDER = "There is no order '{}'."
_PLACEHOLDER = Reply(200, placeholder(), PLACEHOLDER)


class TagWrong(TenfoldError):
    """A request was tagged as a test by somebody who does not know the rehearsal's token."""


class Storefront:
    """Reads answer from the near cache without waiting where they can."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._reads = backends.reads
        self._shields = {feature.name: feature for feature in backends.shields}
        self._token = backends.settings.rehearsal_token.encode()
        self._no_pictures = backends.registry.counter(
            "freshmart_pictures_refused_total", "What lay in the object store in a picture's place and was none."
        ).child()

    def is_shadow(self, tag: str | bytes | None) -> bool:
        """Whether a request belongs to the shadow lane. Raises TagWrong; says nothing of the token by its timing."""
        if tag is None:
            return False
        tag = tag.encode() if isinstance(tag, str) else tag
        if self._token and hmac.compare_digest(tag, self._token):
            return True
        raise TagWrong("The X-Tenfold-Test header does not carry the token of a rehearsal; nothing was done.")

    async def price(self, store: int, sku: int) -> Reply:
        """The price in force now."""
        return await _read(self._reads.price, price_key(store, sku), "Store {} has no price for SKU {}.", store, sku)

    async def availability(self, store: int, sku: int, *, shadow: bool) -> Reply:
        """What is left on the shelf, in steps; as new as the last change that was told. The order knows better."""
        steps = self._backends.steps
        known = steps.answer(store, sku, shadow=shadow) if steps is not None else None
        if known is not None:
            return Reply(200, known)
        key = shelf_key(store, sku, shadow=shadow)
        return await _read(self._reads.availability, key, "Store {} has no shelf for SKU {}.", store, sku)

    async def category(self, store: int, slug: str) -> Reply:
        """A category's most bought products, with their prices."""
        return await _read(self._reads.page, page_key(store, slug), "Store {} has no category '{}'.", store, slug)

    async def product(self, sku: int) -> Reply:
        """A product. Its picture is a link: nothing here needs the object store."""
        return await _read(self._reads.product, str(sku), "There is no SKU {}.", sku)

    async def recommendations(self, store: int, sku: int) -> Reply:
        """What others bought with it."""
        return await self._feature(RECOMMENDATIONS, price_key(store, sku), store)

    async def reviews(self, sku: int) -> Reply:
        """What others think of it."""
        return await self._feature(REVIEWS, str(sku))

    async def banners(self, store: int) -> Reply:
        """What is on promotion."""
        return await self._feature(BANNER, str(store), store)

    async def slots(self, store: int) -> Reply:
        """When it can be delivered."""
        return await self._feature(SLOT, str(store), store)

    async def history(self, store: int, *, shadow: bool) -> Reply:
        """A store's newest orders; at most 10 s old while everything works."""
        return await self._feature(HISTORY, history_key(store, shadow=shadow), store)

    async def product_page(self, store: int, sku: int, *, shadow: bool) -> Reply:
        """A product as a customer sees it: price, availability, and whatever of the rest can be had now."""
        parts = await asyncio.gather(
            self.product(sku),
            self.price(store, sku),
            self.availability(store, sku, shadow=shadow),
            self.recommendations(store, sku),
            self.reviews(sku),
            self.banners(store),
        )
        core, extras = parts[:3], parts[3:]
        missing = next((reply for reply in core if reply.status != 200), None)
        if missing is not None:
            return missing
        return compose(
            dict(zip(("product", "price", "availability"), core, strict=True)),
            dict(zip((RECOMMENDATIONS, REVIEWS, BANNER), extras, strict=True)),
        )

    async def order(self, order_id: str) -> Reply:
        """A placed order and how far it is."""
        try:
            key = str(uuid.UUID(order_id))
        except ValueError:
            return problem(404, "not-found", _NO_ORDER.format(order_id[:64]))
        return await _read(self._reads.order, key, _NO_ORDER, order_id[:64])

    async def image(self, sku: int) -> Reply:
        """The product's picture; while the object store fails, a placeholder with `X-Degraded: image`."""
        key = self._backends.pictures.get(sku)
        if key is None:
            return problem(404, "not-found", f"There is no SKU {sku}.")
        feature = self._shields[IMAGE]
        if not feature.open(subject=key):
            return _PLACEHOLDER
        began_ns = time.monotonic_ns()
        picture = self._reads.image.near_hit(key)
        if picture is None:
            picture = await self._far_picture(key)
        feature.spent(time.monotonic_ns() - began_ns)
        return _PLACEHOLDER if picture is None else self._picture(sku, picture)

    def _picture(self, sku: int, content: bytes) -> Reply:
        """Whatever is no picture stays inside: the storefront's origin lends itself to nobody's script."""
        kind = kind_of(content)
        if kind is not None:
            return Reply(200, content, PICTURES[kind])
        self._no_pictures.value += 1
        return problem(404, "no-picture", f"What is stored as the picture of SKU {sku} is no PNG, JPEG, WebP or GIF.")

    async def _far_picture(self, key: str) -> bytes | None:
        try:
            return (await self._reads.image.read(key)).value
        except (LadderExhausted, DeadlinePassed):
            return None

    async def _feature(self, name: str, key: str, store: int | None = None) -> Reply:
        """Shielded, it is an answer all the same: the page does without it."""
        feature = self._shields[name]
        if not feature.open(store=None if store is None else str(store), subject=key):
            return shielded(name)
        began_ns = time.monotonic_ns()
        reply = await _read(self._reads.features[name], key, "There are no {} for '{}'.", name, key)
        feature.spent(time.monotonic_ns() - began_ns)
        return reply

    async def place(self, asked: AskedOrder, key: str, *, shadow: bool) -> Reply:
        try:
            order = read_order(asked, key, shadow=shadow)
            self._backends.order_rates.check(order.store, shadow=shadow)
            decision = await self._backends.desk.place(order)
        except OrderMalformed as error:
            return problem(400, "malformed", str(error))
        except RateExceeded as error:
            more = f"Store {asked.store} sends more orders a second than it may; this one was not placed."
            return problem(429, "too-many-orders", more, retry_after_s=math.ceil(error.retry_after.s))
        except OrdersBusy as error:
            return problem(503, "busy", str(error), retry_after_s=1)
        except OrdersLate as error:
            return problem(503, "late", f"{error} Ask again with the same key.", retry_after_s=2)
        return Reply(decision.status, decision.answer, JSON if decision.status < 400 else PROBLEM)


async def _read(ladder: ReadLadder, key: str, absent: str, *named: object) -> Reply:
    """`absent` says, with what is `named` put in, that there is no such thing."""
    hit = ladder.near_hit(key)
    if hit is not None:
        return Reply(200, hit)
    try:
        answer = await ladder.read(key)
    except LadderExhausted:
        return problem(503, "unavailable", "No cache and no database could answer.", retry_after_s=1)
    except DeadlinePassed as error:
        return problem(503, "late", str(error))
    if answer.value is None:
        return problem(404, "not-found", absent.format(*named))
    return Reply(200, answer.value, JSON_STALE if answer.stale else JSON)
