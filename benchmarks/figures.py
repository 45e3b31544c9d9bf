"""`benchmarks/results/<name>.json`: the form that every benchmark leaves its figures in."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import msgspec

from tenfold.rehearse.verdict import Machine

RESULTS = Path(__file__).parent / "results"


class Figure(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One number. `value` is the median of `rounds`; `held` says that it reached `target`, or that 0 promises none."""

    figure: int
    name: str
    value: float
    unit: str
    target: float
    held: bool
    peers: dict[str, float] = {}
    """The same measure of whoever took turns with it, by name."""
    ratio: float | None = None
    """How many times the peer's: the median over rounds, each round compared with itself."""
    spread: float = 0.0
    """(largest - smallest) / median over the rounds; 0 when there was one."""
    rounds: list[float] = []
    limited_by: str = ""
    """Who was the limit above `value`: server, generator or inconclusive. A generator's limit means: at least this."""


class Figures(msgspec.Struct, kw_only=True):
    """One benchmark's figures and where they were measured, without which they are none."""

    machine: Machine
    measured_at: str
    load_average: float
    """What else the machine was doing when it began: processes wanting to run, mean of the minute before."""
    figures: list[Figure]


def spread_of(values: Sequence[float]) -> float:
    """How far apart repeated measures lie, as a share of their median."""
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


def write_figures(name: str, figures: Figures) -> Path:
    """Write `results/<name>.json` whole or not at all; answers its path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    draft = path.with_suffix(".draft")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
    return draft.replace(path)
