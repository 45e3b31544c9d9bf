"""`python -m tools.plan_schema` prints the JSON Schema of a plan file, with the faults that there are."""

import sys

from tenfold.fleet import FAULT_KINDS
from tenfold.plan import plan_json_schema_text

sys.stdout.write(plan_json_schema_text(FAULT_KINDS))
