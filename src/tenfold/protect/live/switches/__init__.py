"""Switches: what people and rules set while the sale is on; reading one is a local call that never fails.

Which value holds: of all rules that apply, the narrowest; instance before store before service before attributes
(`where`) before a percentage before everybody; of two equal ones the later. Without any, the declared default. A rule
whose time is over applies to nobody any more, in every process by its own clock, whether the control node lives or not.

switches          all of a process: follows what is set, ends what is over
kinds             how code declares them
lookout           the thread that looks what is over
switch            one, as code holds it
declaration       what the code says about it
rule              one value for whom, until when, and why; which rule wins; the record, all that is set for one switch
place_rules       the rules as they look from one place, and how often they are asked there
schema            what a value may be
switch_table      what is declared meets what is set; what is counted
reports           what a process says of its switches: how often they are read, what it refuses, declares otherwise
reporter          tells the control node that, and what is declared
breaker_switches  a switch for each breaker, by which a person holds it
"""

from tenfold.protect.live.switches.breaker_switches import hold_by_switch
from tenfold.protect.live.switches.declaration import Declaration, DeclarationInvalid
from tenfold.protect.live.switches.rule import Place, RecordInvalid, Rule, SwitchRecord, bucket_of
from tenfold.protect.live.switches.schema import SchemaInvalid
from tenfold.protect.live.switches.switch import BooleanSwitch, PercentageSwitch, Switch, SwitchOutcome
from tenfold.protect.live.switches.switches import Switches, SwitchesBusy

__all__ = [
    "BooleanSwitch",
    "Declaration",
    "DeclarationInvalid",
    "PercentageSwitch",
    "Place",
    "RecordInvalid",
    "Rule",
    "SchemaInvalid",
    "Switch",
    "SwitchOutcome",
    "SwitchRecord",
    "Switches",
    "SwitchesBusy",
    "bucket_of",
    "hold_by_switch",
]
