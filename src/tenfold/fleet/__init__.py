"""Real servers and services as child processes that cannot outlive the run.

estate       everything one run starts, opened together and closed within a bound
node         one server or service: its state, its verbs, and what goes on at it since a fault was injected
postgres/    primary and streaming replicas
valkey       primary and replicas
seaweedfs    store and S3 gateway
store_security  the keys without which the store answers nobody
certificate  what the servers of a run know each other by
service      a program of the plan
readiness    whether it serves, asked by its own protocol
faults/      the kinds of faults: who may suffer each, how it is done, undone and proven gone
child        one process, bound to its parent; and the starting of them
guard        the process that ends the others when `tenfold` dies without a word
guard_handle  `tenfold`'s hold on its guard
sweep        ends and clears what a dead run left
run          the folders of one run, and the proof that its owner lives
register     what was started, on disk
proc         what the kernel says of a process
machine/     what the machine is, and what it did while something was measured
account      whom a server runs as
binaries     where the servers' programs lie
ports        loopback ports that nobody listens on
http         one small request: does it serve?
signature    AWS Signature Version 4, for that request
"""

from tenfold.fleet.account import AccountMissing, write_private
from tenfold.fleet.binaries import BinaryMissing
from tenfold.fleet.child import CommandFailed, CommandUnusable
from tenfold.fleet.estate import DiskFull, Estate, NodeUnknown, SetupFailed
from tenfold.fleet.faults import FAULT_KINDS, FAULTS, FaultUnsupported, Injection, Shieldable
from tenfold.fleet.node import Node, NodeState
from tenfold.fleet.ports import PortsExhausted, free_port
from tenfold.fleet.readiness import PortTaken, ServerUnready
from tenfold.fleet.run import RunExists, RunFolder
from tenfold.fleet.service import Service
from tenfold.fleet.sweep import ProcessUnending, sweep_dead_runs

__all__ = [
    "FAULTS",
    "FAULT_KINDS",
    "AccountMissing",
    "BinaryMissing",
    "CommandFailed",
    "CommandUnusable",
    "DiskFull",
    "Estate",
    "FaultUnsupported",
    "Injection",
    "Node",
    "NodeState",
    "NodeUnknown",
    "PortTaken",
    "PortsExhausted",
    "ProcessUnending",
    "RunExists",
    "RunFolder",
    "ServerUnready",
    "Service",
    "SetupFailed",
    "Shieldable",
    "free_port",
    "sweep_dead_runs",
    "write_private",
]
