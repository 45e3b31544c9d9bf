"""freshmart's HTTP face.

storefront  what is answered to each question, whatever carries it
hot         the hottest reads as plain ASGI, in front of the framework
routes      every route, documented at /openapi.json
answers     the answers as documented types
door        who is let in
tiers       how much a request matters, and whose it is
page        a product's page, put together from parts
reply       a status, headers, bytes
"""

from freshmart.web.door import open_door
from freshmart.web.hot import HotRoutes
from freshmart.web.routes import make_routes
from freshmart.web.storefront import Storefront

__all__ = ["HotRoutes", "Storefront", "make_routes", "open_door"]
