"""The runs that a person may ask for: a rehearsal, which ends with a verdict, and `up`, which ends with a signal."""

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tenfold.bootstrap.driver import loaded
from tenfold.bootstrap.mutant import mutant_of, refuse_mutant
from tenfold.bootstrap.report import leave_report
from tenfold.bootstrap.request import RunRequest
from tenfold.bootstrap.site import Site, opened
from tenfold.bootstrap.views import Paper
from tenfold.fleet import FAULT_KINDS
from tenfold.fleet.machine import calibrate
from tenfold.kernel import Interrupted, derive_seed, run_until_signal
from tenfold.plan import read_plan
from tenfold.rehearse import (
    FaultJournal,
    FeatureShield,
    Load,
    LoadTarget,
    Rehearsal,
    Stand,
    Verdict,
    drills_left_out,
    encode_verdict,
)

EXIT_STATUS = {"go": 0, "no-go": 1, "inconclusive": 2}


def rehearse(
    path: Path,
    *,
    port: int,
    quick: bool,
    drills: Sequence[str] | None,
    seed: int | None,
    as_json: bool,
    stay: bool,
    print_sign_in: bool,
) -> int:
    """Rehearse the plan in `path`; answers 0 for GO, 1 for NO-GO, 2 when the machine let nobody know.

    `drills` names those that are wanted, None all. With `stay` the console shows the report until a signal.
    """
    plan = read_plan(path, FAULT_KINDS)
    seed = secrets.randbits(32) if seed is None else seed
    request = RunRequest(
        plan=plan,
        steps=plan.quick_steps if quick else plan.steps,
        seed=seed,
        port=port,
        terminal=Paper(stderr=as_json),
        left_out=drills_left_out(plan, drills),
        rehearsing=True,
        stay=stay,
        print_sign_in=print_sign_in,
        mutant=mutant_of(plan, os.environ),
        words=_words(path, quick, drills, seed),
    )
    said: list[Verdict] = []
    try:
        run_until_signal(_rehearse(request, said.append))
    except Interrupted:  # the signal that ends the stay takes no word back
        if not (stay and said):
            raise
    (verdict,) = said
    if as_json:
        sys.stdout.write(encode_verdict(verdict).decode())
    return EXIT_STATUS[verdict.verdict]


def _words(path: Path, quick: bool, drills: Sequence[str] | None, seed: int) -> tuple[str, ...]:
    """The command that repeats it."""
    shorter = ["--quick"] if quick else []
    fewer = [] if drills is None else ["--drills", ",".join(drills) or "none"]
    return ("tenfold", "rehearse", "--plan", str(path), *shorter, *fewer, "--seed", str(seed))


def up(path: Path, *, port: int, print_sign_in: bool) -> int:
    """Start everything of the plan in `path` and keep it running until a signal; answers 0."""
    plan = read_plan(path, FAULT_KINDS)
    refuse_mutant(plan, os.environ)
    request = RunRequest(
        plan=plan,
        steps=plan.steps,
        seed=secrets.randbits(32),
        port=port,
        terminal=Paper(),
        print_sign_in=print_sign_in,
    )
    with contextlib.suppress(Interrupted):
        run_until_signal(_up(request))
    return 0


async def _rehearse(request: RunRequest, say: Callable[[Verdict], object]) -> None:
    """`say` is told the verdict once its report is written."""
    async with opened(request) as site:
        async with loaded(site.estate, _target(request, site)) as load:
            rehearsal = Rehearsal(request.plan, request.steps, _stand(site, load), left_out=request.left_out)
            verdict = await site.lifeline.hold(rehearsal.run())
        site.record.phase("report")
        leave_report(request, site.run, site.record, verdict)
        say(verdict)
        if request.stay:
            await _stay(request, site)


async def _stay(request: RunRequest, site: Site) -> None:
    """The console alone is left, with the report and past runs: servers and services end first."""
    await site.estate.close()
    address = site.record.progress.console
    request.terminal.print(f"report    {address}report   Ctrl-C ends it", highlight=False, markup=False, soft_wrap=True)
    await asyncio.Event().wait()


def _target(request: RunRequest, site: Site) -> LoadTarget:
    return LoadTarget(
        base_url=site.estate.references[f"{request.plan.traffic.service}.url"],
        plan=str(request.plan.path),
        token=site.token,
        journal=str(site.answers),
        seed=derive_seed(request.seed, "load"),
    )


def _stand(site: Site, load: Load) -> Stand:
    return Stand(
        estate=site.estate,
        load=load,
        record=site.record,
        monitor=site.monitor,
        faults=FaultJournal(site.run.faults, site.clock),
        features=lambda name: FeatureShield(name, site.control.operator),
        answers=site.answers,
        calibrate=partial(calibrate, site.run.state),
        crashes=lambda: site.supervisor.crashes,
        clock=site.clock,
    )


async def _up(request: RunRequest) -> None:
    async with opened(request) as site:
        site.record.phase("serving")
        for service in site.estate.services:
            site.record.say("good", f"{service.name} serves at {service.url}")
        site.record.say("good", f"for `tenfold switch` in another shell: . {site.control.file}")
        await site.lifeline.hold(asyncio.Event().wait())
