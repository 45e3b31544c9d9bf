"""The peak plan: one file, read, checked. `read_plan(path, kinds)` answers a `Plan` or raises `PlanInvalid`.

model         the plan as the rest of Tenfold works with it
reader        from a file to a Plan, or to all that is wrong with it
schema        every key that may stand in the file, its form, what it is for
consistency   what must agree between keys: names, shares, dependencies
fault         what a drill may strike with which of the kinds of faults that the reader is told of
template      what `${…}` may refer to
form          what may stand somewhere: reads, refuses, describes itself
words         single values: text, numbers, quantities, commands, requests
shapes        lists, mappings, records
quantity      a number with its unit
document      YAML text as a tree
node          the tree: what stands where
problem       what is wrong: where, what stands there, what may stand there
json_schema   the format for editors
"""

from tenfold.plan.json_schema import plan_json_schema, plan_json_schema_text
from tenfold.plan.model import (
    CONTROL,
    Drill,
    Engine,
    Fault,
    FaultKind,
    Invariant,
    Journey,
    Mutants,
    Peak,
    Plan,
    ServerPlan,
    ServicePlan,
    Signal,
    SignalKind,
    Slo,
    Steps,
    Target,
    Tier,
    Traffic,
)
from tenfold.plan.problem import PlanInvalid, Problem
from tenfold.plan.reader import parse_plan, read_plan

__all__ = [
    "CONTROL",
    "Drill",
    "Engine",
    "Fault",
    "FaultKind",
    "Invariant",
    "Journey",
    "Mutants",
    "Peak",
    "Plan",
    "PlanInvalid",
    "Problem",
    "ServerPlan",
    "ServicePlan",
    "Signal",
    "SignalKind",
    "Slo",
    "Steps",
    "Target",
    "Tier",
    "Traffic",
    "parse_plan",
    "plan_json_schema",
    "plan_json_schema_text",
    "read_plan",
]
