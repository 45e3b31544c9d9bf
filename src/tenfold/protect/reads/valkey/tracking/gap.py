"""Why invalidations may have been missed, how soon that must be noticed, and when a stream is believed again."""

import enum
from dataclasses import dataclass

from tenfold.kernel import Duration

HEARTBEAT = Duration.from_ms(100)
SILENCE = Duration.from_ms(200)
ATTEMPT = Duration.from_ms(250)
AT_ONCE = Duration(0)


class Gap(enum.StrEnum):
    """The kinds of gap in a stream of invalidations."""

    UNREACHABLE = "unreachable"
    """No connection, or no answer to the greeting."""
    CLOSED = "closed"
    """The connection ended: the server was killed, was restarted, or threw a slow listener out."""
    SILENT = "silent"
    """A heartbeat was not answered in time: the server hangs, or the network swallows."""
    REFUSED = "refused"
    """The server answered with an error."""
    NOT_PRIMARY = "not-primary"
    """What is announced is written to another server."""
    GARBLED = "garbled"
    """What came was no protocol, or no notice."""
    FLUSHED = "flushed"
    """The server lost everything it held; it goes on telling."""
    UNANNOUNCED = "unannounced"
    """The announcer has not been heard for too long."""
    FAILED = "failed"
    """A target raised."""
    FORKED = "forked"
    """This is the child of a fork; the connection is the parent's."""
    ENDED = "ended"
    """The tracking does not listen: it is not opened yet, or closed."""


class StreamBroken(Exception):
    """The connection can no longer be believed. `detail` is evidence: a code or a kind, never what the server sent."""

    def __init__(self, gap: Gap, detail: str = "") -> None:
        super().__init__(f"{gap}: {detail}" if detail else str(gap))
        self.gap = gap
        self.detail = detail


@dataclass(frozen=True, slots=True)
class TrackingPace:
    """A heartbeat goes out every `heartbeat` and must be answered within `silence`: what hangs is doubted within their
    sum. An attempt to connect, greeting included, may last `attempt`.

    `settle`: how long a new stream must be whole before it is believed; at least the time by which whatever fills the
    target may lag behind the truth (a replica's lag), since what changed in the gap is told no more. `beat_max`: doubt
    when the announcer's beats are further apart; None: nobody beats, and neither a dead announcer is
    noticed nor a server that was replaced and does not know it. Give at least two beats' time.
    """

    heartbeat: Duration = HEARTBEAT
    silence: Duration = SILENCE
    attempt: Duration = ATTEMPT
    settle: Duration = AT_ONCE
    beat_max: Duration | None = None
