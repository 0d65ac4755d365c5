"""What figures and tables cost: the benchmark files of all jobs behind each."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nqs.studies.protocol import Study
from nqs.workflow.plan import duration
from nqs.workflow.report.numbers import is_number, memory
from nqs.workflow.work import Work, files_in

Cells = set[tuple[str, str]]  # stage and path


@dataclass(frozen=True)
class Cost:
    """Jobs with a benchmark, their wall and CPU seconds added up, and the largest memory of one in MB."""

    jobs: int
    wall: float
    cpu: float
    peak: float

    @property
    def peak_words(self) -> str:
        """The largest memory as people read it."""
        return memory(self.peak)

    def __str__(self) -> str:
        jobs = f"{self.jobs} job{'s' if self.jobs > 1 else ''}"
        times = f"{duration(self.wall)} one after another, {duration(self.cpu)} of CPU"
        return f"{jobs}, {times}, peak memory {self.peak_words}"


def cells_behind(work: Work, study: Study, name: str) -> Cells:
    """All cells that the rows of a target are made from, directly or not."""
    return cells_of(work, study, files_in(work.inputs(study, study.shown(name))), set())


def cells_of(work: Work, study: Study, files: Iterable[str], found: Cells) -> Cells:
    """Add the cells that make files, and those behind them, to the cells found."""
    for file in files:
        stage, path = work.origin(file)
        if stage == "analysis":
            found |= cells_behind(work, study, work.maker(study, path.split("/")[-1]))
        elif (stage, path) not in found:
            found.add((stage, path))
            cells_of(work, study, files_in(work.cell(stage, path).inputs), found)
    return found


def benchmarks(folder: Path, study: Study, name: str, cells: Cells) -> list[Path]:
    """Benchmark files of a target: of its cells, its rows, and its drawing. folder: results/<scale>/benchmarks."""
    target = study.targets[name]
    rows = folder / "rows" / f"{study.name}_{target.shows or name}.tsv"
    drawing = folder / target.kind / f"{study.name}_{name}.tsv"
    return [*(folder / stage / f"{path}.tsv" for stage, path in sorted(cells)), rows, drawing]


def cost(files: Iterable[Path]) -> Cost | None:
    """What the jobs with these benchmark files took; None if there are none."""
    jobs = [job for file in files for job in read_jobs(file)]
    if not jobs:
        return None
    wall, cpu, peak = ([number(job.get(key)) for job in jobs] for key in ("s", "cpu_time", "max_rss"))
    return Cost(len(jobs), sum(wall), sum(cpu), max(peak))


def read_jobs(file: Path) -> list[dict[str, Any]]:
    """Rows of a benchmark file; none if it is absent or cut off."""
    try:
        with file.open(encoding="utf-8") as lines:
            return (
                [json.loads(line) for line in lines]
                if file.suffix == ".jsonl"
                else [*csv.DictReader(lines, delimiter="\t")]
            )
    except (OSError, ValueError):
        return []


def number(value: Any) -> float:
    """A cell of a benchmark file; 0 for what Snakemake could not measure."""
    return float(value) if is_number(value) else 0.0
