"""The body of a plain HTML form, to a bound: neither size nor slowness of a body can hold the server."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from tenfold.kernel import TenfoldError
from tenfold.serving.body import BodyTooLarge, read_body

BODY_BYTES_MAX = 256 << 10
"""A value of 64 KiB, percent-encoded, and what stands beside it."""
FIELDS_MAX = 40
PATIENCE_S = 5.0
DIGITS_MAX = 18
_KIND = "application/x-www-form-urlencoded"

Fields = Mapping[str, str]


class FormUnreadable(TenfoldError):
    """What was sent is no form that these pages send; the message says why."""


async def read_form(request: Request) -> Fields:
    """Its fields; of two of the same name the last. Raises FormUnreadable."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise FormUnreadable(f"A form is sent as {_KIND}.")
    try:
        body = await asyncio.wait_for(read_body(request, BODY_BYTES_MAX), PATIENCE_S)
        return fields_of(body.decode())
    except BodyTooLarge as error:
        raise FormUnreadable(f"A form has at most {BODY_BYTES_MAX} bytes.") from error
    except (TimeoutError, ClientDisconnect) as error:
        raise FormUnreadable("The form did not arrive.") from error
    except ValueError as error:
        raise FormUnreadable("The form cannot be read.") from error


def fields_of(text: str) -> Fields:
    """Raises ValueError."""
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict"))


def number_in(fields: Fields, name: str) -> int | None:
    """A whole number as a form or an address states it; None when the field is not there, or says none."""
    text = fields.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX else None
