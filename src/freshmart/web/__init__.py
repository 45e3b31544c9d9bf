"""freshmart's HTTP face.

storefront  what is answered to each question, whatever carries it
hot         the hottest reads as plain ASGI, in front of the framework
routes      every route, documented at /openapi.json
answers     the answers as documented types
reply       a status, headers, bytes
"""

from freshmart.web.hot import HotRoutes
from freshmart.web.routes import make_routes
from freshmart.web.storefront import Storefront

__all__ = ["HotRoutes", "Storefront", "make_routes"]
