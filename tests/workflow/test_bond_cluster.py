"""A cluster given by its bonds from the configuration through the stages, each called as the rules call it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from nqs.exact.eigenstate import Wavefunction
from nqs.supervised.keys import SAMPLED, CellKey
from nqs.workflow.cli import main
from nqs.workflow.configuration import load
from nqs.workflow.work import Work

ROOT = Path(__file__).parents[2]
RAILS = [[leg + i, leg + i + 1] for leg in (0, 6) for i in range(5)]
BONDS = {"j1": [*RAILS, *([i, i + 6] for i in range(6))], "j2": [[i, i + 7] for i in range(5)]}
KEY = CellKey("westerhout2020", "ladder12", -0.5, "dense1", "sign", SAMPLED)


def call(*words, settings, inputs, outputs):
    """A stage or table, as the rules call it."""
    files = [f"--input={kind}={path}" for kind, path in inputs.items()]
    files += [f"--output={kind}={path}" for kind, path in outputs.items()]
    with pytest.raises(SystemExit) as end:
        main([*words, f"--settings={json.dumps(settings)}", *files])
    assert end.value.code == 0


def test_from_the_configuration_to_overlaps(tmp_path):
    panels = [{"cluster": "ladder12", "networks": ["dense1"], "j2": [-0.5], "expressibility": []}]
    study = {"fig2": {"epsilon": 0.2, "repeats": 1, "panels": panels, "variational": {"panels": []}}}
    config = load(ROOT, {"scale": "smoke", "clusters": {"ladder12": {"bonds": BONDS}}, "westerhout2020": study})
    work = Work(config)
    state, data = tmp_path / "s.h5", tmp_path / "epsilon_0.2.h5"
    weights, table = tmp_path / "w.safetensors", tmp_path / "overlaps.csv"
    matrices = {"hamiltonian": tmp_path / "h.h5"}
    call("stage", "hamiltonian", settings=work.cell("hamiltonian", "ladder12").settings(), inputs={}, outputs=matrices)
    ground_state = {"ground_state": state}
    settings = work.cell("ground_state", "ladder12/j2_-0.5").settings()
    call("stage", "ground_state", settings=settings, inputs=matrices, outputs=ground_state)
    settings = work.cell("dataset", "westerhout2020/ladder12/j2_-0.5/epsilon_0.2").settings()
    call("stage", "dataset", settings=settings, inputs=ground_state, outputs={"dataset": data})
    inputs = ground_state | {"data": data}
    outputs = {"weights": weights, "history": tmp_path / "h.csv"}
    call("stage", "supervised", settings=work.cell("supervised", KEY.path).settings(), inputs=inputs, outputs=outputs)
    settings = work.cell("overlaps", KEY.path).settings()
    call("stage", "overlaps", settings=settings, inputs=inputs | {"weights": weights}, outputs={"overlaps": table})
    drawn = {"clusters": [config.cluster_settings("ladder12")]}
    call("table", "westerhout2020_fig1", settings=drawn, inputs={}, outputs={"table": tmp_path / "fig1.csv"})
    assert Wavefunction.read(state).lattice == "bonds"
    assert pd.read_csv(table).overlap_full.between(-1, 1).all()
    assert (pd.read_csv(tmp_path / "fig1.csv").kind == "j1").sum() == 16
