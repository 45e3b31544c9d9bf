"""The registry as Prometheus text (exposition format 0.0.4), and a server for processes that have none of their own."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tenfold.telemetry.metrics import DurationHistogram, Registry

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

BUCKETS_NS = tuple(
    round(seconds * 1e9)
    for seconds in (
        0.0001,
        0.00025,
        0.0005,
        0.001,
        0.0025,
        0.005,
        0.01,
        0.025,
        0.05,
        0.1,
        0.25,
        0.5,
        1,
        2.5,
        5,
        10,
    )
)


def render(registry: Registry) -> bytes:
    """Everything in `registry`, families by name, children by label values."""
    return ("\n".join(_lines(registry)) + "\n").encode()


def _lines(registry: Registry) -> Iterator[str]:
    for family in registry:
        yield f"# HELP {family.name} {_escape_help(family.help_text)}"
        yield f"# TYPE {family.name} {family.kind}"
        for values, child in family:
            pairs = [f'{name}="{_escape(value)}"' for name, value in zip(family.labels, values, strict=True)]
            if isinstance(child, DurationHistogram):
                yield from _histogram_lines(family.name, pairs, child)
            else:
                yield f"{family.name}{_braced(pairs)} {child.value}"


def _histogram_lines(name: str, pairs: list[str], timer: DurationHistogram) -> Iterator[str]:
    histogram = timer.histogram
    for limit_ns, count in zip(BUCKETS_NS, histogram.cumulative(BUCKETS_NS), strict=True):
        yield _bucket_line(name, pairs, f"{limit_ns / 1e9:g}", count)
    yield _bucket_line(name, pairs, "+Inf", histogram.count)
    yield f"{name}_sum{_braced(pairs)} {histogram.total / 1e9}"
    yield f"{name}_count{_braced(pairs)} {histogram.count}"


def _bucket_line(name: str, pairs: list[str], limit: str, count: int) -> str:
    labels = _braced([*pairs, f'le="{limit}"'])
    return f"{name}_bucket{labels} {count}"


def _braced(pairs: list[str]) -> str:
    return "{" + ",".join(pairs) + "}" if pairs else ""


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _escape_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


class MetricsServer:
    """`GET /metrics` in a thread of its own, on loopback unless told otherwise; port 0 takes a free one."""

    def __init__(self, registry: Registry, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = ThreadingHTTPServer((host, port), _handler_for(registry))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def open(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)


def _handler_for(registry: Registry) -> type[BaseHTTPRequestHandler]:
    class MetricsHandler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            known = self.path.partition("?")[0] == "/metrics"
            body = render(registry) if known else b"only /metrics is served here\n"
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A scrape every second is no news."""

    return MetricsHandler
