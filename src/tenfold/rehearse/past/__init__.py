"""Runs that are over: found again, laid beside one another, carried to a spreadsheet.

archive      the verdicts below `reports/`, newest first
comparison   two runs side by side: steps, drills, processor time a request
spreadsheet  the steps of a run as CSV
"""

from tenfold.rehearse.past.archive import ArchiveUnreadable, PastRun, RunArchive, RunUnknown
from tenfold.rehearse.past.comparison import ComparedRow, compared
from tenfold.rehearse.past.spreadsheet import steps_csv

__all__ = ["ArchiveUnreadable", "ComparedRow", "PastRun", "RunArchive", "RunUnknown", "compared", "steps_csv"]
