"""The war room in the browser: one page that shows a run while it happens, and one to set and take back switches.

server      serves it on loopback, inside the loop that conducts the run
app         the pages and what they answer
publisher   one run told to many viewers, none of whom can hold it up
switchboard the page for switches
runs        past runs: a list, one report, two side by side, CSV
drawing     pages out of templates
filters     values, scopes, moments and lengths as a person reads them
templates, static   the page itself: own small ES modules, no build step
"""

from tenfold.console.app import console_app
from tenfold.console.publisher import Publisher
from tenfold.console.runs import ReportReader
from tenfold.console.server import Console

__all__ = ["Console", "Publisher", "ReportReader", "console_app"]
