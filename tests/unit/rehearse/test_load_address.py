import pytest

from tenfold.rehearse.load.address import LoadAddress, TargetInvalid, loopback_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8000", LoadAddress("127.0.0.1", 8000)),
        ("http://localhost:8000/", LoadAddress("127.0.0.1", 8000)),
        ("http://[::1]:8000", LoadAddress("::1", 8000)),
        ("http://127.0.0.1", LoadAddress("127.0.0.1", 80)),
    ],
)
def test_load_may_go_to_this_machine(url: str, address: LoadAddress) -> None:
    """By any of its names, without asking a name server."""
    assert loopback_address(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:80",
        "http://example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "https://127.0.0.1",
        "http://user@127.0.0.1",
        "http://127.0.0.1:99999",
        "http://127.0.0.1/prefix",
        "127.0.0.1:80",
        "",
    ],
)
def test_load_goes_nowhere_else(url: str) -> None:
    """A load driver that can be pointed at others is a weapon."""
    with pytest.raises(TargetInvalid):
        loopback_address(url)
