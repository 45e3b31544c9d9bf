"""What is on which shelf, in the real lane and in the shadow lane.

opening    how much lies there when the day begins
postgres   reads availability from the database
"""

from freshmart.inventory.opening import PLENTY, SCARCE, festival_shelves
from freshmart.inventory.postgres import read_availability, shelf_key

__all__ = ["PLENTY", "SCARCE", "festival_shelves", "read_availability", "shelf_key"]
