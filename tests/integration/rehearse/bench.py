"""A plan, a driver and a server, put together for a test."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tenfold.rehearse.load.load import Load
from tenfold.rehearse.load.messages import LoadTarget, Segment, Stage

READ = {"tier": "P0", "request": "GET /prices/${sku}", "slo": {"p99": "50 ms"}}
ORDER = {
    "tier": "P0",
    "request": "POST /orders",
    "headers": {"Idempotency-Key": "${unique}"},
    "body": '{"store": ${store}, "lines": ${lines}}',
    "answers": {201: "accepted", 409: "declined"},
    "remember": {"id": "/id"},
    "journal": True,
    "slo": {"p99": "100 ms"},
}
STATUS = {"tier": "P1", "request": "GET /orders/${order.id}", "slo": {"p99": "50 ms"}}


def read_of(path: str, share: str = "100 %") -> dict[str, Any]:
    return {**READ, "request": f"GET {path}", "share": share}


def write_plan(folder: Path, journeys: Mapping[str, Any], timeout: str = "2 s") -> Path:
    """A whole plan around these journeys, with a feed of two rows."""
    rows = [{"store": 7, "sku": sku, "lines": [{"sku": sku, "quantity": 2}]} for sku in (1, 2)]
    (folder / "feed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    steps = {"warm_up": "1 s", "factors": [1], "hold": "1 s", "peak_hold": "1 s"}
    plan = {
        "schema": 1,
        "plan": "bench",
        "title": "A bench",
        "peak": {"daily_peak": "100 /s", "hours": [1] * 24},
        "services": {
            "api": {
                "title": "It",
                "tier": "P0",
                "command": "true",
                "ready": "/ready",
                "depends_on": [],
                "slo": {"availability": "99 %", "p99": "100 ms"},
            }
        },
        "traffic": {"service": "api", "tag": "X-Tenfold-Test", "timeout": timeout, "feed": "feed.jsonl"},
        "journeys": dict(journeys),
        "steps": {**steps, "quick": steps},
    }
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(plan, sort_keys=False))
    return path


async def spawn(argv: Sequence[str], environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *argv,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


def target(url: str, plan: Path, /, **changes: Any) -> LoadTarget:
    journal = str(plan.parent / "answers.jsonl")
    return LoadTarget(
        **{"base_url": url, "plan": str(plan), "token": "t0k3n", "journal": journal, "seed": 1, **changes}
    )


@contextlib.asynccontextmanager
async def opened(order: LoadTarget) -> AsyncIterator[Load]:
    load = Load(spawn)
    try:
        await load.open(order)
        yield load
    finally:
        await load.close()


def steady(rate_rps: float, length_s: float, name: str = "stage") -> Stage:
    return Stage(name, [Segment(rate_rps, round(length_s * 1e9))])
