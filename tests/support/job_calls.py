"""Jobs of a finished smoke run as calls of `python -m nqs`, with their outputs elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nqs.studies.protocol import Inputs
from nqs.workflow.configuration import load
from nqs.workflow.stages import STAGES
from nqs.workflow.work import Work, as_json

PROJECT = Path(__file__).parents[2]
RESULTS = Path("results/smoke")
CLAIMS = PROJECT / "reference" / "claims.yaml"


@dataclass(frozen=True)
class Call:
    """words: command and settings; inputs: kind -> paths from the folder of the run; outputs: kind -> file name."""

    words: list[str]
    inputs: Mapping[str, list[Path]]
    outputs: Mapping[str, str]

    def arguments(self, out: Path) -> list[str]:
        """Arguments of `python -m nqs` that write to the folder `out`."""
        read = [f"--input={kind}={path}" for kind, paths in self.inputs.items() for path in paths]
        return [*self.words, *read, *(f"--output={kind}={out / name}" for kind, name in self.outputs.items())]


class SmokeCalls:
    """The calls of the smoke configuration."""

    def __init__(self) -> None:
        self.work = Work(load(PROJECT, {"scale": "smoke"}))

    def reading(self, consumer: str, kind: str) -> Call:
        """The first call of a stage, `rows`, `figure` or `claims` that reads files of a kind."""
        command, _, target = consumer.partition(" ")
        if command in STAGES:
            return self.stage(command, kind)
        return getattr(self, command)(*target.split("_", 1))

    def stage(self, name: str, kind: str) -> Call:
        """The first cell of a stage that reads files of a kind."""
        if name == "ground_state":
            cell = self.work.cell(name, "kagome12/j2_0.4")
        else:
            cell = next(cell for (stage, _), cell in self.work.cells.items() if stage == name and cell.inputs.get(kind))
        words = ["stage", name, "--settings", as_json(cell.settings()), "--device=cpu"]
        return Call(words, below(cell.inputs), {kind: f"x{end}" for kind, end in STAGES[name].outputs.items()})

    def rows(self, study_name: str, name: str) -> Call:
        """The rows of a target."""
        study = self.work.studies[study_name]
        target = study.targets[name]
        words = ["table", f"{study_name}_{name}", "--settings", as_json(self.work.settings(study, target))]
        inputs = below(self.work.inputs(study, target)) | (self.published(study_name) if target.reads_published else {})
        if target.is_view:
            inputs["claims"] = [CLAIMS]
        return Call(words, inputs, {kind: f"{table}.csv" for kind, table in target.tables(name).items()})

    def figure(self, study_name: str, name: str) -> Call:
        """A figure."""
        study, stem = self.work.studies[study_name], RESULTS / "analysis" / study_name / name
        words = ["figure", f"{study_name}_{name}", "--settings", self.work.figure_settings(study, name)]
        inputs = {"table": [stem.with_suffix(".csv")], "cost": [stem.with_name(f"{name}_cost.json")]}
        return Call(words, inputs | self.published(study_name), {"pdf": "x.pdf", "png": "x.png", "record": "x.json"})

    def claims(self, study_name: str) -> Call:
        """The verdicts on the claims of a study, from two of its tables."""
        tables = [RESULTS / "analysis" / study_name / f"{name}.csv" for name in ("fig3", "fig5")]
        inputs = {"table": tables, "claims": [CLAIMS]} | self.published(study_name)
        return Call(["claims", study_name, "--settings", as_json({"scale": "smoke"})], inputs, {"table": "x.csv"})

    def published(self, study_name: str) -> dict[str, list[Path]]:
        """The paper's numbers."""
        study = self.work.studies[study_name]
        return {"published": [PROJECT / "reference" / study.published]} if study.published else {}


def below(inputs: Inputs) -> dict[str, list[Path]]:
    """Files of cells, from the folder of the run."""
    return {kind: [RESULTS / path for path in paths] for kind, paths in inputs.items() if paths}
