"""The machine that a run shares with others: what it is, and what it did while something was measured.

use          what it did between two moments, as a record
watch        takes the samples
counters     the kernel's counts for the whole machine: processor time, pressure
processes    every process: whose it is, what it used, how long it waited
quota        how much processor time the control group allows, and how long it held back
flush        how long the disk takes to keep a few bytes
calibration  what the machine is: spin, sleep, flush, loopback
strain       what took too much of it: other programs, the host, a quota, the disk
facts        what it offers before anything is started
fitness      whether it is fit for a rehearsal, and what to do when it is not
"""

from tenfold.fleet.machine.calibration import Calibration, calibrate
from tenfold.fleet.machine.fitness import warnings_of
from tenfold.fleet.machine.strain import Strain, strains
from tenfold.fleet.machine.use import MachineSample, MachineUse, ProcessUse
from tenfold.fleet.machine.watch import MachineWatch

__all__ = [
    "Calibration",
    "MachineSample",
    "MachineUse",
    "MachineWatch",
    "ProcessUse",
    "Strain",
    "calibrate",
    "strains",
    "warnings_of",
]
