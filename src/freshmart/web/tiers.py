"""How much a request matters and whose it is: from its path alone, since every request is asked."""

from typing import Any

P0, P1, P2, P3 = range(4)
_OF_STORE = {
    "prices": P0,
    "availability": P0,
    "categories": P1,
    "products": P1,
    "orders": P2,
    "slots": P2,
    "banners": P3,
}
_OF_PRODUCT = {"image": P2, "reviews": P3}


def tenant_of(scope: Any) -> str:
    """Whose request it is: a store's; of what belongs to no store, nobody's but its own."""
    parts = scope["path"].split("/", 3)
    return parts[2] if len(parts) > 2 else ""


def tier_of(scope: Any) -> int:
    """0 matters most. What is not known is P1: nothing that is sold, nothing that can be done without."""
    parts = scope["path"].split("/", 6)
    kind = parts[1]
    if kind == "stores" and len(parts) > 3:
        return P3 if parts[-1] == "recommendations" else _OF_STORE.get(parts[3], P1)
    if kind == "products" and len(parts) == 4:
        return _OF_PRODUCT.get(parts[3], P1)
    if kind in ("metrics", "ready", "health", "features"):
        return P0
    return P0 if kind == "orders" and scope["method"] == "POST" else P1
