"""A product's picture, drawn: its category's colour, its name, a shape that is its own. SVG of 2 to 3 KB."""

import hashlib
import html
import math
import textwrap

CONTENT_TYPE = "image/svg+xml"
_SIZE = 480
_PETALS = 36


def product_key(sku: int) -> str:
    """Where a product's own picture lies in the object store."""
    return f"products/{sku}.svg"


def category_key(slug: str) -> str:
    """Where the picture lies that stands for every product of a category."""
    return f"categories/{slug}.svg"


def draw_picture(title: str, category: str, seed: str) -> bytes:
    """The same words and seed draw the same picture."""
    chance = hashlib.blake2b(seed.encode(), digest_size=_PETALS).digest()
    hue = hashlib.blake2b(category.encode(), digest_size=2).digest()[0] * 360 // 256
    blossom = "".join(_petal(n, byte, hue) for n, byte in enumerate(chance))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {_SIZE}" role="img">'
        f"<title>{html.escape(title)}</title>"
        f'<defs><radialGradient id="g"><stop offset="0" stop-color="hsl({hue} 70% 97%)"/>'
        f'<stop offset="1" stop-color="hsl({hue} 55% 84%)"/></radialGradient></defs>'
        f'<rect width="{_SIZE}" height="{_SIZE}" fill="url(#g)"/>{blossom}{_words(title, category, hue)}</svg>'
    ).encode()


def placeholder() -> bytes:
    """What stands in while the object store does not answer."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {_SIZE}" role="img">'
        "<title>Picture to follow</title>"
        f'<rect width="{_SIZE}" height="{_SIZE}" fill="#eef1ee"/>'
        '<path d="M120 330l80-100 60 70 40-50 60 80z" fill="#cfd6cf"/><circle cx="310" cy="170" r="28" fill="#cfd6cf"/>'
        "</svg>"
    ).encode()


def _petal(n: int, byte: int, hue: int) -> str:
    angle = 2 * math.pi * n / _PETALS
    reach = 70 + byte // 3
    x, y = round(240 + reach * math.cos(angle)), round(190 + reach * math.sin(angle) * 0.85)
    return (
        f'<circle cx="{x}" cy="{y}" r="{6 + byte % 17}" fill="hsl({(hue + byte // 6) % 360} 60% {50 + byte % 30}%)"/>'
    )


def _words(title: str, category: str, hue: int) -> str:
    lines = textwrap.wrap(title, 26)[:2]
    named = "".join(f'<tspan x="240" dy="{34 if n else 0}">{html.escape(line)}</tspan>' for n, line in enumerate(lines))
    return (
        f'<g font-family="system-ui,sans-serif" text-anchor="middle" fill="hsl({hue} 45% 20%)">'
        f'<text x="240" y="388" font-size="28" font-weight="600">{named}</text>'
        f'<text x="240" y="458" font-size="18" opacity=".7">{html.escape(category)}</text></g>'
    )
