"""A picture is what its first bytes say, whatever its name or its store says."""

import pytest

from freshmart.media import kind_of


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"GIF87a\1\0", "image/gif"),
        (b"GIF89a\1\0", "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
        (b"", None),
        (b"\x89PN", None),
        (b"RIFF\x24\0\0\0WAVEfmt ", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b" \x89PNG\r\n\x1a\n", None),
        (b"<!doctype html><script>", None),
    ],
)
def test_kind_is_told_by_the_first_bytes(content: bytes, kind: str | None) -> None:
    """Pictures of pixels alone; a drawing may hold a script, so it is none."""
    assert kind_of(content) == kind
