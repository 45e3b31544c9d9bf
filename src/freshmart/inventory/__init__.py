"""What is on which shelf, in the real lane and in the shadow lane.

opening    how much lies there when the day begins
postgres   reads availability from the database
steps      every shelf's availability in this process, and who tells of changes
"""

from freshmart.inventory.opening import PLENTY, SCARCE, festival_shelves
from freshmart.inventory.postgres import read_availability, shelf_key
from freshmart.inventory.steps import SHELVES, StepPublisher, StockSteps

__all__ = [
    "PLENTY",
    "SCARCE",
    "SHELVES",
    "StepPublisher",
    "StockSteps",
    "festival_shelves",
    "read_availability",
    "shelf_key",
]
