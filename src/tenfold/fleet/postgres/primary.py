"""The primary of a cluster: where writes go."""

from tenfold.fleet.account import write_private
from tenfold.fleet.postgres.config import ACCESS
from tenfold.fleet.postgres.node import PostgresNode


class PrimaryNode(PostgresNode):
    """Writes go here; `write_access` says how role app is let in."""

    def write_access(self, app: str) -> None:
        """Replace pg_hba.conf, whole or not at all; the file before lies beside it, safe on disk."""
        path = self.folder / "pg_hba.conf"
        write_private(path.with_suffix(".before"), path.read_text(), self._installation.account)
        write_private(path, ACCESS.format(app=app), self._installation.account)
