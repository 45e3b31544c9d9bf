"""What the object store's processes are told to keep strangers out."""

import stat
import tomllib
from pathlib import Path

from tenfold.fleet.store_security import StoreSecurity


def test_keys_are_private_and_every_door_has_one(tmp_path: Path) -> None:
    """Read and write tokens, each another; certificates for every port; below a path that TOML must escape."""
    folder = tmp_path / 'a "quoted" \\ folder'
    StoreSecurity(folder).prepare()
    stated = tomllib.loads((folder / "security.toml").read_text())
    signing, filer = stated["jwt"]["signing"], stated["jwt"]["filer_signing"]
    keys = {signing["key"], signing["read"]["key"], filer["key"], filer["read"]["key"]}
    assert len(keys) == 4
    assert all(len(key) == 64 for key in keys)
    assert stated["grpc"].keys() >= {"ca", "master", "volume", "filer", "s3", "client"}
    assert all(stated["https"][part]["ca"] for part in ("master", "volume", "filer", "client"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_two_runs_share_no_key(tmp_path: Path) -> None:
    """Whoever belongs to one is a stranger to the other."""
    for name in ("one", "two"):
        StoreSecurity(tmp_path / name).prepare()
    for file in ("security.toml", "key.pem", "certificate.pem"):
        assert (tmp_path / "one" / file).read_text() != (tmp_path / "two" / file).read_text()
