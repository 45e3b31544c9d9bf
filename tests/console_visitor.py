"""A browser without a window at the console's ASGI application: cookies, forms, and what it states of itself."""

import asyncio
import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from starlette.types import ASGIApp, Message

from tests.asgi_client import Answer

HOST = "127.0.0.1:8000"
OWN_PAGE = {"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}


class Visitor:
    """One person at one browser. `runner` keeps one event loop for all that they ask."""

    def __init__(self, app: ASGIApp, runner: asyncio.Runner) -> None:
        self._app = app
        self._runner = runner
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []

    def get(self, address: str) -> Answer:
        return self._runner.run(self._ask("GET", address, {}, b""))

    def post(
        self,
        address: str,
        fields: Mapping[str, str],
        *,
        headers: Mapping[str, str] = OWN_PAGE,
        body: bytes | None = None,
    ) -> Answer:
        stated = {"content-type": "application/x-www-form-urlencoded", **headers}
        return self._runner.run(
            self._ask("POST", address, stated, urlencode(fields).encode() if body is None else body)
        )

    def sign_in(self, code: str, name: str) -> Answer:
        return self.post("/sign-in", {"code": code, "name": name})

    def form_at(self, address: str, action: str) -> dict[str, str]:
        """The fields of the form of a page that goes to `action`, as they are filled in."""
        return fields_of(self.get(address).text, action)

    async def _ask(self, method: str, address: str, headers: Mapping[str, str], body: bytes) -> Answer:
        said: list[Message] = []
        asked: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            return asked.pop() if asked else await asyncio.Future()

        async def send(message: Message) -> None:
            said.append(message)

        await self._app(self._scope(method, address, headers), receive, send)
        answered = [(name.decode().lower(), value.decode()) for name, value in said[0]["headers"]]
        self._keep([value for name, value in answered if name == "set-cookie"])
        text = b"".join(message.get("body", b"") for message in said[1:])
        return Answer(status=said[0]["status"], headers=dict(answered), body=text)

    def _keep(self, set_cookies: list[str]) -> None:
        self.set_cookies += set_cookies
        for cookie in set_cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value

    def _scope(self, method: str, address: str, headers: Mapping[str, str]) -> dict[str, Any]:
        parts = urlsplit(address)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        stated = {"host": HOST, **({"cookie": cookies} if cookies else {}), **headers}
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": parts.path.replace("%2F", "/").replace("%20", " "),
            "raw_path": quote(parts.path, safe="/%").encode(),
            "root_path": "",
            "query_string": parts.query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in stated.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8000),
        }


def fields_of(page: str, action: str) -> dict[str, str]:
    """What a browser would send: hidden and text fields, and what is checked; buttons are pressed by the caller."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', page, re.DOTALL)
    assert form is not None, f"there is no form to {action}"
    fields: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form[1]):
        said = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if "name" in said and (said.get("type") != "radio" or " checked" in tag):
            fields[said["name"]] = unescape(said.get("value", ""))
    return fields
