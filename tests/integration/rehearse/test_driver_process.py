"""The driver as a process of its own, against a real server that can misbehave."""

import asyncio
import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.integration.rehearse.bench import ORDER, READ, STATUS, opened, read_of, spawn, steady, target, write_plan
from tests.integration.rehearse.loopback import LoopbackServer

from tenfold.kernel import Duration
from tenfold.rehearse.load.load import Load, LoadLost
from tenfold.rehearse.load.messages import Ready, Stage, Tick
from tenfold.rehearse.load.result import StageResult

MS = 1_000_000


def drive(server: LoopbackServer, plan: Path, stage: Stage, **changes: Any) -> StageResult:
    """One stage, to its end."""

    async def run() -> StageResult:
        async with opened(target(server.url, plan, **changes)) as load:
            return await load.run(stage)

    return asyncio.run(run())


def test_what_is_sent_is_what_arrives_and_every_arrival_is_accounted_for(tmp_path: Path) -> None:
    """The server's own count is the witness; keys are unique, all is tagged, the journal holds every order."""
    mix = {
        "price": {**READ, "share": "60 %"},
        "order": {**ORDER, "share": "20 %"},
        "status": {**STATUS, "share": "20 %"},
    }
    with LoopbackServer() as server:
        result = drive(server, write_plan(tmp_path, mix), steady(500, 2))
    assert result.due == result.sent == result.requests == sum(server.seen.values()) == 1000
    assert (result.dropped, result.errors, result.retried) == (0, 0, 0)
    assert len(set(server.keys)) == len(server.keys) == result.journeys["order"].requests
    assert all(b"X-Tenfold-Test: t0k3n" in head for head in server.headers)
    entries = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert sorted(entry["key"] for entry in entries) == sorted(server.keys)
    assert {entry["status"] for entry in entries} == {201, 409}


def test_a_stall_of_the_server_is_felt_by_every_arrival_that_was_due_in_it(tmp_path: Path) -> None:
    """Coordinated omission: a driver that waited with the server would have seen a handful of slow answers."""
    plan = write_plan(tmp_path, {"price": read_of("/prices/1")})

    async def run(server: LoopbackServer) -> StageResult:
        async with opened(target(server.url, plan)) as load:
            asyncio.get_running_loop().call_later(0.5, server.stall, 1.0)
            return await load.run(steady(300, 2))

    with LoopbackServer() as server:
        result = asyncio.run(run(server))
    latency = result.journeys["price"].latency
    assert (result.requests, result.errors, result.dropped) == (600, 0, 0)
    assert latency.count - latency.cumulative([100 * MS])[0] > 200
    assert latency.max > 900 * MS
    assert result.waited > 200


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/never", "timeout"),
        ("/hangs-up", "reset"),
        ("/broken", "broken"),
        ("/fails", "status-500"),
    ],
)
def test_what_goes_wrong_has_a_name_and_is_counted(tmp_path: Path, path: str, answer: str) -> None:
    """Each way of not being answered, under load, to the last request."""
    with LoopbackServer() as server:
        result = drive(server, write_plan(tmp_path, {"read": read_of(path)}, timeout="500 ms"), steady(200, 0.5))
    journey = result.journeys["read"]
    assert journey.answers == {answer: 100}
    assert (result.sent, result.errors, result.dropped) == (100, 100, 0)


@pytest.mark.parametrize(("path", "degraded"), [("/chunked", 0), ("/early", 0), ("/less", 100)])
def test_answers_of_every_form_are_right_and_degraded_ones_are_counted(
    tmp_path: Path, path: str, degraded: int
) -> None:
    """Chunks, interim answers, and answers with less in them."""
    with LoopbackServer() as server:
        result = drive(server, write_plan(tmp_path, {"read": read_of(path)}), steady(200, 0.5))
    journey = result.journeys["read"]
    assert (journey.answers, journey.errors, journey.degraded) == ({"answered": 100}, 0, degraded)


def test_arrivals_that_find_no_connection_are_dropped_counted_and_never_sent(tmp_path: Path) -> None:
    """Two connections that never answer; everybody else waits as long as the timeout and is a missed promise."""
    with LoopbackServer() as server:
        plan = write_plan(tmp_path, {"read": read_of("/never")}, timeout="300 ms")
        result = drive(server, plan, steady(200, 0.5), connections_max=2)
    assert result.due == 100 == result.sent + result.dropped
    assert result.sent == sum(server.seen.values()) < 20
    assert result.dropped == result.journeys["read"].dropped


def test_a_server_that_closes_after_each_answer_costs_connections_and_no_errors(tmp_path: Path) -> None:
    """Connections that the server closed while idle are replaced silently, or the request is sent once more."""
    with LoopbackServer() as server:
        server.closes_after = 1
        result = drive(server, write_plan(tmp_path, {"read": read_of("/prices/1")}), steady(500, 1))
    assert (result.sent, result.requests, result.errors, result.dropped) == (500, 500, 0, 0)
    assert server.connections >= 500


def test_a_server_that_has_gone_refuses_and_the_driver_goes_on(tmp_path: Path) -> None:
    """Refused connections are errors by name, not the end of the load."""
    plan = write_plan(tmp_path, {"read": read_of("/prices/1")})

    async def run(server: LoopbackServer) -> StageResult:
        async with opened(target(server.url, plan)) as load:
            server.closes_after = 1
            await load.run(steady(100, 0.2, "before"))
            server.refuse()
            return await load.run(steady(100, 0.5, "after"))

    with LoopbackServer() as server:
        result = asyncio.run(run(server))
    assert result.journeys["read"].answers.get("refused", 0) > 20
    assert (result.due, result.dropped) == (50, 0)


def test_ticks_come_while_the_stage_runs_and_add_up(tmp_path: Path) -> None:
    """Four a second, the last one marked; nothing in flight is left behind."""
    plan, ticks = write_plan(tmp_path, {"read": read_of("/prices/1")}), list[Tick]()

    async def run(server: LoopbackServer) -> StageResult:
        async with opened(target(server.url, plan)) as load:
            return await load.run(steady(200, 1), ticks.append)

    with LoopbackServer() as server:
        result = asyncio.run(run(server))
    assert 4 <= len(ticks) <= 6
    assert [tick.last for tick in ticks] == [False] * (len(ticks) - 1) + [True]
    assert sum(tick.sent for tick in ticks) == result.sent == 200
    assert (ticks[-1].inflight, ticks[-1].waiting) == (0, 0)
    assert result.cpu_ns > 0


def test_a_stage_that_is_ended_early_counts_what_was_sent_and_drops_nothing(tmp_path: Path) -> None:
    """What is in flight at the end is awaited, and the next stage begins as if nothing had been."""
    plan, ticks = write_plan(tmp_path, {"read": read_of("/prices/1")}), list[Tick]()

    async def run(server: LoopbackServer) -> tuple[StageResult, StageResult]:
        async with opened(target(server.url, plan)) as load:
            asyncio.get_running_loop().call_later(0.6, server.stall, 0.5)
            ending = asyncio.get_running_loop().call_later(0.8, lambda: asyncio.ensure_future(load.end("long")))
            long = await load.run(steady(400, 60, "long"), ticks.append)
            assert ending.when() < asyncio.get_running_loop().time()
            await load.end("long")
            return long, await load.run(steady(400, 0.5, "next"))

    with LoopbackServer() as server:
        long, following = asyncio.run(run(server))
    assert long.duration.s == 1.0
    assert long.due == long.sent == long.requests == pytest.approx(400, abs=120)
    assert long.target_rps == pytest.approx(400)
    assert long.journeys["read"].latency.max > 100 * MS
    assert (long.errors, long.dropped, ticks[-1].inflight) == (0, 0, 0)
    assert (following.due, following.requests, following.duration.s) == (200, 200, 0.5)


def test_the_driver_serves_its_metrics(tmp_path: Path) -> None:
    """At the port that it names when it is ready."""

    async def run(server: LoopbackServer, plan: Path) -> bytes:
        load = Load(spawn)
        try:
            ready: Ready = await load.open(target(server.url, plan))
            await load.run(steady(100, 0.3))
            url = f"http://127.0.0.1:{ready.metrics_port}/metrics"
            return await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=5).read())
        finally:
            await load.close()

    with LoopbackServer() as server:
        text = asyncio.run(run(server, write_plan(tmp_path, {"read": read_of("/prices/1")})))
    assert b"tenfold_driver_sent_total 30" in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"base_url": "http://192.0.2.1:80"}, "refuses to send load"),
        ({"base_url": "http://127.0.0.1:1"}, "takes no connection"),
        ({"plan": "/missing.yaml"}, "missing.yaml"),
        ({"journal": "/missing/answers.jsonl"}, "journal"),
        ({"connections_max": 100_000_000}, "open files"),
    ],
)
def test_a_driver_that_cannot_begin_says_why(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    """One sentence for a person, and no process left."""

    async def run(url: str, plan: Path) -> None:
        async with opened(target(url, plan, **changes)):
            pass

    with LoopbackServer() as server, pytest.raises(LoadLost, match=says):
        asyncio.run(run(server.url, write_plan(tmp_path, {"read": read_of("/prices/1")})))


def in_the_middle(
    tmp_path: Path, do: Callable[[asyncio.subprocess.Process], Awaitable[None] | None]
) -> tuple[int, float]:
    """Do something to a driver in the middle of a long stage: its exit status, and how long it took to leave."""

    async def run(server: LoopbackServer, plan: Path) -> tuple[int, float]:
        process = await spawn([sys.executable, "-m", "tenfold.rehearse.load.driver"], {})
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(_line(target(server.url, plan)))
        await asyncio.wait_for(process.stdout.readuntil(b"\n"), 20)
        process.stdin.write(_line(steady(100, 60)))
        await asyncio.wait_for(process.stdout.readuntil(b"\n"), 5)
        began = time.monotonic()
        done = do(process)
        if done is not None:
            await done
        status, _ = await asyncio.gather(asyncio.wait_for(process.wait(), 5), process.stdout.read())
        return status, time.monotonic() - began

    with LoopbackServer() as server:
        return asyncio.run(run(server, write_plan(tmp_path, {"read": read_of("/prices/1")})))


def _line(order: Any) -> bytes:
    return msgspec.json.encode(order) + b"\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_driver_that_is_told_to_leave_leaves_at_once(tmp_path: Path, number: signal.Signals) -> None:
    """In the middle of a minute of load."""
    status, length_s = in_the_middle(tmp_path, lambda process: process.send_signal(number))
    assert status == 0
    assert length_s < 2


def test_a_driver_whose_parent_is_gone_leaves_at_once(tmp_path: Path) -> None:
    """The end of its stdin is the end of the load: nobody is left to drive for."""

    def hang_up(process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        process.stdin.close()

    status, length_s = in_the_middle(tmp_path, hang_up)
    assert status == 0
    assert length_s < 2


def test_a_driver_that_is_killed_or_frozen_is_lost(tmp_path: Path) -> None:
    """The rehearsal is told within its patience, and nothing is left running."""
    plan = write_plan(tmp_path, {"read": read_of("/prices/1")})

    async def run(server: LoopbackServer, number: signal.Signals) -> None:
        load = Load(spawn, silence=Duration.from_s(1))
        try:
            ready = await load.open(target(server.url, plan))
            asyncio.get_running_loop().call_later(0.3, os.kill, ready.pid, number)
            await load.run(steady(50, 30))
        finally:
            await load.close()

    with LoopbackServer() as server:
        with pytest.raises(LoadLost, match="ended"):
            asyncio.run(run(server, signal.SIGKILL))
        with pytest.raises(LoadLost, match="has said nothing for 1 s"):
            asyncio.run(run(server, signal.SIGSTOP))
