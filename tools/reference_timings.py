"""Make reference/timings.csv from the benchmarks of a finished run: `python tools/reference_timings.py results/laptop`.

Fits per_job and per_unit of every stage to the CPU seconds of its jobs. Stages that the run did not have keep their
numbers. Run it on the machine of the run, whose speed it notes.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from nqs.runtime.errors import ConfigError, InputError
from nqs.workflow.configuration import load
from nqs.workflow.cost import FILE, MACHINE, Costs, Timing, read_timings
from nqs.workflow.machine_speed import rounds_per_second
from nqs.workflow.work import Work

ROOT = Path(__file__).parents[1]
LONG = 5.0  # seconds from which on Snakemake's mean load of a job can be trusted
HEAD = """\
# CPU seconds of a job = per_job + per_unit x units; units: src/nqs/workflow/cost.py. Made from a finished run with
# `./nqs exec python tools/reference_timings.py results/<scale>`.
# machine: its speed, in rounds of nqs.workflow.machine_speed per CPU second.
"""


def cpu_seconds(benchmark: Path) -> float:
    """CPU seconds of a job: wall seconds times load, which Snakemake samples while it runs."""
    with benchmark.open(encoding="utf-8") as lines:
        (row, *_) = csv.DictReader(lines, delimiter="\t")
    wall, load_percent = float(row["s"]), row.get("mean_load", "")
    known = wall > LONG and load_percent.replace(".", "").isdigit() and float(load_percent) > 0
    return wall * float(load_percent) / 100 if known else wall


def fit(units: Sequence[float], seconds: Sequence[float]) -> Timing:
    """Least squares with neither number negative; long jobs count more, as they do in the time of a run."""
    scale = max(units) or 1.0
    columns = np.column_stack([np.ones(len(units)), np.asarray(units) / scale])
    weights = 1 / np.sqrt(np.maximum(seconds, 0.1))
    (per_job, per_unit), _ = nnls(columns * weights[:, None], np.asarray(seconds) * weights)
    return Timing(float(per_job), float(per_unit / scale))


def timings(results: Path, costs: Costs) -> dict[str, Timing]:
    """Timings of all stages that have benchmarks below a results folder; InputError if none has."""
    found: dict[str, Timing] = {}
    for folder in sorted((results / "benchmarks").glob("*")):
        jobs = [(units_of(path, folder, costs), cpu_seconds(path)) for path in sorted(folder.rglob("*.tsv"))]
        known = [(units, seconds) for units, seconds in jobs if units is not None]
        if known and folder.name in costs.timings:
            found[folder.name] = fit(*zip(*known, strict=True))
    if not found:
        raise InputError(f"{results}: no benchmarks of this configuration; give the folder of a finished run")
    return found


def units_of(benchmark: Path, folder: Path, costs: Costs) -> float | None:
    """What drives the cost of a job; 0 for rows and figures, None for a cell that is not of this configuration."""
    path = benchmark.relative_to(folder).with_suffix("").as_posix()
    try:
        return costs.units(folder.name, path) if costs.timings[folder.name].per_unit else 0.0
    except (ConfigError, KeyError):
        return None


def write(path: Path, table: Mapping[str, Timing]) -> None:
    """Write the table with four digits."""
    lines = [f"{stage},{timing.per_job:.4g},{timing.per_unit:.4g}" for stage, timing in table.items()]
    path.write_text(HEAD + "\n".join(["stage,per_job,per_unit", *lines]) + "\n")


def main(results: Path) -> None:
    """Write reference/timings.csv."""
    old = read_timings(ROOT)
    costs = Costs(Work(load(ROOT, {"scale": results.resolve().name})), old)
    speed = {MACHINE: Timing(rounds_per_second(), 0.0)}
    write(ROOT / FILE, old | timings(results, costs) | speed)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except (IndexError, InputError) as error:
        raise SystemExit(f"reference_timings: {error or __doc__}") from None
