"""The body of a request: read as it comes, to a bound, and what it has to be."""

from typing import TypeVar

import msgspec
from starlette.requests import Request

BYTES_MAX = 2 << 20

Body = TypeVar("Body")


class BodyTooLarge(Exception):
    """It is larger than the node holds; no more than that was read of it."""


class BodyInvalid(Exception):
    """It is not what this address takes; the message says why."""


async def text_of(request: Request) -> bytes:
    """Whatever length was stated. Raises BodyTooLarge."""
    text = bytearray()
    async for part in request.stream():
        text += part
        if len(text) > BYTES_MAX:
            raise BodyTooLarge
    return bytes(text)


async def body_of(request: Request, kind: type[Body]) -> Body:
    """Raises BodyInvalid, BodyTooLarge."""
    text = await text_of(request)
    try:
        return msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError) as error:
        raise BodyInvalid(str(error)) from error
