"""A plan around the smallest shop: a rehearsal of it takes seconds, so a test can afford a whole one."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

SERVICE = Path(__file__).with_name("shop_service.py")
DATABASE = {"database": {"engine": "postgresql"}}
CACHE = {"main": {"engine": "valkey"}}
STEPS: dict[str, Any] = {"warm_up": "500 ms", "factors": [1, 2], "hold": "500 ms", "peak_hold": "500 ms"}
KILL_CACHE = {
    "target": "cache",
    "fault": "kill main.primary",
    "hold": "60 s",
    "signal": "breaker main",
    "unharmed": ["item"],
    "proves": "The shop does not need its cache.",
}


def write_shop_plan(
    folder: Path,
    *,
    mode: str = "sound",
    servers: dict[str, Any] | None = None,
    setup: Sequence[str] = (),
    drills: dict[str, Any] | None = None,
    checked: str = "SELECT 1",
    violations: str = "SELECT 0",
    hold: str = "500 ms",
) -> Path:
    """Write `plan.yaml` and its feed into `folder`; the database is there unless `servers` says otherwise."""
    (folder / "feed.jsonl").write_text("".join(json.dumps({"sku": sku}) + "\n" for sku in range(5)))
    invariant = {"says": "One is one.", "checked": checked, "violations": violations}
    plan: dict[str, Any] = {
        "schema": 1,
        "plan": "shop",
        "title": "The smallest shop",
        "peak": {"daily_peak": "20 /s", "hours": [1] * 24},
        "servers": DATABASE if servers is None else servers,
        "setup": list(setup),
        "services": {"api": _service(mode)},
        "traffic": {"service": "api", "tag": "X-Shop-Test", "timeout": "2 s", "feed": "feed.jsonl"},
        "journeys": {"item": {"tier": "P0", "share": "100 %", "request": "GET /items/${sku}", "slo": {"p99": "1 s"}}},
        "steps": {**STEPS, "hold": hold},
        "drills": drills or {},
    }
    if "database" in plan["servers"]:
        plan["invariants"] = {"one-is-one": invariant}
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(plan, sort_keys=False))
    return path


def _service(mode: str) -> dict[str, Any]:
    command = f"python '{SERVICE}' {mode}"
    return {"title": "Shop", "tier": "P0", "command": command, "ready": "/ready", "slo": {"p99": "1 s"}}
