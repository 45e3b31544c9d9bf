"""A name that stands twice in one object is found, and nothing else is."""

import pytest

from tenfold.kernel import name_twice


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b'{"a":1,"a":1}', "a"),
        (b'{"a":1,"\\u0061":2}', "a"),
        (b'[{"b":{"c":1,"d":2,"c":3}}]', "c"),
        (b'{"a":{"a":1},"b":[{"a":1},{"a":2}]}', None),
        (b'{"a":"\\"a\\":1"}', None),
        (b"1" * 10_000, None),
        (b'{"a":1,"a"', None),
        (b"[" * 100_000, None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_the_first_name_that_stands_twice_is_told(text: bytes, name: str | None) -> None:
    """However it is escaped; of what is no JSON, nothing is said."""
    assert name_twice(text) == name
