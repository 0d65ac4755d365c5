"""A cluster given by its bonds from the configuration through the stages, each called as the rules call it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from nqs.exact.eigenstate import Wavefunction
from nqs.studies.westerhout2020 import cells
from nqs.supervised.keys import SAMPLED, CellKey, Member
from nqs.workflow.cli import main
from nqs.workflow.configuration import load

ROOT = Path(__file__).parents[2]
RAILS = [[leg + i, leg + i + 1] for leg in (0, 6) for i in range(5)]
BONDS = {"j1": [*RAILS, *([i, i + 6] for i in range(6))], "j2": [[i, i + 7] for i in range(5)]}
KEY = CellKey("westerhout2020", "ladder12", -0.5, "dense1", "sign", SAMPLED)


def call(*words, **options):
    """A stage, with values as JSON and files as they are."""
    given = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in options.items()}
    with pytest.raises(SystemExit) as end:
        main([*words, *(f"--{name.replace('_', '-')}={value}" for name, value in given.items())])
    assert end.value.code == 0


def test_from_the_configuration_to_overlaps(tmp_path):
    panels = [{"cluster": "ladder12", "networks": ["dense1"], "j2": [-0.5], "expressibility": []}]
    study = {"fig2": {"epsilon": 0.2, "repeats": 1, "panels": panels, "variational": {"panels": []}}}
    config = load(ROOT, {"scale": "smoke", "clusters": {"ladder12": {"bonds": BONDS}}, "westerhout2020": study})
    cluster, members = config.cluster_settings("ladder12"), [Member(0.2, 0)]
    assert KEY in cells.supervised_cells(config)
    matrices, state, data = tmp_path / "h.h5", tmp_path / "s.h5", tmp_path / "epsilon_0.2.h5"
    weights, table = tmp_path / "w.safetensors", tmp_path / "overlaps.csv"
    call(
        "hamiltonian",
        settings={**cluster, "symmetries": ["translations", "spin_flip"], "backend": "auto"},
        out=matrices,
    )
    call(
        "ground-state",
        settings={"j2": -0.5, "tolerance": 1e-10, "allow_degenerate": False},
        hamiltonian=matrices,
        out=state,
    )
    settings = cells.dataset_settings(config, KEY.study, KEY.coupling, SAMPLED, 0.2, {KEY: members})
    call("dataset", settings=settings, ground_state=state, out=data)
    call(
        "supervised", settings=cells.supervised_settings(config, KEY, members), ground_state=state, data=data,
        out=weights, history=tmp_path / "h.csv", checkpoints=tmp_path / "checkpoints", device="cpu",
    )  # fmt: skip
    overlap = cells.overlap_settings(config, KEY.study, "ladder12")
    call("overlaps", settings=overlap, ground_state=state, weights=weights, data=data, out=table, device="cpu")
    call("lattice-geometry", settings={"clusters": [cluster]}, out=tmp_path / "fig1.csv")
    assert Wavefunction.read(state).lattice == "bonds"
    assert pd.read_csv(table).overlap_full.between(-1, 1).all()
    assert (pd.read_csv(tmp_path / "fig1.csv").kind == "j1").sum() == 16
