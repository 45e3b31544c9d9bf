"""What every address of every server answers to methods that it takes, and to those that it does not."""

from tests.wire import Told, Wire

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW")
ELSEWHERE = (b"jsdelivr", b"unpkg", b"cdnjs", b"//cdn", b"https://")
"""What a page would name that loads something from another server."""


async def check_address(wire: Wire, path: str, methods: set[str], *headers: str, pages: bool = False) -> None:
    """`methods` are those that the address takes, with HEAD wherever there is GET. `pages` refuse with a page."""
    assert ("GET" in methods) == ("HEAD" in methods), path
    if "GET" in methods:
        await _check_head(wire, path, headers)
    for method in METHODS:
        told = None if method in methods else await wire.ask(method, path, *headers)
        if told is not None and not (method == "OPTIONS" and told.status == 204):
            assert told.status == 405, (method, path, told)
            check_refusal(told, has_body=method != "HEAD")
        if told is not None:
            assert set(told.one("allow").split(", ")) - {"OPTIONS"} == methods, (method, path, told)
    if not pages and "POST" in methods:
        check_refusal(await wire.ask("POST", path, *headers, body=b"{"))


async def _check_head(wire: Wire, path: str, headers: tuple[str, ...]) -> None:
    """HEAD is answered like GET, without a body."""
    got, head = await wire.head("GET", path, *headers), await wire.ask("HEAD", path, *headers)
    assert (head.status, head.body) == (got.status, b""), path
    assert head.one("content-type") == got.one("content-type"), path


def check_refusal(told: Told, *, has_body: bool = True) -> None:
    """A problem, by RFC 9457."""
    assert told.status >= 400
    assert told.one("content-type") == "application/problem+json", told
    assert (b'"detail":' in told.body) is has_body
    assert not any(name in told.body for name in ELSEWHERE)
