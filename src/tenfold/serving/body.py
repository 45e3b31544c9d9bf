"""The body of a request, JSON or a plain HTML form: read as it comes, to a bound, and what it has to be."""

import asyncio
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import ClientDisconnect, Request

from tenfold.kernel import TenfoldError, name_twice

FORM_BYTES_MAX = 256 << 10
"""A value of 64 KiB, percent-encoded, and what stands beside it."""
FIELDS_MAX = 40
PATIENCE_S = 5.0
"""For a whole body, however its bytes trickle in."""
DIGITS_MAX = 18
_KIND = "application/x-www-form-urlencoded"

Fields = Mapping[str, str]
Body = TypeVar("Body")


class BodyTooLarge(TenfoldError):
    """A body is larger than its address takes; no more than that was read of it."""


class BodyLate(TenfoldError):
    """A body did not arrive in time; nothing was done."""


class BodyInvalid(TenfoldError):
    """A body is not what its address takes; the message says why."""


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Whatever length was stated. Raises BodyTooLarge, BodyLate, BodyInvalid."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await _whole(request, bytes_max)
    except TimeoutError as error:
        raise BodyLate(f"The body did not arrive within {PATIENCE_S:g} s; nothing was done.") from error
    except ClientDisconnect as error:
        raise BodyInvalid("The body did not arrive.") from error


async def _whole(request: Request, bytes_max: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > bytes_max:
            raise BodyTooLarge(f"A body has at most {bytes_max} bytes; nothing was done.")
    return bytes(body)


async def read_json(request: Request, kind: type[Body], bytes_max: int) -> Body:
    """Raises BodyInvalid, BodyTooLarge, BodyLate."""
    text = await read_body(request, bytes_max)
    try:
        body = msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError) as error:
        raise BodyInvalid(str(error)) from error
    refuse_names_twice(text)
    return body


def refuse_names_twice(text: bytes) -> None:
    """Raises BodyInvalid."""
    name = name_twice(text)
    if name is not None:
        raise BodyInvalid(f"'{name[:64]}' stands twice in one object; which one is meant is not known.")


async def read_form(request: Request) -> Fields:
    """Its fields; of two of the same name the last. Raises BodyInvalid, BodyLate."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise BodyInvalid(f"A form is sent as {_KIND}.")
    try:
        return fields_of((await read_body(request, FORM_BYTES_MAX)).decode())
    except BodyTooLarge as error:
        raise BodyInvalid(f"A form has at most {FORM_BYTES_MAX} bytes.") from error
    except ValueError as error:
        raise BodyInvalid("The form cannot be read.") from error


def fields_of(text: str) -> Fields:
    """Raises ValueError."""
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict"))


def number_in(fields: Fields, name: str) -> int | None:
    """A whole number as a form or an address states it; None when the field is not there, or says none."""
    text = fields.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX else None
