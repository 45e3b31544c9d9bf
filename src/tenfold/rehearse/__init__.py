"""The sale day before the sale day: stepped load to ten times the peak, faults under load, an audit, a verdict.

rehearsal   conducts one run: climb, drills, audit, verdict
climb       the stages of a plan: a normal day, then each factor of its peak
drill       a fault under load, and what its timeline proves
fault       what a drill does to a node, journalled before it is done
shield      a feature as a drill strikes it
audit       what must hold afterwards, asked of the database
selection   which drills of the plan a run carries out
step        what one step proves, and who was the limit
verdict     `verdict.json`, and the rule that says go or no-go
witness     what every process says of itself, and what it costs
load/       the load driver, a process of its own, and the rehearsal's side of it
view/       the record people see: terminal, report; the console draws the same
"""

from tenfold.rehearse.climb import step_name
from tenfold.rehearse.fault import FaultJournal
from tenfold.rehearse.headline import in_sight
from tenfold.rehearse.load.load import Load
from tenfold.rehearse.load.messages import Target
from tenfold.rehearse.rehearsal import Rehearsal, Stand
from tenfold.rehearse.selection import DrillUnknown, drills_left_out
from tenfold.rehearse.shield import FeatureShield, ShieldRefused
from tenfold.rehearse.verdict import Verdict
from tenfold.rehearse.view.board import Board
from tenfold.rehearse.view.progress import DrillView, InvariantView, Progress, StepView
from tenfold.rehearse.view.report import Evidence, encode_verdict, write_report
from tenfold.rehearse.view.terminal import terminal_view
from tenfold.rehearse.witness import Witness

__all__ = [
    "Board",
    "DrillUnknown",
    "DrillView",
    "Evidence",
    "FaultJournal",
    "FeatureShield",
    "InvariantView",
    "Load",
    "Progress",
    "Rehearsal",
    "ShieldRefused",
    "Stand",
    "StepView",
    "Target",
    "Verdict",
    "Witness",
    "drills_left_out",
    "encode_verdict",
    "in_sight",
    "step_name",
    "terminal_view",
    "write_report",
]
