"""Whom a server runs as. PostgreSQL refuses to run as root, so it gets an unprivileged account of the machine."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from tenfold.kernel import TenfoldError

CANDIDATES = ("postgres", "nobody")


class AccountMissing(TenfoldError):
    """The machine has no unprivileged account to run the database as."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the machine."""

    name: str
    uid: int
    gid: int


def unprivileged() -> Account | None:
    """The account to run PostgreSQL as when we are root; None when we are not: it then runs as ourselves."""
    if os.getuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise AccountMissing(
        "PostgreSQL does not run as root, and this machine has no unprivileged account for it.",
        remedy=f"Add a user named '{CANDIDATES[0]}', or run as an ordinary user.",
    )


def own(path: Path, account: Account | None) -> None:
    """Give a file or folder to `account`."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Write a file that only its owner may read, whole or not at all, and see it to the disk."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    own(fresh, account)
    fresh.replace(path)
