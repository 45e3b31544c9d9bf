"""`tenfold switch …`: see, set and take back switches at the control node, with the console dead.

Exit status: 0 done; 1 not done, somebody else was first (or: the history was edited); 2 the call, the node, the value
or this program is at fault; 3 nothing was changed, since it reaches far and was not confirmed.

With --json an answer is a line of JSON on stdout, and an error one on stderr: {"error": {"kind", "message", "remedy"}}.

parser      what may be typed
reads       the words that change nothing: list, show, history, verify, watch
changes     the words that change a switch: set, unset, undo
typed_rule  what was typed, as a rule: pure
text        switches in a terminal
answer      what is said, as lines or as records, also when a word cannot be carried out; the exit status
caller      who types, and what opens the control node for them
"""

from tenfold.commands.switch.caller import ControlUnknown
from tenfold.commands.switch.changes import SwitchRefused
from tenfold.commands.switch.parser import add_switch_commands
from tenfold.commands.switch.typed_rule import ScopeEmpty, TypedUnreadable

__all__ = ["ControlUnknown", "ScopeEmpty", "SwitchRefused", "TypedUnreadable", "add_switch_commands"]
