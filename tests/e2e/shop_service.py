"""The smallest shop that a plan can name, a real HTTP/1.1 server: `python shop_service.py MODE`.

MODE is `sound`, `unready` (never answers 200 at /ready), `mortal` (dies of its tenth item), `stillborn` (ends at once),
`brief` (dies as soon as it is ready).
"""

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

DIES_AT = 10
BRIEF_S = 0.1


class Shop(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    mode = "sound"
    items = count(1)

    def do_GET(self) -> None:
        if self.path == "/ready":
            self._answer(503 if self.mode == "unready" else 200)
            return threading.Timer(BRIEF_S, os._exit, [70]).start() if self.mode == "brief" else None
        if self.mode == "mortal" and next(self.items) == DIES_AT:
            os._exit(70)
        return self._answer(200)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the standard library's
        """A line for each request would be a log of nothing else."""

    def _answer(self, status: int) -> None:
        body = b"{}"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(mode: str) -> None:
    if mode == "stillborn":
        sys.exit("the shop's stock file is missing")
    Shop.mode = mode
    with ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
