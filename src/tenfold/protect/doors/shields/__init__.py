"""Features that an app can do without: each with its tier and what it costs to miss it; shielded, and counted.

shields   all of a process
feature   one: whether it is open, for whom, and what its absence saves
report    what is told to the control node
metrics    what is counted
"""

from tenfold.protect.doors.shields.feature import Cause, Feature, FeatureView
from tenfold.protect.doors.shields.shields import Shields

__all__ = ["Cause", "Feature", "FeatureView", "Shields"]
