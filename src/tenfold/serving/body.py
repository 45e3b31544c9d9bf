"""The body of a request: read as it comes, to a bound, and what it has to be."""

from typing import TypeVar

import msgspec
from starlette.requests import Request

from tenfold.kernel import TenfoldError

Body = TypeVar("Body")


class BodyTooLarge(TenfoldError):
    """A body is larger than its address takes; no more than that was read of it."""


class BodyInvalid(TenfoldError):
    """A body is not what its address takes; the message says why."""


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Whatever length was stated. Raises BodyTooLarge."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > bytes_max:
            raise BodyTooLarge(f"A body has at most {bytes_max} bytes; nothing was done.")
    return bytes(body)


async def read_json(request: Request, kind: type[Body], bytes_max: int) -> Body:
    """Raises BodyInvalid, BodyTooLarge."""
    text = await read_body(request, bytes_max)
    try:
        return msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError) as error:
        raise BodyInvalid(str(error)) from error
