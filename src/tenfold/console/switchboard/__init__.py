"""The page for switches: who has set what, what a change would touch, one press to make it and one to take it back.

Everything is read from and written to the control node over its HTTP API, so that `tenfold switch` does all of it with
the console dead, and a console that is begun anew knows all that the one before knew.

pages        which address is answered by which page
read_pages   the pages that change nothing
set_pages    the pages that set a switch
unset_pages  the pages that unset and undo
layout       what every page has around it, and what is said in the place of one
switch_form  what a form says, and the rule that it comes to
change       one change, as far as it has come
overview     every switch as one look shows it
acks         which process has a change in force
watch        tells each open page that something is different
gateway      the way to the control node: threads, to a bound
"""

from tenfold.console.switchboard.gateway import NodeGateway
from tenfold.console.switchboard.layout import HOME
from tenfold.console.switchboard.pages import switch_routes
from tenfold.console.switchboard.watch import Watch

__all__ = ["HOME", "NodeGateway", "Watch", "switch_routes"]
