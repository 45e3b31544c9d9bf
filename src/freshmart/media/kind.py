"""What a picture is, told by its first bytes: the store's word for it may be anybody's."""

PNG, JPEG, GIF, WEBP = "image/png", "image/jpeg", "image/gif", "image/webp"
KINDS = (PNG, JPEG, GIF, WEBP)


def kind_of(content: bytes) -> str | None:
    """Its media type; None for whatever is no picture of pixels: SVG, HTML, half a file.

    Signatures: https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content[:4] == b"RIFF" and content[8:14] == b"WEBPVP":
        return WEBP
    return GIF if content.startswith((b"GIF87a", b"GIF89a")) else None
