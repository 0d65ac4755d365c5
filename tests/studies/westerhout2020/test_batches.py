"""Rows and drawing of Fig. X1: scans for several batches, and their critical sizes."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.text import Annotation

from nqs.figures.table import TableError
from nqs.runtime.errors import BrokenFileError
from nqs.studies.westerhout2020.figures.batches import figX1
from nqs.studies.westerhout2020.tables.batches import rows

EPSILONS = (1e-3, 2e-3, 4e-3)
RISES = {"dense2": 2e-3, "dense2batch16": 4e-3, "dense2batch64": 1.0}  # where the overlap leaves zero
SETTINGS = {
    "cells": [
        {"study": "westerhout2020", "cluster": "kagome18", "j2": 0.4, "network": name, "target": "sign",
         "data": "sampled", "sizes": [[epsilon, 2] for epsilon in EPSILONS]}
        for name in RISES
    ],
    "clusters": [{"cluster": "kagome18", "lattice": "kagome", "n_sites": 18}],
    "batches": {"dense2": 128, "dense2batch16": 16, "dense2batch64": 64}, "threshold": 0.15, "seed": 0,
}  # fmt: skip


def overlaps():
    networks = [
        {"study": "westerhout2020", "cluster": "kagome18", "j2": 0.4, "network": name, "target": "sign",
         "data": "sampled", "epsilon": epsilon, "repeat": repeat, "n_train": 48, "estimated": False, "diverged": False,
         "device": "cpu", "training_wall_s": 1.0, "sample_weight": 0.1, "overlap_rest_signed": 0.0,
         "overlap_rest_se": 0.0, "overlap_full_se": 0.0,
         **dict.fromkeys(("overlap_rest", "overlap_sampled", "overlap_full"), 0.3 * (epsilon >= rise))}
        for name, rise in RISES.items() for epsilon in EPSILONS for repeat in range(2)
    ]  # fmt: skip
    return pd.DataFrame(networks)


@pytest.fixture
def table(tmp_path):
    overlaps().to_csv(tmp_path / "overlaps.csv", index=False)
    return rows({"overlaps": [tmp_path / "overlaps.csv"]}, SETTINGS)


def test_every_batch_has_its_scan_and_its_critical_size(table):
    points = table[table.series == "generalisation"]
    assert sorted(points.batch.unique()) == [16, 64, 128]
    assert len(points) == 9
    critical = table[table.series == "critical"].set_index("batch")
    assert critical.status.to_dict() == {16: "found", 64: "above the grid", 128: "found"}
    assert critical.critical_epsilon[128] == pytest.approx(np.sqrt(1e-3 * 2e-3))  # halfway from 0 to 0.3
    assert critical.critical_epsilon[16] == pytest.approx(np.sqrt(2e-3 * 4e-3))


def test_a_lost_network_is_noticed(tmp_path):
    overlaps().iloc[1:].to_csv(tmp_path / "overlaps.csv", index=False)
    with pytest.raises(BrokenFileError, match="networks instead of"):
        rows({"overlaps": [tmp_path / "overlaps.csv"]}, SETTINGS)


def test_figx1_draws_rises_sizes_and_what_is_beyond(table):
    left, right = figX1(table, note="laptop scale").axes
    assert len([one for one in left.containers if isinstance(one, ErrorbarContainer)]) == 3
    bars = [one for one in right.containers if isinstance(one, ErrorbarContainer)]
    drawn = {one.get_label(): one.lines[0].get_data() for one in bars}
    assert set(drawn) == {"_16", "_128"}
    assert np.asarray(drawn["_128"][1])[0] == pytest.approx(np.sqrt(2e-6))
    assert len([text for text in right.texts if isinstance(text, Annotation) and text.arrow_patch]) == 1
    assert [label.get_text() for label in right.get_xticklabels()] == ["16", "64", "128"]


def test_figx1_names_a_missing_column(table):
    with pytest.raises(TableError, match="batch"):
        figX1(table.drop(columns="batch"))
