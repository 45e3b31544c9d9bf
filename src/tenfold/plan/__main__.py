"""`python -m tenfold.plan` prints the JSON Schema of a plan file."""

import sys

from tenfold.plan.json_schema import plan_json_schema_text

sys.stdout.write(plan_json_schema_text())
