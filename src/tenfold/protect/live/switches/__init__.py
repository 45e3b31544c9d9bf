"""Switches: what people and rules set while the sale is on; reading one is a local call that never fails.

Which value holds: of all rules that apply, the narrowest; instance before store before service before attributes
(`where`) before a percentage before everybody; of two equal ones the later. Without any, the declared default. A rule
whose time is over applies to nobody any more, in every process by its own clock, whether the control node lives or not.

switches     all of a process: follows what is set, ends what is over
kinds        how code declares them
lookout      the thread that looks what is over
switch       one, as code holds it
declaration  what the code says about it
rule         one value for whom, until when, and why; which rule wins
record       what is set for one switch
plan         the rules as they look from one place
schema       what a value may be
shelf        what is declared meets what is set
reporter     tells the control node what is declared and how often it is read
loads        how often
hands        a person's hand on breakers: a switch for each
standing     what it refuses of what is set, and declares otherwise than the node has it
channel      what it stands on
meters       what is counted
"""

from tenfold.protect.live.switches.declaration import Declaration, DeclarationInvalid
from tenfold.protect.live.switches.hands import hold_by_switch
from tenfold.protect.live.switches.record import RecordInvalid, SwitchRecord
from tenfold.protect.live.switches.rule import Place, Rule, bucket_of
from tenfold.protect.live.switches.schema import SchemaInvalid
from tenfold.protect.live.switches.switch import BooleanSwitch, Outcome, PercentageSwitch, Switch
from tenfold.protect.live.switches.switches import Switches, SwitchesBusy

__all__ = [
    "BooleanSwitch",
    "Declaration",
    "DeclarationInvalid",
    "Outcome",
    "PercentageSwitch",
    "Place",
    "RecordInvalid",
    "Rule",
    "SchemaInvalid",
    "Switch",
    "SwitchRecord",
    "Switches",
    "SwitchesBusy",
    "bucket_of",
    "hold_by_switch",
]
