"""The names by which changes are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.protect.reads.valkey.tracking.notice import (
    Notice,
    NoticeInvalid,
    commands_of,
    name_of,
    names_of,
    prefix_of,
    read_notice,
)


@given(prefix=st.text(), key=st.text(st.characters(codec="utf-8")), version=st.integers(0, 2**64 - 1))
def test_what_is_told_is_what_is_heard(prefix: str, key: str, version: int) -> None:
    """Any key, colons and braces included, and any 64-bit version."""
    name = name_of(prefix, Notice(key, version)).encode(errors="surrogateescape")
    heard = prefix_of(prefix).encode(errors="surrogateescape")
    assert name.startswith(heard)
    assert read_notice(name[len(heard) :]) == Notice(key, version)


def test_a_key_that_is_no_text_is_a_key() -> None:
    assert read_notice(b"7:\xff\x00").key.encode(errors="surrogateescape") == b"\xff\x00"


@pytest.mark.parametrize("rest", [b"", b"a", b"7", b":a", b"-1:a", b" 1:a", b"1.5:a", b"9" * 21 + b":a", b"\xff:a"])
def test_a_name_that_is_no_notice_is_refused(rest: bytes) -> None:
    """Rather than being taken for some other key."""
    with pytest.raises(NoticeInvalid):
        read_notice(rest)


def test_a_notice_is_written_and_deleted_in_one_transaction() -> None:
    """So that nothing remains that would expire later, and be told again."""
    commands = commands_of(names_of("price:", {"a": 7, "b": 8}))
    assert commands == [
        ("MULTI",),
        ("MSET", "{notice}price:7:a", "", "{notice}price:8:b", ""),
        ("UNLINK", "{notice}price:7:a", "{notice}price:8:b"),
        ("EXEC",),
    ]
