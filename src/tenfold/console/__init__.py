"""The war room in the browser: one page that shows a run while it happens.

server      serves it on loopback, inside the loop that conducts the run
app         the pages and what they answer
events      the stream that a page follows
publisher   one run told to many viewers, none of whom can hold it up
policy      who may ask, and what a page may do
templates, static   the page itself: own small ES modules, no build step
"""

from tenfold.console.app import console_app
from tenfold.console.publisher import Publisher
from tenfold.console.server import Console, ConsolePortTakenError, ConsoleUnreachableError

__all__ = ["Console", "ConsolePortTakenError", "ConsoleUnreachableError", "Publisher", "console_app"]
