"""All the work a configuration asks for: cells by stage and path, and what targets are made from."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from nqs.model.clusters import coupling_name
from nqs.runtime.errors import ConfigError
from nqs.studies.protocol import Cell, Inputs, Study, Target
from nqs.workflow.code_hash import code_hash
from nqs.workflow.configuration import Common
from nqs.workflow.known_levels import known_level
from nqs.workflow.stages import STAGES
from nqs.workflow.studies import check_entries

# Exact ground states of a cluster that a configuration knows can be asked for at any coupling.
SHARED = ("hamiltonian", "ground_state")


class Work:
    """Cells and targets of one configuration. All paths are below results/<scale>/."""

    def __init__(self, config: Common) -> None:
        self.config = config
        self.studies: dict[str, Study] = {study.name: study for study in config.studies()}
        self.shared: dict[tuple[str, str], Cell] = {}
        check_entries()

    @cached_property
    def cells(self) -> dict[tuple[str, str], Cell]:
        """All cells that the studies ask for, by stage and path."""
        asked = [(study, cell) for study in self.studies.values() for cell in study.cells(self.config.of(study))]
        for study, cell in asked:
            if cell.stage not in STAGES:
                known = ", ".join(STAGES)
                raise ConfigError(f"{study.name}: its cell {cell.path} is of no stage, '{cell.stage}'; known: {known}")
        return {(cell.stage, cell.path): cell for _, cell in asked}

    def cell(self, stage: str, path: str) -> Cell:
        """The cell of a stage, or ConfigError with the nearest one."""
        if stage in SHARED:
            if (stage, path) not in self.shared:
                self.shared[stage, path] = self._shared(stage, path)
            return self.shared[stage, path]
        if stage == "momentum_check":
            return self._momentum_check(path)
        if (stage, path) not in self.cells:
            raise self._unknown(path, [known for one, known in self.cells if one == stage])
        return self.cells[stage, path]

    def _unknown(self, path: str, known: Sequence[str]) -> ConfigError:
        near = difflib.get_close_matches(path, known, n=1, cutoff=0.0)
        offer = f"; did you mean {near[0]}?" if near else ""
        return ConfigError(f"{path} is no cell of the {self.config.scale} configuration{offer}")

    def _shared(self, stage: str, path: str) -> Cell:
        """Matrices of a cluster, or its ground state at one coupling: path <cluster> or <cluster>/j2_<j2>."""
        name, _, coupling = path.partition("/")
        if name not in self.config.cluster_names():
            raise self._unknown(path, self.config.cluster_names())
        cluster, n_sites = self.config.cluster_settings(name), self.config.n_sites(name)
        block = self.config.ground_state
        if stage == "hamiltonian":
            cluster |= {"symmetries": self.config.ground_state_symmetries(name), "backend": block.backend}
            return Cell(stage, path, lambda: cluster, n_sites=n_sites)
        cluster |= {"tolerance": block.tolerance, "allow_degenerate": block.allow_degenerate}
        cluster["j2"] = self._j2(coupling, path)
        cluster["known"] = known_level(name, cluster["j2"]) if block.levels == "known" else None
        return Cell(stage, path, lambda: cluster, {"hamiltonian": [f"hamiltonian/{name}.h5"]}, n_sites)

    def _j2(self, coupling: str, path: str) -> float:
        """J2 of the last part of a path; only the text that a coupling has in file names will do."""
        try:
            j2 = float(coupling.removeprefix("j2_"))
        except ValueError:
            j2 = float("nan")
        if coupling_name(j2) != coupling:
            raise ConfigError(f"{path}: '{coupling}' is no coupling; one is written like j2_0.55")
        return j2

    def _momentum_check(self, name: str) -> Cell:
        """The comparison of all ground states of a cluster with all momenta."""
        files = [file for file in self.ground_states if file.split("/")[1] == name]
        cluster = self.config.cluster_settings(name)
        return Cell("momentum_check", name, lambda: cluster, {"ground_states": files}, self.config.n_sites(name))

    @cached_property
    def ground_states(self) -> list[str]:
        """Exact ground states that the studies ask for, sorted."""
        asked = [cell.inputs for cell in self.cells.values()]
        asked += [self.inputs(study, target) for study, _, target in self.targets()]
        return sorted({file for one in asked for file in files_in(one) if file.startswith("ground_state/")})

    def targets(self) -> Iterator[tuple[Study, str, Target]]:
        """All targets with their study and name."""
        for study in self.studies.values():
            for name, target in study.targets.items():
                yield study, name, target

    def inputs(self, study: Study, target: Target) -> Inputs:
        """What the rows of a target are made from, the paper's numbers aside."""
        return target.inputs(self.config.of(study))

    def settings(self, study: Study, target: Target) -> Mapping[str, Any]:
        """What the rows of a target depend on besides their files."""
        return target.settings(self.config.of(study))

    def computing(self, study: Study, name: str) -> set[str]:
        """Entries of the code that makes the numbers of a target, from Hamiltonian to rows."""
        target = study.shown(name)
        return {target.rows, *self._behind(self.inputs(study, target), study)}

    def _behind(self, inputs: Inputs, study: Study) -> set[str]:
        """Entries of the code behind files."""
        found: set[str] = set()
        for file in files_in(inputs):
            stage, path = self.origin(file)
            if stage == "analysis":
                found |= self.computing(study, self.maker(study, path.split("/")[-1]))
            else:
                found |= self._code_of_cell(stage, path, study)
        return found

    def _code_of_cell(self, stage: str, path: str, study: Study) -> set[str]:
        """Entries behind one cell, found once for each kind of cell."""
        cell = self.cell(stage, path)
        key = (stage, cell.code, frozenset(self.origin(file)[0] for file in files_in(cell.inputs)))
        if key not in self._known:
            self._known[key] = {STAGES[stage].entry, *cell.code, *self._behind(cell.inputs, study)}
        return self._known[key]

    @cached_property
    def _known(self) -> dict[Any, set[str]]:
        return {}

    def origin(self, file: str) -> tuple[str, str]:
        """Stage and path of the cell that makes a file; `analysis` and the file's stem for rows."""
        stage, _, rest = file.partition("/")
        if stage == "analysis":
            return stage, rest.removesuffix(".csv")
        endings = sorted(STAGES[stage].outputs.values(), key=len, reverse=True)
        ending = next(ending for ending in endings if rest.endswith(ending))
        return stage, rest.removesuffix(ending)

    def maker(self, study: Study, table: str) -> str:
        """The target of a study that makes a table of rows."""
        return next((name for name, target in study.targets.items() if table in target.names), table)

    def figure_settings(self, study: Study, name: str) -> str:
        """What a figure's small print and provenance, or a table's provenance, say besides its data."""
        target = study.targets[name]
        shown = target.draw or target.layout  # nothing of rows alone
        showing = {shown, f"nqs.workflow.show:{target.kind}", *filter(None, [study.read])} if shown else set()
        return as_json(
            {
                "note": f"{self.config.scale} scale",
                "config": study.shown(name).used(self.config.of(study)),
                "seeds": [self.config.seed],
                "code": code_hash(*showing, *self.computing(study, name)),
            }
        )


def files_in(inputs: Inputs) -> Iterator[str]:
    """All files of all kinds."""
    return (file for files in inputs.values() for file in files)


def as_json(value: object) -> str:
    """Settings as they are passed to a stage; sorted, so that equal settings are equal text."""
    return json.dumps(value, sort_keys=True)
