"""The control channel, the service's side: what the control node says is simply there, and stays when the node dies.

channel      what a service holds: opens, reads, subscribes, reports
follower     the thread that follows the node, one stream after another
contact      whether the node is there
mirror       what is known: a state that is swapped whole and never goes back
subscribers  who is told of changes
lines        what the node says on its stream
messages     what a process says to the node
process      who follows
wire         one connection, with a bound to every wait
courier      takes acknowledgements and reports to the node
keepsake     the last good state on disk
meters       what is counted
tender       runs a merge of reports on the control node
"""

from tenfold.channel.channel import Channel, ChannelClosed
from tenfold.channel.lines import Change
from tenfold.channel.mirror import Records, State
from tenfold.channel.process import Process
from tenfold.channel.subscribers import ChangeRefused
from tenfold.channel.wire import AddressInvalid

__all__ = ["AddressInvalid", "Change", "ChangeRefused", "Channel", "ChannelClosed", "Process", "Records", "State"]
