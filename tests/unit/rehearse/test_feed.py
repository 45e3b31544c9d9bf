import lzma
from pathlib import Path
from random import Random

import pytest

from tenfold.rehearse.load.feed import Feed, FeedInvalid, read_rows
from tenfold.rehearse.load.template import RequestPart

FIELDS = {(RequestPart.PATH, "sku")}


def test_rows_are_read_plain_and_compressed_and_reduced_to_what_is_needed(tmp_path: Path) -> None:
    """The name's ending says which."""
    text = b'{"sku": 1, "other": "x"}\n{"sku": 2}\n'
    (tmp_path / "a.jsonl").write_bytes(text)
    (tmp_path / "a.jsonl.xz").write_bytes(lzma.compress(text))
    expected = [{b"path:sku": b"1"}, {b"path:sku": b"2"}]
    assert read_rows(tmp_path / "a.jsonl", FIELDS) == expected
    assert read_rows(tmp_path / "a.jsonl.xz", FIELDS) == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [(b'{"sku": 1}\n{"store": 1}\n', ":2: field 'sku' is missing"), (b"nonsense\n", ":1: this is no row")],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, content: bytes, says: str) -> None:
    """So that a person can go and look."""
    (tmp_path / "feed.jsonl").write_bytes(content)
    with pytest.raises(FeedInvalid, match=says):
        read_rows(tmp_path / "feed.jsonl", FIELDS)


def test_a_broken_archive_and_a_missing_file_are_named(tmp_path: Path) -> None:
    """The world failed, not the driver."""
    (tmp_path / "feed.jsonl.xz").write_bytes(lzma.compress(b'{"sku": 1}\n' * 100)[:-20])
    for name in ("feed.jsonl.xz", "missing.jsonl"):
        with pytest.raises(FeedInvalid, match=f"{name} cannot be read"):
            read_rows(tmp_path / name, FIELDS)


def test_an_empty_feed_is_refused_and_every_row_of_another_is_drawn() -> None:
    """Nothing can be made from nothing."""
    with pytest.raises(FeedInvalid):
        Feed([], Random(1))
    feed = Feed([{b"n": b"%d" % n} for n in range(10)], Random(1))
    assert len({feed.draw()[b"n"] for _ in range(500)}) == 10
