"""The audit: what must hold after the load, asked of the database itself.

Every answer that the driver journalled is copied beside the system's own tables first (`acknowledged`), so that an
invariant can hold the system to what it told its customers, not only to what it wrote down.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from tenfold.kernel import Clock, Duration, TenfoldError
from tenfold.plan.model import Invariant
from tenfold.rehearse.verdict import InvariantVerdict

SETTLE_LIMIT = Duration.from_s(30)
QUERY_LIMIT = Duration.from_s(60)
_COPY_BATCH = 20_000

_Row = tuple[str, str, int, str]

_ACKNOWLEDGED = """
CREATE TEMP TABLE acknowledged (journey text NOT NULL, key text NOT NULL, status integer NOT NULL, answer jsonb)
"""


class AuditImpossible(TenfoldError):
    """An invariant could not be asked: the query is wrong, or the database did not answer."""


class Acknowledged(msgspec.Struct, frozen=True):
    """One journalled answer: the key that the request carried, and what it was told."""

    journey: str
    key: str
    status: int
    answer: msgspec.Raw = msgspec.Raw(b"null")


async def audit(
    control_url: str,
    journal: Path,
    settled: str,
    invariants: Mapping[str, Invariant],
    clock: Clock,
    on_finding: Callable[[InvariantVerdict], None],
) -> tuple[bool, list[InvariantVerdict]]:
    """Wait until the system has settled, then ask every invariant, in order.

    Answers whether it settled within SETTLE_LIMIT, and one finding for each invariant. Raises AuditImpossible.
    """
    findings = []
    async with _auditor(control_url) as database:
        has_settled = await _settle(database, settled, clock)
        await _copy_acknowledged(database, journal)
        for name, invariant in invariants.items():
            finding = await _ask(database, name, invariant)
            findings.append(finding)
            on_finding(finding)
    return has_settled, findings


@asynccontextmanager
async def _auditor(control_url: str) -> AsyncIterator[Any]:
    try:
        database = await asyncpg.connect(control_url, timeout=5, command_timeout=QUERY_LIMIT.s)
    except (OSError, asyncpg.PostgresError) as cause:
        raise AuditImpossible(f"The audit cannot reach the database's primary: {cause}.") from cause
    try:
        yield database
    finally:
        await database.close(timeout=2)


async def _settle(database: Any, settled: str, clock: Clock) -> bool:
    """Ask until the system says it has nothing left to do; False when the limit is over first."""
    deadline_ns = clock.monotonic_ns() + SETTLE_LIMIT.ns
    while not await _value(database, "settled", settled):
        if clock.monotonic_ns() > deadline_ns:
            return False
        await asyncio.sleep(0.1)
    return True


async def _copy_acknowledged(database: Any, journal: Path) -> None:
    await database.execute(_ACKNOWLEDGED)
    for rows in _batches(_read_journal(journal), _COPY_BATCH):
        await database.copy_records_to_table("acknowledged", records=rows)
    await database.execute("ANALYZE acknowledged")


def _read_journal(journal: Path) -> Iterator[_Row]:
    """The journalled answers; none when no journey of the plan keeps a journal."""
    if not journal.exists():
        return
    decoder = msgspec.json.Decoder(Acknowledged)
    with journal.open("rb") as lines:
        for line in lines:
            entry = decoder.decode(line)
            yield entry.journey, entry.key, entry.status, bytes(entry.answer).decode()


def _batches(rows: Iterator[_Row], size: int) -> Iterator[list[_Row]]:
    while batch := list(islice(rows, size)):
        yield batch


async def _ask(database: Any, name: str, invariant: Invariant) -> InvariantVerdict:
    """An invariant that looked at nothing has shown nothing."""
    checked = int(await _value(database, name, invariant.checked))
    violations = int(await _value(database, name, invariant.violations))
    return InvariantVerdict(name=name, held=violations == 0 < checked, checked=checked, violations=violations)


async def _value(database: Any, name: str, query: str) -> Any:
    """The one value that a query of the plan answers."""
    try:
        value = await database.fetchval(query)
    except (OSError, TimeoutError, asyncpg.PostgresError) as cause:
        raise AuditImpossible(f"Invariant '{name}' cannot be asked: {cause}.", remedy=f"Its query: {query}") from cause
    if value is None:
        raise AuditImpossible(f"Invariant '{name}' answers no number.", remedy=f"Its query: {query}")
    return value
