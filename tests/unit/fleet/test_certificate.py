"""The certificate of a run: taken by OpenSSL, and proof only for who holds its key."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tenfold.fleet.certificate import Certificate, make_certificate


def context(made: Certificate, folder: Path, protocol: int) -> ssl.SSLContext:
    """One end that shows this certificate and trusts it alone."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_text(made.certificate)
    key.write_text(made.key)
    context = ssl.SSLContext(protocol)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str = "127.0.0.1") -> None:
    """In memory. Raises ssl.SSLError when one end does not take the other for one of its own."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(down, up, server_hostname=name), server.wrap_bio(up, down, server_side=True)]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    ends[1].write(b"served")
    assert ends[0].read() == b"served"


def test_both_ends_of_a_run_take_each_other(tmp_path: Path) -> None:
    """One certificate serves both, at the loopback address."""
    made = make_certificate(datetime.now(UTC))
    client = context(made, tmp_path, ssl.PROTOCOL_TLS_CLIENT)
    handshake(client, context(made, tmp_path, ssl.PROTOCOL_TLS_SERVER))


def test_another_run_s_certificate_is_a_stranger_s(tmp_path: Path) -> None:
    """Same name, same address, another key."""
    server = context(make_certificate(datetime.now(UTC)), tmp_path, ssl.PROTOCOL_TLS_SERVER)
    client = context(make_certificate(datetime.now(UTC)), tmp_path, ssl.PROTOCOL_TLS_CLIENT)
    with pytest.raises(ssl.SSLError):
        handshake(client, server)


def test_certificate_speaks_for_loopback_alone(tmp_path: Path) -> None:
    """Nobody can stand at another address with it."""
    made = make_certificate(datetime.now(UTC))
    client = context(made, tmp_path, ssl.PROTOCOL_TLS_CLIENT)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(client, context(made, tmp_path, ssl.PROTOCOL_TLS_SERVER), "127.0.0.2")
