"""What this machine is: about a second of spinning, sleeping, flushing and loopback before anything is sent.

The speed is a number beside a reference machine, so that a figure can be read with the machine that it was measured on.
"""

import math
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tenfold.fleet.machine.flush import flush_times_ms
from tenfold.fleet.machine.use import MachineUse
from tenfold.fleet.machine.watch import MachineWatch
from tenfold.fleet.ports import LOOPBACK


class Reference(msgspec.Struct, frozen=True):
    """What a speed of 1.0 is."""

    spins_per_s: float
    loopback_us: float
    bears_rps: float
    cores: int


REFERENCE = Reference(spins_per_s=890_000.0, loopback_us=6.1, bears_rps=4_000.0, cores=2)
"""Two virtual cores (Linux 6.18, Python 3.11) that nothing else used: the medians of nine calibrations. With
plans/freshmart.yaml they were 71 % busy at 3,000 requests/s (2026-12-01), which is 95 % at 4,000."""

SPIN_S = 0.4
SLEEP_S, SLEEPS = 0.001, 150
FLUSHES = 20
LOOPBACK_S = 0.2
_PROCESSES_MAX = 8
_START_LIMIT_S = 10.0

_SPINNER = """
import sys, time
def spin():
    row = {"sku": 17, "store": 3, "price": 1290}
    text = ",".join(f"{key}={value}" for key, value in row.items())
    return len(text.split(","))
done, began = 0, time.perf_counter()
while (taken := time.perf_counter() - began) < float(sys.argv[1]):
    for _ in range(200):
        spin()
    done += 200
print(done / taken)
"""


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """What one machine is, with what it was doing besides. Figures that could not be had are None."""

    cores: float
    spins_per_s: float | None
    """Small pieces of Python that one core does in a second while every core does them."""
    sleep_late_ms: float
    """How late a sleep of 1 ms ended, the 99th of a hundred."""
    flush_ms: float | None
    """The median of flushes of 4 KiB to the run's disk."""
    loopback_us: float | None
    """The median round trip of one byte over loopback."""
    speed_ratio: float | None
    """Beside the reference machine; 1.0 is as fast."""
    bears_rps: float | None
    """What freshmart is likely to bear here, in requests a second."""
    use: MachineUse
    """What the machine did meanwhile, by us and by others."""


def calibrate(folder: Path) -> Calibration:
    """Measure for about a second; `folder` lies on the disk in question. It blocks: ask from a thread."""
    watch = MachineWatch(dict, folder)
    before = watch.sample()
    spins_per_s = _spin()
    sleep_late_ms = _sleep_late_ms()
    loopback_us = _loopback_us()
    use = watch.since(before)
    flushes = flush_times_ms(folder, FLUSHES)
    speed_ratio = speed_beside(REFERENCE, spins_per_s, loopback_us)
    return Calibration(
        cores=use.cores,
        spins_per_s=spins_per_s,
        sleep_late_ms=sleep_late_ms,
        flush_ms=statistics.median(flushes) if flushes else None,
        loopback_us=loopback_us,
        speed_ratio=speed_ratio,
        bears_rps=likely_to_bear(REFERENCE, speed_ratio, use.cores),
        use=use,
    )


def speed_beside(reference: Reference, spins_per_s: float | None, loopback_us: float | None) -> float | None:
    """A request is Python and the kernel's network, about half and half: the geometric mean of both speeds."""
    if not spins_per_s or not loopback_us:
        return None
    return math.sqrt(spins_per_s / reference.spins_per_s * reference.loopback_us / loopback_us)


def likely_to_bear(reference: Reference, speed_ratio: float | None, cores: float) -> float | None:
    """More cores than the reference has are no help to one API process; fewer are a loss."""
    return None if speed_ratio is None else reference.bears_rps * speed_ratio * min(1.0, cores / reference.cores)


def _spin() -> float | None:
    """On every core at once, each by a process of its own; None when none could be started."""
    count = min(len(os.sched_getaffinity(0)), _PROCESSES_MAX)
    argv = [sys.executable, "-I", "-S", "-c", _SPINNER, str(SPIN_S)]
    running = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(count)]
    found = [rate for process in running for rate in _rate_of(process)]
    return statistics.mean(found) if found else None


def _rate_of(process: subprocess.Popen[bytes]) -> Iterator[float]:
    try:
        told, _ = process.communicate(timeout=_START_LIMIT_S)
        yield float(told)
    except (subprocess.TimeoutExpired, ValueError):
        return
    finally:
        process.kill()
        process.wait()


def _sleep_late_ms() -> float:
    late = []
    for _ in range(SLEEPS):
        began = time.perf_counter()
        time.sleep(SLEEP_S)
        late.append(time.perf_counter() - began - SLEEP_S)
    return statistics.quantiles(late, n=100)[-1] * 1e3


def _loopback_us() -> float | None:
    try:
        with socket.create_server((LOOPBACK, 0)) as server, socket.create_connection(server.getsockname(), 1) as near:
            far, _ = server.accept()
            with far:
                far.settimeout(1)
                return statistics.median(_round_trips_us(near, far))
    except OSError:
        return None


def _round_trips_us(near: socket.socket, far: socket.socket) -> list[float]:
    taken = []
    ends_ns = time.perf_counter_ns() + int(LOOPBACK_S * 1e9)
    while (began_ns := time.perf_counter_ns()) < ends_ns:
        near.sendall(b".")
        far.sendall(far.recv(1))
        near.recv(1)
        taken.append((time.perf_counter_ns() - began_ns) / 1e3)
    return taken
