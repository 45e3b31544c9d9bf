"""What keeps strangers out of SeaweedFS: its `security.toml`, with keys made for one run.

Its master, volumes and filer answer nobody who does not hold the run's certificate, neither by HTTP nor by gRPC; reads
and writes need a token besides (https://github.com/seaweedfs/seaweedfs/wiki/Security-Overview).
"""

import secrets
import ssl
from datetime import UTC, datetime
from pathlib import Path

from tenfold.fleet.account import write_private
from tenfold.fleet.certificate import make_certificate

_SIGNED = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
_CERTIFIED = ("grpc.master", "grpc.volume", "grpc.filer", "grpc.s3", "grpc.client")
_CERTIFIED_HTTP = ("https.master", "https.volume", "https.filer", "https.client")
KEY_BYTES = 32


class StoreSecurity:
    """One folder that only its owner may enter; every process of the store is told of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._certificate, self._key = folder / "certificate.pem", folder / "key.pem"

    def prepare(self) -> None:
        """Make the keys and write them down."""
        self._folder.mkdir(mode=0o700)
        made = make_certificate(datetime.now(UTC))
        write_private(self._certificate, made.certificate)
        write_private(self._key, made.key)
        write_private(self._folder / "security.toml", self._text())

    @property
    def flags(self) -> tuple[str, str]:
        """Before the command of `weed`: where its keys lie, and that it logs to where we look, not to /tmp."""
        return f"-config_dir={self._folder}", "-logtostderr=true"

    def tls(self) -> ssl.SSLContext:
        """To speak to the store as one of its own."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self._certificate)
        context.load_cert_chain(self._certificate, self._key)
        return context

    def _text(self) -> str:
        signed = [_section(name, key=secrets.token_hex(KEY_BYTES)) for name in _SIGNED]
        pair = {"cert": str(self._certificate), "key": str(self._key)}
        certified = [_section(name, **pair) for name in _CERTIFIED]
        served = [_section(name, **pair, ca=pair["cert"], enabled=name == "https.client") for name in _CERTIFIED_HTTP]
        rest = [_section("grpc", ca=pair["cert"]), _section("access", ui=False)]
        rest.append(_section("filer.expose_directory_metadata", enabled=False))
        return "\n".join([*signed, *certified, *served, *rest])


def _section(name: str, **stated: str | bool) -> str:
    """One table of TOML. A path may hold quotes and backslashes: those are escaped."""
    return "".join([f"[{name}]\n", *(f"{key} = {_value(value)}\n" for key, value in stated.items())])


def _value(value: str | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
