"""Past runs in the browser: a list, one report, two side by side, steps as CSV. They only read.

pages   what is answered at which address
reader  the same pages as a server of their own, when no run is on
"""

from tenfold.console.runs.pages import REPORT_POLICY, run_routes
from tenfold.console.runs.reader import ReportReader

__all__ = ["REPORT_POLICY", "ReportReader", "run_routes"]
