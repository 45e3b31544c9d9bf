"""Brings the database to the schema that this build expects: numbered SQL files, each applied once, in order."""

from importlib.resources import files
from typing import Any

from tenfold.kernel import TenfoldError

# Two at once: the second waits for the first and finds its work done.
_LOCK = 0x66726573686D6172  # "freshmar"

_MIGRATIONS = files("freshmart") / "migrations"


class SchemaUnknown(TenfoldError):
    """The database was migrated by a newer build."""


def migrations() -> dict[str, str]:
    """SQL by name, in the order in which it is applied."""
    found = {entry.name: entry for entry in _MIGRATIONS.iterdir() if entry.name.endswith(".sql")}
    return {name: found[name].read_text(encoding="utf-8") for name in sorted(found)}


async def migrate(connection: Any) -> list[str]:
    """Apply what is missing, all of it or nothing; answers the names of what was applied. Raises SchemaUnknown."""
    known = migrations()
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        applied = await _applied(connection)
        if strangers := sorted(applied - known.keys()):
            raise SchemaUnknown(
                f"The database holds migration '{strangers[0]}', which this build does not know; nothing was changed.",
                remedy="Run the build that made it, or a newer one.",
            )
        missing = [name for name in known if name not in applied]
        for name in missing:
            await connection.execute(known[name])
            await connection.execute("INSERT INTO schema_migrations (name) VALUES ($1)", name)
    return missing


async def _applied(connection: Any) -> set[str]:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations "
        "(name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    return {row["name"] for row in await connection.fetch("SELECT name FROM schema_migrations")}
