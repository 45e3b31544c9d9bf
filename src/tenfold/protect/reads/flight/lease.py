"""What a lease is, what a store of leases must do, and its rules as a pure table.

A lease says for a short time who of a whole fleet loads a key. It saves loads and never guards what is right: a holder
that was stopped for longer than the lease goes on loading beside its successor. That is what the fence is for (Gray and
Cheriton, "Leases", 1989; Kleppmann, "How to do distributed locking", 2016): what carries a smaller one is older.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from tenfold.kernel import Duration


class Grant(NamedTuple):
    """The lease is ours. `owner` is the secret that renews and releases it.

    `fence` grows from grant to grant of a key, as far as its store's clock does; 0 is no fence.
    """

    key: str
    owner: str
    fence: int


class Held(NamedTuple):
    """The lease is somebody else's, for at most `remaining` unless it is renewed."""

    remaining: Duration


class LeaseStore(Protocol):
    """Where a fleet keeps its leases. Each call must end by itself; not being able to say is an exception."""

    async def acquire(self, key: str, owner: str, ttl: Duration) -> Grant | Held:
        """Take the lease of `key` for `ttl` when nobody has it; one round trip."""
        ...

    async def renew(self, grants: Sequence[Grant], ttl: Duration) -> Sequence[bool]:
        """Let each last `ttl` from now; False, in the same order, for those that are not ours any more."""
        ...

    async def release(self, grants: Sequence[Grant]) -> None:
        """Give back what is still ours of these; what is not is left alone."""
        ...


class LeaseTable:
    """The rules, with time as an argument: a lease has one owner until it is released or over."""

    def __init__(self) -> None:
        self._leases: dict[str, tuple[str, int]] = {}
        self._fence = 0

    def acquire(self, key: str, owner: str, ttl: Duration, now_ns: int) -> Grant | Held:
        if key in self._leases and (remaining_ns := self._leases[key][1] - now_ns) > 0:
            return Held(Duration(remaining_ns))
        self._leases[key] = owner, now_ns + ttl.ns
        self._fence = max(self._fence + 1, now_ns)
        return Grant(key, owner, self._fence)

    def renew(self, grant: Grant, ttl: Duration, now_ns: int) -> bool:
        ours = self.is_ours(grant, now_ns)
        if ours:
            self._leases[grant.key] = grant.owner, now_ns + ttl.ns
        return ours

    def release(self, grant: Grant, now_ns: int) -> None:
        if self.is_ours(grant, now_ns):
            del self._leases[grant.key]

    def is_ours(self, grant: Grant, now_ns: int) -> bool:
        owner, ends_ns = self._leases.get(grant.key, ("", 0))
        return owner == grant.owner and now_ns < ends_ns

    def __len__(self) -> int:
        """Leases given and not released, those that are over included until somebody asks for them."""
        return len(self._leases)
