"""Small numbers by the hundred thousand, held whole in each process: a shelf's stock step, a flag, a class of price.

A near cache holds what was asked for, some hundred bytes an entry. Where each value is one of a few and all keys are
known, a byte a key holds them all, and no reader ever climbs for one.

table    a byte a key; kept in step by announcements, in doubt as a near cache is
loading  fills it in bulk, and again when it is in doubt, has gaps or is old
"""

from tenfold.protect.reads.dense.loading import DenseLoading, LoadedRow
from tenfold.protect.reads.dense.table import LEVEL_MAX, DenseTable, LoadToken

__all__ = ["LEVEL_MAX", "DenseLoading", "DenseTable", "LoadToken", "LoadedRow"]
