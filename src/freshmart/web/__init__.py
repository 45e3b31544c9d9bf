"""freshmart's HTTP face.

door        who is let in, by tier and store
routes      every read, declared once
hot         reads and orders as plain ASGI, in front of the framework
litestar    every route again with the framework, documented at /openapi.json
storefront  what is answered to each question, whatever carries it
answers     the answers as documented types
body        of a request: to a bound, ended when it stalls
desk        the few addresses of a program that is no storefront
reply       a status, headers, bytes
"""

from freshmart.web.door import open_door
from freshmart.web.hot import HotRoutes
from freshmart.web.litestar import make_routes
from freshmart.web.storefront import Storefront

__all__ = ["HotRoutes", "Storefront", "make_routes", "open_door"]
