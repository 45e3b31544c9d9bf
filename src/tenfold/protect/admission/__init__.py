"""Who is let in when not everybody can be served.

shedder     decides: served now, waits, or refused; by tier, and fairly within one
ticket      one request at the door
line        those of one tier who wait for their turn
usage       who had how much lately
pressure    how bad it is, for features that can leave
admit       the door as `with` and `async with`
deadline    when the caller stops waiting, carried from process to process
middleware  admission for a whole ASGI application
caller      who asked over ASGI, and whether they are still there
meters      what a shedder counts
"""

from tenfold.protect.admission.admit import Admit, LoadShed
from tenfold.protect.admission.deadline import (
    HEADER,
    DeadlinePassed,
    check_deadline,
    deadline_headers,
    deadline_ns,
    deadline_within,
    time_left,
)
from tenfold.protect.admission.middleware import AdmissionMiddleware
from tenfold.protect.admission.shedder import Shedder
from tenfold.protect.admission.ticket import Fate, Ticket

__all__ = [
    "HEADER",
    "AdmissionMiddleware",
    "Admit",
    "DeadlinePassed",
    "Fate",
    "LoadShed",
    "Shedder",
    "Ticket",
    "check_deadline",
    "deadline_headers",
    "deadline_ns",
    "deadline_within",
    "time_left",
]
