"""What `tenfold` can be asked for: one file a command, which parses, calls and prints.

rehearse  rehearse the sale day: GO or NO-GO
up        start everything and keep it running
check     every fault of a plan file
doctor    whether this machine is fit for a rehearsal
reports   the runs that are over
switch    see, set and take back switches
options   what several commands take
"""

from tenfold.commands.check import add_check
from tenfold.commands.doctor import add_doctor
from tenfold.commands.rehearse import add_rehearse
from tenfold.commands.reports import add_reports
from tenfold.commands.switch import add_switch_commands
from tenfold.commands.up import add_up

__all__ = ["add_check", "add_doctor", "add_rehearse", "add_reports", "add_switch_commands", "add_up"]
