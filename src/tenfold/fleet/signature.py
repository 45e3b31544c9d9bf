"""AWS Signature Version 4, as far as a request to a loopback S3 gateway needs it (path-style, no query)."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

REGION = "us-east-1"


@dataclass(frozen=True, slots=True, repr=False)
class AccessKeys:
    """What proves who asks; its text form says nothing."""

    access: str
    secret: str


def signing_key(secret: str, day: str, region: str, service: str = "s3") -> bytes:
    """The key of one day, region and service; `day` is written 20261122."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = _hmac(key, part)
    return key


def sign(keys: AccessKeys, method: str, host: str, path: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers to send; `at` is UTC, `path` is percent-encoded already."""
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
    digest = hashlib.sha256(body).hexdigest()
    signed = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": stamp}
    names = ";".join(signed)
    canonical = "\n".join([method, path, "", *(f"{name}:{value}" for name, value in signed.items()), "", names, digest])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = _hmac(signing_key(keys.secret, stamp[:8], REGION), to_sign).hex()
    proof = f"AWS4-HMAC-SHA256 Credential={keys.access}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {"x-amz-content-sha256": digest, "x-amz-date": stamp, "Authorization": proof}


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
