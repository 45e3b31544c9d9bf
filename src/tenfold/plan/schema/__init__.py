"""The peak plan, schema 1: every key that may stand in the file, its form, and what it is for.

The one place where keys are named: the reading (reader.py) and the JSON Schema (json_schema.py) both come from here.
What must agree between keys is said in consistency.py, fault.py and template.py.

plan      the keys at the top of the file
estate    what runs: servers, services, environment
load      what is sent: the day, the traffic, the journeys, the climb
proof     what is to be proven: drills, invariants, mutants
promise   service levels and lists of names, which several of them use
"""

from tenfold.plan.schema.plan import SCHEMA_VERSION, VERSION, plan_form

__all__ = ["SCHEMA_VERSION", "VERSION", "plan_form"]
