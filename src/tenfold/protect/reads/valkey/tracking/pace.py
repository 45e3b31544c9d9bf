"""How soon a gap must be noticed, and when a stream is believed again."""

from dataclasses import dataclass

from tenfold.kernel import Duration

HEARTBEAT = Duration.from_ms(100)
SILENCE = Duration.from_ms(200)
ATTEMPT = Duration.from_ms(250)
AT_ONCE = Duration(0)


@dataclass(frozen=True, slots=True)
class Pace:
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
