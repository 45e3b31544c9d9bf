"""What every page and intake of the house stands on: a server in the owner's loop, and what it lets in.

server   a port, Granian, readiness, an end within a bound
body     the body of a request, to a bound: JSON of a given shape, or a plain HTML form
capacity how many connections this process may hold
policy   which requests are let in: by host name, by a program's token, by the page that sent them; what a page may do
problem  what is refused, for programs (RFC 9457) and for people
session  people sign in: one-time codes, cookies, a form's own token
guesses  wrong codes, and how long whoever tries one waits
door     lets in a change that a signed-in person makes from its own page
events   Server-Sent Events, and the viewers who follow them
"""

from tenfold.serving.body import BodyInvalid, BodyLate, BodyTooLarge, read_body, read_json, refuse_names_twice
from tenfold.serving.door import Admitted, Door, turned_away
from tenfold.serving.policy import FORM_HEADERS, LoopbackPolicy, OnceOnly
from tenfold.serving.problem import failed, problem, refusal, refused_by_routes
from tenfold.serving.server import LOOPBACK, AppServer, PortTakenError, ServerName, ServerUnreachableError
from tenfold.serving.session import Sessions, SessionTokenWeak

__all__ = [
    "FORM_HEADERS",
    "LOOPBACK",
    "Admitted",
    "AppServer",
    "BodyInvalid",
    "BodyLate",
    "BodyTooLarge",
    "Door",
    "LoopbackPolicy",
    "OnceOnly",
    "PortTakenError",
    "ServerName",
    "ServerUnreachableError",
    "SessionTokenWeak",
    "Sessions",
    "failed",
    "problem",
    "read_body",
    "read_json",
    "refusal",
    "refuse_names_twice",
    "refused_by_routes",
    "turned_away",
]
