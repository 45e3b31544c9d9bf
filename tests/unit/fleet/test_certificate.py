"""The certificate of a run: signed as the RFC says, taken by OpenSSL, and proof only for who holds its key."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tenfold.fleet.certificate import Certificate, make_certificate
from tenfold.fleet.ed25519 import public_key, sign


@pytest.mark.parametrize(
    ("secret", "public", "message", "signature"),
    [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            (
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
            ),
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            (
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            ),
        ),
    ],
)
def test_signature_is_that_of_rfc_8032(secret: str, public: str, message: str, signature: str) -> None:
    """Section 7.1, tests 1 and 2."""
    key = bytes.fromhex(secret)
    assert public_key(key).hex() == public
    assert sign(key, bytes.fromhex(message)).hex() == signature


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
