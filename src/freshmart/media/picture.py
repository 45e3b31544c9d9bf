"""A product's picture, drawn: its category's colour, a blossom of its own, its name written beside. PNG of 1 to 2 KB.

Pixels and no drawing language: a picture that somebody exchanged in the store can then run nothing in a browser.
"""

import colorsys
import hashlib
import math
import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache

SIZE = 96
SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ROW = SIZE + 1
_PETALS = 16
_BANDS = 12
_SHADES = 48
_MIDDLE = SIZE // 2
_PETAL_AT = [(math.cos(2 * math.pi * n / _PETALS), math.sin(2 * math.pi * n / _PETALS)) for n in range(_PETALS)]
_INDEXED_8_BIT = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 3, 0, 0, 0)
_FASTEST = 1

Canvas = bytearray
"""Entries of the palette, row by row; each row begins with PNG's filter type: none."""


def product_key(sku: int) -> str:
    """Where a product's own picture lies in the object store."""
    return f"products/{sku}.png"


def category_key(slug: str) -> str:
    """Where the picture lies that stands for every product of a category."""
    return f"categories/{slug}.png"


def draw_picture(title: str, category: str, seed: str) -> bytes:
    """The same words and seed draw the same picture."""
    chance = hashlib.blake2b(seed.encode(), digest_size=_PETALS).digest()
    canvas = Canvas(_GROUND)
    for (x, y), byte in zip(_PETAL_AT, chance, strict=True):
        reach = 12 + byte // 14
        _dot(canvas, round(_MIDDLE + reach * x), round(_MIDDLE + reach * y), 5 + byte % 6, _BANDS + byte % _SHADES)
    return _png(canvas, _palette(category), f"{title}, {category}")


def placeholder() -> bytes:
    """What stands in while the object store does not answer: a light ground, and a sun."""
    canvas = Canvas(_ROW * SIZE)
    _dot(canvas, _MIDDLE, _MIDDLE, 18, 1)
    return _png(canvas, bytes((238, 241, 238, 207, 214, 207)), "Picture to follow")


_GROUND = b"".join(bytes([0, *[row * _BANDS // SIZE] * SIZE]) for row in range(SIZE))


def _dot(canvas: Canvas, x: int, y: int, radius: int, entry: int) -> None:
    for offset, half, count in _rows(radius):
        start = (y + offset) * _ROW + 1 + x - half
        canvas[start : start + count] = _LINES[entry][:count]


_LINES = [bytes([entry]) * SIZE for entry in range(_BANDS + _SHADES)]


@lru_cache(maxsize=64)
def _rows(radius: int) -> Sequence[tuple[int, int, int]]:
    """Of a disc: each row's distance from the middle, its reach to the left, its width."""
    reaches = [(offset, math.isqrt(radius**2 - offset**2)) for offset in range(-radius, radius + 1)]
    return [(offset, half, 2 * half + 1) for offset, half in reaches]


@lru_cache(maxsize=1024)
def _palette(category: str) -> bytes:
    """The ground, from light to less light; then the blossom's shades."""
    hue = hashlib.blake2b(category.encode(), digest_size=2).digest()[0] * 360 // 256
    ground = [_colour(hue, 65, 97 - band) for band in range(_BANDS)]
    return b"".join([*ground, *(_colour(hue + shade, 60, 45 + shade % 35) for shade in range(_SHADES))])


def _colour(hue: int, saturation: int, lightness: int) -> bytes:
    """Degrees, percent, percent: red, green, blue."""
    return bytes(round(255 * part) for part in colorsys.hls_to_rgb(hue % 360 / 360, lightness / 100, saturation / 100))


def _png(canvas: Canvas, palette: bytes, words: str) -> bytes:
    """https://www.w3.org/TR/png-3/"""
    said, pixels = b"Title\0\0\0\0\0" + words.encode(), zlib.compress(canvas, _FASTEST)
    chunks = [(b"IHDR", _INDEXED_8_BIT), (b"iTXt", said), (b"PLTE", palette), (b"IDAT", pixels), (b"IEND", b"")]
    return SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
