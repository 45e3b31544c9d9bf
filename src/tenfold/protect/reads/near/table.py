"""The values of the near cache: those that are proven, those in doubt, and who leaves next."""

from typing import cast

from tenfold.protect.reads.near.entry import Kept
from tenfold.protect.reads.near.policy import AdmissionPolicy


class Table:
    """Values by key in two dictionaries, so that a read of `proven` needs to check nothing more.

    When the stream of invalidations breaks, all that lies here moves to `unproven` in one step: the dictionary does,
    not its entries. Not safe from several threads but for reading `proven`.
    """

    def __init__(self, policy: AdmissionPolicy) -> None:
        self.proven: dict[str, Kept] = {}
        self.unproven: dict[str, Kept] = {}
        self.held_bytes = 0
        self._policy = policy

    def find(self, key: str) -> Kept | None:
        return self.proven.get(key) or self.unproven.get(key)

    def lay(self, kept: Kept, *, proven: bool) -> None:
        """Add a value whose key is not here."""
        (self.proven if proven else self.unproven)[kept.key] = kept
        self.held_bytes += kept.size_bytes
        self._policy.came(kept)

    def lift(self, kept: Kept) -> None:
        """Take a value out."""
        self._forget(kept)
        self._policy.went(kept)

    def renew(self, kept: Kept, *, proven: bool) -> None:
        """A value that lies here was loaded anew, which the policy hears as a read of it."""
        there, here = (self.unproven, self.proven) if proven else (self.proven, self.unproven)
        if kept.key in there:
            here[kept.key] = there.pop(kept.key)
        self._policy.touched(kept)

    def evict(self) -> None:
        """Take out whom the policy can spare most."""
        self._forget(cast("Kept", self._policy.evict()))

    def doubt(self) -> None:
        """Nothing that lies here is proven any more. The smaller dictionary is poured into the larger."""
        small, large = sorted((self.proven, self.unproven), key=len)
        large.update(small)
        self.proven, self.unproven = {}, large

    def clear(self) -> None:
        self.proven, self.unproven = {}, {}
        self.held_bytes = 0
        self._policy.clear()

    def __len__(self) -> int:
        return len(self.proven) + len(self.unproven)

    def _forget(self, kept: Kept) -> None:
        table = self.proven if self.proven.get(kept.key) is kept else self.unproven
        del table[kept.key]
        self.held_bytes -= kept.size_bytes
