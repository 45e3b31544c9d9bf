"""How customers' money is secured at an acquirer: in batches, and never so that an order waits for it for long.

acquirer   what is asked of an acquirer, what it answers, and the exchange itself: HTTP on kept connections
cashier    secures the money of orders before they are placed; late, refused or not asked at all means: deferred
collector  collects what was deferred, once
"""

from freshmart.cashier.acquirer import Acquirer, AcquirerUnreachable, PaymentDemand, Receipt
from freshmart.cashier.cashier import DEFERRED, Cashier
from freshmart.cashier.collector import Collector

__all__ = ["DEFERRED", "Acquirer", "AcquirerUnreachable", "Cashier", "Collector", "PaymentDemand", "Receipt"]
