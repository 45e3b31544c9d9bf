"""An acquirer over HTTP/1.1: one exchange a batch, on connections that are kept; nothing is tried twice here."""

import asyncio
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from tenfold.kernel import TenfoldError
from tenfold.protect.doors.deadline import deadline_headers

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Fen = Annotated[int, msgspec.Meta(ge=1)]


class PaymentDemand(msgspec.Struct, frozen=True):
    """So much of a customer's money. The same key is the same money, however often it is asked for."""

    key: Key
    amount_fen: Fen


class Receipt(msgspec.Struct, frozen=True):
    """The money of that key is ours to take, under this number."""

    key: str
    authorisation: str


AUTHORISE, CHARGE = "/authorisations", "/charges"
IDLE_MAX = 8
ANSWER_BYTES_MAX = 1 << 20
_RECEIPTS = msgspec.json.Decoder(list[Receipt])
_NO_ANSWER = (OSError, EOFError, ValueError, IndexError, asyncio.LimitOverrunError)
"""It is away, it hung up, or what came back is none: no number where one belongs, no status, a head that never ends."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class AcquirerUnreachable(TenfoldError):
    """The acquirer did not answer; whether it did what it was asked is not known. Keys make asking again safe."""


class Acquirer:
    """Each call is one exchange on a connection of its own, for one event loop. The caller has the timeout."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._idle: list[Streams] = []

    async def authorise(self, demands: Sequence[PaymentDemand]) -> list[Receipt]:
        """Hold the money for a later charge; a hold that nobody charges lapses. Raises AcquirerUnreachable."""
        return await self._exchange(AUTHORISE, demands)

    async def charge(self, demands: Sequence[PaymentDemand]) -> list[Receipt]:
        """Take the money, held or not. Raises AcquirerUnreachable."""
        return await self._exchange(CHARGE, demands)

    async def close(self) -> None:
        while self._idle:
            _, writer = self._idle.pop()
            writer.close()

    async def _exchange(self, path: str, demands: Sequence[PaymentDemand]) -> list[Receipt]:
        try:
            status, answer = await self._post(path, msgspec.json.encode(demands))
            receipts = _RECEIPTS.decode(answer) if status == 200 else []
        except _NO_ANSWER as error:
            raise AcquirerUnreachable(f"The acquirer did not answer ({type(error).__name__}).") from error
        if [receipt.key for receipt in receipts] != [demand.key for demand in demands]:
            raise AcquirerUnreachable(f"The acquirer answered {status}, and not what it was asked.")
        return receipts

    async def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """A connection on which anything went wrong, a cancellation too, is not used again."""
        line = self._idle.pop() if self._idle else await asyncio.open_connection(self._host, self._port)
        reader, writer = line
        try:
            stated = {"Host": self._host, "Content-Length": str(len(body)), **deadline_headers()}
            lines = [f"POST {path} HTTP/1.1", *(f"{name}: {said}" for name, said in stated.items()), "", ""]
            writer.write("\r\n".join(lines).encode() + body)
            answer = await _answer(reader)
        except BaseException:
            writer.close()
            raise
        if len(self._idle) < IDLE_MAX:
            self._idle.append(line)
        else:
            writer.close()
        return answer


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body. What is no answer with a length raises one of _NO_ANSWER."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
    if not 0 <= length <= ANSWER_BYTES_MAX:
        raise ValueError(f"an answer of {length} bytes")
    return int(head.split(None, 2)[1]), await reader.readexactly(length)
