"""The certificate that the servers of one run know each other by: signed by itself, its own authority (RFC 5280).

Whoever holds its key belongs to the run; it names the loopback address and nothing else.
"""

import ipaddress
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tenfold.fleet.ports import LOOPBACK

LIFETIME = timedelta(days=365)
CLOCK_SKEW = timedelta(days=1)


class Certificate(NamedTuple):
    """Both as PEM."""

    certificate: str
    key: str


def make_certificate(now: datetime) -> Certificate:
    """With a new key; valid from a day before `now`, in UTC, for a year."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tenfold")])
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))])
    signed = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(loopback, critical=False)
        .sign(key, algorithm=None)
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Certificate(signed.public_bytes(Encoding.PEM).decode(), secret.decode())
