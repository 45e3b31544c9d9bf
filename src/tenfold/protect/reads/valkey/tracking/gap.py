"""Why invalidations may have been missed."""

import enum


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
    """Whoever announces changes has not been heard for too long."""
    FAILED = "failed"
    """A target raised."""
    FORKED = "forked"
    """This is the child of a fork; the connection is the parent's."""
    ENDED = "ended"
    """Nobody listens: not yet opened, or closed."""


class StreamBroken(Exception):
    """The connection can no longer be believed. `detail` is evidence: a code or a kind, never what the server sent."""

    def __init__(self, gap: Gap, detail: str = "") -> None:
        super().__init__(f"{gap}: {detail}" if detail else str(gap))
        self.gap = gap
        self.detail = detail
