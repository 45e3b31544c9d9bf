"""Asks an ASGI application one question without a socket, as a browser would put it."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class AsgiClient:
    """`host` is what stands in the Host header."""

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1:8000") -> None:
        self._app = app
        self._host = host

    def get(self, path: str) -> Answer:
        return asyncio.run(self.ask("GET", path))

    def post(self, path: str) -> Answer:
        return asyncio.run(self.ask("POST", path))

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, *, parts: Iterable[bytes] = ()
    ) -> Answer:
        """`parts` of the body are handed over as they are asked for."""
        said: list[Message] = []
        asked = _requests(parts)

        async def receive() -> Message:
            for message in asked:
                return message
            return await asyncio.Future()  # the browser stays and says no more

        async def send(message: Message) -> None:
            said.append(message)

        await self._app(self._scope(method, path, headers or {}), receive, send)
        answered = {name.decode().lower(): value.decode() for name, value in said[0]["headers"]}
        body = b"".join(message.get("body", b"") for message in said[1:])
        return Answer(status=said[0]["status"], headers=answered, body=body)

    def _scope(self, method: str, address: str, headers: Mapping[str, str]) -> dict[str, Any]:
        path, _, query = address.partition("?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [
                (b"host", self._host.encode()),
                *((name.lower().encode(), value.encode()) for name, value in headers.items()),
            ],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8000),
        }


def _requests(parts: Iterable[bytes]) -> Iterator[Message]:
    for part in parts:
        yield {"type": "http.request", "body": part, "more_body": True}
    yield {"type": "http.request", "body": b"", "more_body": False}
