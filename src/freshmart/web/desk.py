"""The few addresses of a program that is no storefront: what is asked there, and manners with everything else."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from freshmart.web.body import BodyStalled
from freshmart.web.reply import Reply, problem, send_reply
from tenfold.kernel import TenfoldError
from tenfold.telemetry import CONTENT_TYPE, Registry, render

Answer = Callable[[Any], Awaitable[Reply]]
"""Of what `receive` gives."""
_ONCE = frozenset({b"content-length", b"content-type", b"host"})


class HeaderTwice(TenfoldError):
    """A header that decides something is stated twice; which one is meant is not known."""

    @classmethod
    def of(cls, name: bytes) -> "HeaderTwice":
        return cls(f"The header '{name.decode('latin-1')}' is stated twice; nothing was done.")

    @property
    def reply(self) -> Reply:
        return problem(400, "malformed", str(self))


class Addresses:
    """An ASGI application. `posts` by path; `gets` by path, each answered to HEAD too."""

    def __init__(self, gets: Mapping[str, Callable[[], Reply]], posts: Mapping[str, Answer] | None = None) -> None:
        self._gets = gets
        self._posts = posts or {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            _refuse_twice(scope["headers"])
            reply = await self._reply(scope["method"], scope["path"], receive)
        except (HeaderTwice, BodyStalled) as refused:
            reply = refused.reply
        await send_reply(reply, send)

    async def _reply(self, method: str, path: str, receive: Any) -> Reply:
        if path in self._gets and method in ("GET", "HEAD"):
            return self._gets[path]()
        if path in self._posts and method == "POST":
            return await self._posts[path](receive)
        if path in self._gets or path in self._posts:
            allow = "GET, HEAD" if path in self._gets else "POST"
            return problem(405, "method-not-allowed", f"This address takes {allow}.", allow=allow)
        return problem(404, "not-found", f"Only {', '.join([*self._posts, *self._gets])} are served here.")


def metrics(registry: Registry) -> Reply:
    return Reply(200, render(registry), [(b"content-type", CONTENT_TYPE.encode())])


def ready(is_ready: bool) -> Reply:
    return Reply(200, b'{"status":"ready"}') if is_ready else problem(503, "not-ready", "Ask again in a moment.")


def _refuse_twice(headers: Any) -> None:
    """Raises HeaderTwice."""
    seen = set()
    for name, _ in headers:
        if name in seen and name in _ONCE:
            raise HeaderTwice.of(name)
        seen.add(name)
