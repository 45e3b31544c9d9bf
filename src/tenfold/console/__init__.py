"""The war room in the browser: one page that shows a run while it happens, and one to set and take back switches.

server      serves it on loopback, inside the loop that conducts the run
app         the pages and what they answer
events      the stream that a page follows
publisher   one run told to many viewers, none of whom can hold it up
switchboard the page for switches
door        who may change something
session     who is signed in
form        the body of a form, to a bound
policy      who may ask, and what a page may do
drawing     pages out of templates
words       values, scopes, moments and lengths as a person reads them
templates, static   the page itself: own small ES modules, no build step
"""

from tenfold.console.app import console_app
from tenfold.console.publisher import Publisher
from tenfold.console.server import Console, ConsolePortTakenError, ConsoleUnreachableError
from tenfold.console.session import ConsoleTokenWeak

__all__ = [
    "Console",
    "ConsolePortTakenError",
    "ConsoleTokenWeak",
    "ConsoleUnreachableError",
    "Publisher",
    "console_app",
]
