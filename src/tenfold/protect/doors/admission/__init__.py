"""Who is let in when not everybody can be served.

shedder       decides: served now, waits, or refused; by tier, and fairly within one
ticket        one request at the door
lines         everybody who waits, and who must go when there is no room
line          those of one tier who wait for their turn
usage         who had how much lately
service_time  how long one takes to be served: the measure of every wait
overload      what is refused while an event loop is late
loop_lag      how late it is
pressure      how bad it is, for features that can leave
admit         the door as `with` and `async with`
middleware    admission for a whole ASGI application
caller        who asked over ASGI, and whether they are still there
metrics        what a shedder counts
"""

from tenfold.protect.doors.admission.admit import Admit, LoadShed
from tenfold.protect.doors.admission.loop_lag import LoopLag
from tenfold.protect.doors.admission.middleware import FATE, AdmissionMiddleware
from tenfold.protect.doors.admission.overload import Overload
from tenfold.protect.doors.admission.shedder import Shedder
from tenfold.protect.doors.admission.ticket import Fate, Ticket

__all__ = ["FATE", "AdmissionMiddleware", "Admit", "Fate", "LoadShed", "LoopLag", "Overload", "Shedder", "Ticket"]
