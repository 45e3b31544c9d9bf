"""The certificate that the servers of one run know each other by: signed by itself, its own authority (RFC 5280, 8410).

Whoever holds its key belongs to the run; it names the loopback address and nothing else.
"""

import base64
import secrets
import socket
from datetime import datetime, timedelta
from typing import NamedTuple

from tenfold.fleet.ed25519 import public_key, sign
from tenfold.fleet.ports import LOOPBACK

LIFETIME = timedelta(days=365)
CLOCK_SKEW = timedelta(days=1)
_INTEGER, _BITS, _OCTETS, _TEXT, _UTC_TIME, _SEQUENCE, _SET = 0x02, 0x03, 0x04, 0x0C, 0x17, 0x30, 0x31
_VERSION, _EXTENSIONS, _ADDRESS = 0xA0, 0xA3, 0x87
_ED25519 = bytes.fromhex("300506032b6570")
_COMMON_NAME, _AUTHORITY, _ALTERNATIVE = (bytes.fromhex(each) for each in ("0603550403", "0603551d13", "0603551d11"))
_TRUE = bytes.fromhex("0101ff")


class Certificate(NamedTuple):
    """Both as PEM."""

    certificate: str
    key: str


def make_certificate(now: datetime, secret: bytes | None = None) -> Certificate:
    """Valid from a day before `now`, in UTC, for a year; `secret` are 32 bytes, random unless stated."""
    secret = secrets.token_bytes(32) if secret is None else secret
    body = _body(public_key(secret), now)
    whole = _der(_SEQUENCE, body, _ED25519, _bits(sign(secret, body)))
    key = _der(_SEQUENCE, _der(_INTEGER, b"\0"), _ED25519, _der(_OCTETS, _der(_OCTETS, secret)))
    return Certificate(_pem("CERTIFICATE", whole), _pem("PRIVATE KEY", key))


def _body(public: bytes, now: datetime) -> bytes:
    serial = _der(_INTEGER, b"\1" + secrets.token_bytes(8))
    name = _der(_SEQUENCE, _der(_SET, _der(_SEQUENCE, _COMMON_NAME, _der(_TEXT, b"tenfold"))))
    valid = _der(_SEQUENCE, _time(now - CLOCK_SKEW), _time(now + LIFETIME))
    holder = _der(_SEQUENCE, _ED25519, _bits(public))
    version = _der(_VERSION, _der(_INTEGER, b"\2"))
    return _der(_SEQUENCE, version, serial, _ED25519, name, valid, name, holder, _extensions())


def _extensions() -> bytes:
    """It may sign (itself), and speaks for the loopback address."""
    authority = _der(_SEQUENCE, _AUTHORITY, _TRUE, _der(_OCTETS, _der(_SEQUENCE, _TRUE)))
    address = _der(_SEQUENCE, _der(_ADDRESS, socket.inet_aton(LOOPBACK)))
    alternative = _der(_SEQUENCE, _ALTERNATIVE, _der(_OCTETS, address))
    return _der(_EXTENSIONS, _der(_SEQUENCE, authority, alternative))


def _time(moment: datetime) -> bytes:
    return _der(_UTC_TIME, f"{moment:%y%m%d%H%M%SZ}".encode())


def _bits(content: bytes) -> bytes:
    return _der(_BITS, b"\0", content)


def _der(tag: int, *parts: bytes) -> bytes:
    """One value of ASN.1: tag, length, content (X.690)."""
    content = b"".join(parts)
    length = len(content)
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, length] if length < 128 else [tag, 0x80 | len(octets), *octets]) + content


def _pem(kind: str, der: bytes) -> str:
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])
