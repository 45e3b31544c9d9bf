"""What every page and intake of the house stands on: a server in the owner's loop, and what it lets in.

server   a port, Granian, readiness, an end within a bound
body     the body of a request, to a bound: JSON of a given shape, or a plain HTML form
policy   which requests are let in: by host name, by a program's token, by the page that sent them; what a page may do
session  people sign in: one-time codes, cookies, a form's own token
door     lets in a change that a signed-in person makes from its own page
events   Server-Sent Events, and the viewers who follow them
"""

from tenfold.serving.body import BodyInvalid, BodyTooLarge, read_body, read_json
from tenfold.serving.door import Admitted, Door, turned_away
from tenfold.serving.policy import FORM_HEADERS, BearerGate, LoopbackPolicy
from tenfold.serving.server import LOOPBACK, AppServer, PortTakenError, ServerName, ServerUnreachableError
from tenfold.serving.session import Sessions, SessionTokenWeak

__all__ = [
    "FORM_HEADERS",
    "LOOPBACK",
    "Admitted",
    "AppServer",
    "BearerGate",
    "BodyInvalid",
    "BodyTooLarge",
    "Door",
    "LoopbackPolicy",
    "PortTakenError",
    "ServerName",
    "ServerUnreachableError",
    "SessionTokenWeak",
    "Sessions",
    "read_body",
    "read_json",
    "turned_away",
]
