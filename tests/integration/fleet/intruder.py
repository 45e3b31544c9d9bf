"""A local user who holds no key of the run: what he finds listening, and what he is answered."""

import contextlib
import socket
import ssl
from pathlib import Path

LIMIT_S = 2.0
LISTENING = "0A"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
SETTINGS_FRAME = 4
NEEDLE = "/1,0100000000"
"""Where a volume server keeps its first file."""


def listening_ports(pid: int) -> list[int]:
    """TCP ports that this process listens on, as the kernel knows them."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(str(entry.readlink()).removeprefix("socket:[").removesuffix("]"))
    rows = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    return sorted({int(row[1].split(":")[1], 16) for row in rows if row[3] == LISTENING and row[9] in inodes})


def answer(port: int, request: bytes, *, tls: bool = False, alpn: str = "") -> bytes:
    """All that comes back for these bytes; empty when he is turned away without a word."""
    said = b""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), LIMIT_S) as plain:
        line = _unverified(alpn).wrap_socket(plain) if tls else plain
        line.sendall(request)
        while part := line.recv(65_536):
            said += part
            if alpn or request == PREFACE:
                break
    return said


def status(said: bytes) -> int:
    """0 for silence, and for what is no HTTP/1."""
    words = said.split(maxsplit=2)
    return int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/1") else 0


def speaks_grpc(port: int, *, tls: bool) -> bool:
    """Whether HTTP/2's first frame is answered with one of its own: from there on every call is heard."""
    said = answer(port, PREFACE, tls=tls, alpn="h2" if tls else "")
    return len(said) >= 9 and said[3] == SETTINGS_FRAME and not said.startswith(b"HTTP")


def requests(port: int, planted: str, kept: str, drawing: bytes) -> list[bytes]:
    """Listings, state, keys, a planted file in three ways, and the end of one that is there."""
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.svg"\r\n'
        b"Content-Type: image/svg+xml\r\n\r\n" + drawing + b"\r\n--x--\r\n"
    )
    looked = ["/", "/cluster/status", "/dir/assign", "/dir/status", "/dir/lookup?fileId=1,01&read=yes", "/vol/status"]
    looked += ["/status", "/ui/index.html", "/metrics", "/debug/pprof/", "/submit", kept, f"{kept}?metadata=true"]
    looked += ["/buckets/", "/buckets/?limit=9", NEEDLE, "/stats/counter", "/stats/memory"]
    svg, parts = b"image/svg+xml", b"multipart/form-data; boundary=x"
    written = (planted, "/submit", "/dir/assign", NEEDLE)
    asked = [_request(port, b"GET", path) for path in looked]
    asked += [_request(port, method, path, drawing, svg) for method in (b"PUT", b"POST") for path in written]
    asked += [_request(port, b"POST", path, form, parts) for path in written]
    asked += [_request(port, b"DELETE", path) for path in (kept, "/buckets/media?recursive=true", NEEDLE)]
    return asked + [request.replace(b"127.0.0.1:%d" % port, b"evil.example") for request in asked]


def _request(port: int, method: bytes, path: str, body: bytes = b"", kind: bytes = b"text/plain") -> bytes:
    head = b"%b %b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n" % (method, path.encode(), port)
    return head + b"Content-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (kind, len(body), body)


def _unverified(alpn: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols([alpn])
    return context
