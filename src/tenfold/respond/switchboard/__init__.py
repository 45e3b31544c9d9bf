"""The switchboard: who may set a switch to what, what it would touch, who did, and how to take it back.

board         the node's side: what it checks, records and ends
declarations  what processes declare becomes records, so that it is known when no process runs
draft         one switch in one moment, and a change of it that is not made yet: why it is refused, how far it reaches
effect        what a draft would touch: processes, stores, reads a second, functions
undo          which change is taken back, and to what
operator      what people do: look, draft, put, undo; over the control node's HTTP, with the console dead
following     who has a change in force, and how fast
shield        who misses a feature now, why, and what that saved
view          one switch as people see it
history       one change as people see it, and whether the history is whole, by the node's chain of digests
watch         changes as they are made
until         `30m`, `02:00`: when a setting ends
"""

from tenfold.respond.switchboard.board import Switchboard
from tenfold.respond.switchboard.draft import Draft
from tenfold.respond.switchboard.effect import Effect
from tenfold.respond.switchboard.history import Wholeness
from tenfold.respond.switchboard.operator import SwitchOperator, SwitchUnknown
from tenfold.respond.switchboard.shield import ShieldView
from tenfold.respond.switchboard.view import SwitchView

__all__ = ["Draft", "Effect", "ShieldView", "SwitchOperator", "SwitchUnknown", "SwitchView", "Switchboard", "Wholeness"]
