"""Ed25519 signatures (RFC 8032, section 5.1), for the certificate that a run makes for itself.

Python's standard library signs nothing. This is slow, and its timing tells of the key: for one signature at a start,
with a key that dies with the run, and for nothing else.
"""

import hashlib

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
_BASE_Y = 4 * pow(5, -1, _P) % _P

_Point = tuple[int, int, int, int]
"""Extended homogeneous coordinates."""

_BASE: _Point = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)


def public_key(secret: bytes) -> bytes:
    """Of a secret of 32 random bytes."""
    return _encoded(_times(_scalar(secret), _BASE))


def sign(secret: bytes, message: bytes) -> bytes:
    """64 bytes."""
    nonce = _number(hashlib.sha512(secret).digest()[32:] + message)
    commitment = _encoded(_times(nonce, _BASE))
    challenge = _number(commitment + public_key(secret) + message)
    return commitment + ((nonce + challenge * _scalar(secret)) % _ORDER).to_bytes(32, "little")


def _scalar(secret: bytes) -> int:
    number = int.from_bytes(hashlib.sha512(secret).digest()[:32], "little")
    return (number & (2**254 - 8)) | 2**254


def _number(message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(message).digest(), "little") % _ORDER


def _times(scalar: int, point: _Point) -> _Point:
    total: _Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _sum(total, point)
        point, scalar = _sum(point, point), scalar >> 1
    return total


def _sum(one: _Point, two: _Point) -> _Point:
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % _P, (one[1] + one[0]) * (two[1] + two[0]) % _P
    c, d = 2 * one[3] * two[3] * _D % _P, 2 * one[2] * two[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _encoded(point: _Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")
