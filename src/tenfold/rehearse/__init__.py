"""The sale day before the sale day: stepped load to ten times the peak, faults under load, an audit, a verdict.

rehearsal   conducts one run: climb, drills, audit, verdict
climb       the stages of a plan: a normal day, then each factor of its peak
drill       a fault under load, and what its timeline proves
fault       what a drill does to a node, journalled before it is done
audit       what must hold afterwards, asked of the database
step        what one step proves, and who was the limit
verdict     `verdict.json`, and the rule that says go or no-go
report      `index.html`
progress    what people see while it runs
board       keeps that record
witness     what every process says of itself
terminal    draws the record on a terminal
load        the rehearsal's side of the load driver
driver      the load driver, a process of its own; beside it its parts: generator (the loop),
            arrivals, pacer, timer (when), feed, template, request, targeter, memory (what),
            pool, connection, response, body, address (how), tally, recorder, journal, result (how it went),
            mailbox, messages (what it and the rehearsal say to each other)
"""

from tenfold.rehearse.board import Board
from tenfold.rehearse.climb import step_name
from tenfold.rehearse.fault import FaultJournal
from tenfold.rehearse.load import Load
from tenfold.rehearse.messages import Target
from tenfold.rehearse.progress import DrillView, InvariantView, Progress, StepView
from tenfold.rehearse.rehearsal import Rehearsal, Stand
from tenfold.rehearse.report import Evidence, encode_verdict, write_report
from tenfold.rehearse.terminal import terminal_view
from tenfold.rehearse.verdict import Verdict
from tenfold.rehearse.witness import Witness

__all__ = [
    "Board",
    "DrillView",
    "Evidence",
    "FaultJournal",
    "InvariantView",
    "Load",
    "Progress",
    "Rehearsal",
    "Stand",
    "StepView",
    "Target",
    "Verdict",
    "Witness",
    "encode_verdict",
    "step_name",
    "terminal_view",
    "write_report",
]
