"""The sale day before the sale day: stepped load to ten times the peak, faults under load, an audit, a verdict.

rehearsal   conducts one run: climb, drills, audit, verdict
climb       the stages of a plan: a normal day, then each factor of its peak
drill       a fault under load, and what its timeline proves
enough      when a drill's load has shown enough, and its end
fault       the faults of a drill, journalled before they are injected
shield      a feature as a drill strikes it
audit       what must hold afterwards, asked of the database
selection   which drills of the plan a run carries out
step        what one step proves, and who was the limit
bottleneck  the machine, the generator or the server: who broke a promise, and how that is known
stage_watch watches the machine while a stage is sent
repeat      what the machine spoiled is tried once more
headline    causes, each one sentence, with what followed from it folded below
decision    the rule that says go, no-go or inconclusive
verdict     `verdict.json`
summary     the first screen of a verdict: the word, the step that held, three lines, why, what next
monitor     what every process says of itself, and what it costs
past/       the runs that are over: a list, a comparison, CSV
load/       the load driver, a process of its own, and the rehearsal's side of it
view/       the record people see: terminal, report; the console draws the same
"""

from tenfold.rehearse.climb import step_name
from tenfold.rehearse.fault import FaultJournal
from tenfold.rehearse.headline import in_sight
from tenfold.rehearse.load.load import Load
from tenfold.rehearse.load.messages import LoadTarget
from tenfold.rehearse.monitor import ProcessMonitor
from tenfold.rehearse.rehearsal import Rehearsal, Stand
from tenfold.rehearse.selection import DrillUnknown, drills_left_out
from tenfold.rehearse.shield import FeatureShield, ShieldRefused
from tenfold.rehearse.summary import VerdictSummary, summary_of
from tenfold.rehearse.verdict import CrashVerdict, Verdict
from tenfold.rehearse.view.progress import DrillView, InvariantView, RunProgress, StepView
from tenfold.rehearse.view.report import RunEvidence, encode_verdict, write_report
from tenfold.rehearse.view.run_record import RunRecord
from tenfold.rehearse.view.terminal import terminal_view

__all__ = [
    "CrashVerdict",
    "DrillUnknown",
    "DrillView",
    "FaultJournal",
    "FeatureShield",
    "InvariantView",
    "Load",
    "LoadTarget",
    "ProcessMonitor",
    "Rehearsal",
    "RunEvidence",
    "RunProgress",
    "RunRecord",
    "ShieldRefused",
    "Stand",
    "StepView",
    "Verdict",
    "VerdictSummary",
    "drills_left_out",
    "encode_verdict",
    "in_sight",
    "step_name",
    "summary_of",
    "terminal_view",
    "write_report",
]
