"""Picks the engines and wires everything together: the only place that does.

commands   the runs that a person may ask for: a rehearsal, and `up`
past       past runs in a browser
site       what stands while a run lasts: opened together, ended together
services   the plan's services: in which order they start, with which program, and what they are told
driver     the load driver, ready to send
views      who looks: the terminal and the console
sign_in    how people learn the way to sign in there
report     what a rehearsal leaves
request    what the command line asked for, and what people see before anything has happened
control    the control node, and how it is found
supervisor  starts a service that crashed once more
restart_bound  how often, and how fast
lifeline   ends the work when a process is lost that it needs
ending     how what runs beside the work is ended
mutant     the wrong build that a rehearsal may be asked to refuse
"""

from tenfold.bootstrap.commands import rehearse, up
from tenfold.bootstrap.lifeline import ServiceLost
from tenfold.bootstrap.mutant import MutantRefused
from tenfold.bootstrap.past import serve_reports
from tenfold.bootstrap.report import LatestUnwritable
from tenfold.bootstrap.services import resolve

__all__ = ["LatestUnwritable", "MutantRefused", "ServiceLost", "rehearse", "resolve", "serve_reports", "up"]
