"""What the nodes of a cluster share."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tenfold.fleet import binaries
from tenfold.fleet.account import Account, unprivileged


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Programs, whom they run as, and the passwords of both roles."""

    programs: Path
    account: Account | None
    control_password: str = field(repr=False)
    app_password: str = field(repr=False)

    @classmethod
    def find(cls) -> Self:
        """Raises BinaryMissing, AccountMissing."""
        account = unprivileged()
        return cls(
            programs=binaries.postgresql(account),
            account=account,
            control_password=secrets.token_urlsafe(24),  # token_urlsafe: no quote, so it may stand in one
            app_password=secrets.token_urlsafe(24),
        )

    def program(self, name: str) -> str:
        """Where it lies."""
        return str(self.programs / name)
