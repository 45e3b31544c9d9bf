"""The metrics server over a real socket."""

import http.client
import socket
from collections.abc import Iterator

import pytest

from tenfold.telemetry import CONTENT_TYPE, MetricsServer, Registry


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    registry = Registry()
    registry.counter("tenfold_reads_total", "Reads.").child().inc(7)
    opened = MetricsServer(registry)
    opened.open()
    yield opened
    opened.close()


def get(port: int, path: str) -> tuple[int, str | None, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, response.headers["Content-Type"], body


def test_metrics_are_served_as_prometheus_asks_for_them(server: MetricsServer) -> None:
    """With the content type of the format, whatever follows the question mark."""
    for path in ("/metrics", "/metrics?name=tenfold"):
        status, content_type, body = get(server.port, path)
        assert (status, content_type) == (200, CONTENT_TYPE)
        assert body.endswith("tenfold_reads_total 7\n")


def test_nothing_but_metrics_is_served(server: MetricsServer) -> None:
    """It is a window, not a door."""
    assert get(server.port, "/")[0] == 404


def test_a_client_that_says_nothing_holds_up_nobody(server: MetricsServer) -> None:
    """Each scrape has a thread of its own."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5):
        assert get(server.port, "/metrics")[0] == 200


def test_the_server_listens_on_loopback_only(server: MetricsServer) -> None:
    """What a process counts is nobody's business outside the machine."""
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", server.port), timeout=1):
        pass


def test_two_servers_take_two_ports(server: MetricsServer) -> None:
    """Port 0 is a free one, and `port` says which."""
    other = MetricsServer(Registry())
    other.open()
    try:
        assert get(other.port, "/metrics")[:2] == (200, CONTENT_TYPE)
        assert other.port != server.port
    finally:
        other.close()


def test_a_closed_server_gives_its_port_back() -> None:
    """Nothing of it answers any more."""
    server = MetricsServer(Registry())
    server.open()
    server.close()
    with pytest.raises(ConnectionRefusedError):
        get(server.port, "/metrics")
