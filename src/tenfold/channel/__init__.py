"""The control channel, the service's side: what the control node says is simply there, and stays when the node dies.

channel        what a service holds: opens, reads, subscribes, reports
protocols      the parts of it that the library stands on
follower       the thread that follows the node, one stream after another; whether the node is there
known_records  what is known: a state that is swapped whole and never goes back
subscribers    who is told of changes
messages       what the node says on its stream, and what a process says to the node
process        who follows
wire           one connection, with a bound to every wait
uplink         takes acknowledgements and reports to the node
snapshot       the last good state on disk
metrics        what is counted
"""

from tenfold.channel.channel import Channel, ChannelClosed
from tenfold.channel.known_records import Records, State
from tenfold.channel.messages import Change
from tenfold.channel.process import Process
from tenfold.channel.protocols import RecordChannel, ReportChannel
from tenfold.channel.subscribers import ChangeRefused
from tenfold.channel.wire import ControlAddressInvalid

__all__ = [
    "Change",
    "ChangeRefused",
    "Channel",
    "ChannelClosed",
    "ControlAddressInvalid",
    "Process",
    "RecordChannel",
    "Records",
    "ReportChannel",
    "State",
]
