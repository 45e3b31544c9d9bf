"""The feed: real rows that requests are made from, read once, held in memory, drawn by chance.

JSON lines, one object a row, compressed when the name ends in `.xz`. Only the fields that the plan's requests name are
kept, written as their place in the request wants them.
"""

import lzma
from collections.abc import Collection, Iterator
from pathlib import Path
from random import Random

import msgspec

from tenfold.kernel import TenfoldError
from tenfold.rehearse.load.template import RequestPart, field_key, written

ROWS_MAX = 1_000_000

Row = dict[bytes, bytes]


class FeedInvalid(TenfoldError):
    """The feed cannot be read, or a row lacks what a request needs."""


class Feed:
    """Rows to draw from. Every row may be drawn at every arrival."""

    __slots__ = ("_random", "_rows")

    def __init__(self, rows: list[Row], random: Random) -> None:
        if not rows:
            raise FeedInvalid("The feed holds no row, so no request can be made.")
        self._rows = rows
        self._random = random

    def draw(self) -> Row:
        return self._rows[int(self._random.random() * len(self._rows))]

    def __len__(self) -> int:
        return len(self._rows)


def read_rows(path: Path, fields: Collection[tuple[RequestPart, str]]) -> list[Row]:
    """Every row of the file, reduced to `fields`. Raises FeedInvalid, which names the line."""
    known: dict[bytes, bytes] = {}
    rows = []
    try:
        for number, line in enumerate(_lines(path), start=1):
            if number > ROWS_MAX:
                raise FeedInvalid(f"Feed {path} holds more than {ROWS_MAX} rows; no more are held in memory.")
            rows.append(_row(path, number, line, fields, known))
    except (OSError, EOFError, lzma.LZMAError) as cause:
        raise FeedInvalid(f"Feed {path} cannot be read: {cause}.") from cause
    return rows


def _lines(path: Path) -> Iterator[bytes]:
    with lzma.open(path, "rb") if path.suffix == ".xz" else path.open("rb") as file:
        yield from file


def _row(
    path: Path, number: int, line: bytes, fields: Collection[tuple[RequestPart, str]], known: dict[bytes, bytes]
) -> Row:
    """One row; equal values of many rows are kept once (`known`)."""
    try:
        record = msgspec.json.decode(line, type=dict[str, object])
        encoded = ((field_key(place, name), written(record[name], place)) for place, name in fields)
        return {key: known.setdefault(value, value) for key, value in encoded}
    except KeyError as cause:
        raise FeedInvalid(f"{path}:{number}: field {cause} is missing; a request of the plan needs it.") from cause
    except (msgspec.DecodeError, TenfoldError) as cause:
        raise FeedInvalid(f"{path}:{number}: this is no row of a feed: {cause}.") from cause
