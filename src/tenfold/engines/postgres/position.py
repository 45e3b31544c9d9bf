"""How far a database is in its log, and how far behind its primary: what makes the values read from it comparable."""

from typing import Any, NamedTuple

from tenfold.kernel import Clock, Duration, SystemClock

POSITION_TTL = Duration.from_ms(50)
NEVER = Duration.from_s(10**9)
TIMEOUT = Duration.from_ms(250)

_POSITION = """\
SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                            ELSE pg_current_wal_insert_lsn() END, '0/0')::int8,
       CASE WHEN NOT pg_is_in_recovery() THEN 0.0
            WHEN pg_last_wal_replay_lsn() = pg_last_wal_receive_lsn()
                 AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 0.0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 END
"""


class Position(NamedTuple):
    """How far a database was in its log, and how far behind its primary; what is read afterwards is newer."""

    lsn: int
    lag: Duration
    asked_at_ns: int
    """Monotonic."""
    true_at_ns: int
    """Wall clock: what the primary had committed by then is here."""


class LogPosition:
    """The position of one server, asked for at most once in `ttl`, or when a reader needs a newer one.

    Share it among the rungs of the same server: then all of them know its lag as soon as one has asked.
    """

    def __init__(self, *, ttl: Duration = POSITION_TTL, clock: Clock | None = None) -> None:
        self._ttl_ns = ttl.ns
        self._clock = clock or SystemClock()
        self._known: Position | None = None

    @property
    def lag(self) -> Duration:
        """How far the server was behind its primary when it was last asked; NEVER before that."""
        return self._known.lag if self._known else NEVER

    async def reach(self, connection: Any, not_before: int, *, timeout: Duration = TIMEOUT) -> Position:
        """A position that the server has passed: the last one, when that is new enough for `not_before`."""
        now_ns = self._clock.monotonic_ns()
        known = self._known
        if known and known.lsn >= not_before and now_ns - known.asked_at_ns < self._ttl_ns:
            return known
        wall_ns = self._clock.wall_ns()
        lsn, lag_s = await connection.fetchrow(_POSITION, timeout=timeout.s)
        lag = NEVER if lag_s is None else Duration.from_s(max(0.0, lag_s))
        self._known = Position(lsn or 0, lag, now_ns, max(0, wall_ns - lag.ns))
        return self._known


async def written_lsn(connection: Any, *, timeout: Duration = TIMEOUT) -> int:
    """The version that a read must have reached to show what was committed on this server before.

    Give it as `not_before` to a read ladder. `connection`: asyncpg's, to the primary.
    """
    lsn, _ = await connection.fetchrow(_POSITION, timeout=timeout.s)
    return int(lsn)
