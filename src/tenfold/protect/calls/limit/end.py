"""What the end of a call says to a limit."""

import enum


class End(enum.Enum):
    """ANSWERED: its length counts. DROPPED: too much was asked. IGNORED: it says nothing, as when it failed at once
    (a failure is quick, and a baseline made of failures would be too low) or its caller left."""

    ANSWERED = "answered"
    DROPPED = "dropped"
    IGNORED = "ignored"


def end_of(error: BaseException | type[BaseException] | None) -> End:
    """What it says that a call ended with this exception, or with none."""
    if error is None:
        return End.ANSWERED
    kind = error if isinstance(error, type) else type(error)
    return End.DROPPED if issubclass(kind, TimeoutError) else End.IGNORED
