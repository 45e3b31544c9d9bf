"""The page for switches: who has set what, what a change would touch, one press to make it and one to take it back.

Everything is read from and written to the control node over its HTTP API, so that `tenfold switch` does all of it with
the console dead, and a console that is begun anew knows all that the one before knew.

pages         which address is answered by whom
looks         the pages that change nothing
setting       the pages that set a switch
taking_back   the pages that unset and undo
frame         what every page has around it, and what is said in the place of one
hand          makes a change in the name of who is signed in
watch         who has a page open is told that something is different
picture       every switch as one look shows it
applied       who has a change in force
listing       in the order in which people look
change        one change, as far as it has come
wish          what a form says, and the rule that it comes to
epoch         what was looked at, as a form or an address says it
chain         whether the history is what was written
desk          the way to the control node: threads, to a bound
"""

from tenfold.console.switchboard.desk import Desk
from tenfold.console.switchboard.pages import SwitchPages
from tenfold.console.switchboard.watch import Watch

__all__ = ["Desk", "SwitchPages", "Watch"]
