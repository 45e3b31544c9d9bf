"""freshmart's HTTP face.

storefront  what is answered to each question, whatever carries it
hot         the hottest reads as plain ASGI, in front of the framework
routes      every route, documented at /openapi.json
answers     the answers as documented types
gate        lets go of what matters least while the process is overloaded
tiers       how much each route matters
page        a product's page, put together from parts
reply       a status, headers, bytes
"""

from freshmart.web.gate import Gate
from freshmart.web.hot import HotRoutes
from freshmart.web.routes import make_routes
from freshmart.web.storefront import Storefront

__all__ = ["Gate", "HotRoutes", "Storefront", "make_routes"]
