"""Stage `motif-optima`: exact minima of the correlator product state and of the network."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from safetensors import safe_open
from safetensors.numpy import load_file

from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.exact.transfer_matrix import energy_and_gradient, measure
from nqs.vmc.exact_descent import Optimum
from nqs.vmc.keys import OptimaKey
from nqs.vmc.ring_evaluation import exact_energy
from nqs.vmc.stages import ring_optima
from nqs.vmc.stages.ring_optima import descend_all, lowest_distinct, start_of

KEY = OptimaKey("ju2025", 12, 4)
SETTINGS = {"key": vars(KEY), "seed": 0, "starts": 6}


@pytest.fixture(scope="module")
def optima(tmp_path_factory):
    """Folder, table and arrays of the ring of 12 with motifs of 4."""
    folder = tmp_path_factory.mktemp("optima")
    ring_optima.run(SETTINGS, folder / "k4.safetensors", folder / "k4.csv")
    return folder, pd.read_csv(folder / "k4.csv"), load_file(folder / "k4.safetensors")


def energies(descents):
    """Energies of descents that came to an end."""
    return [one.found.energy for one in descents if one.found is not None]


def test_the_stage_writes_what_it_promises(optima):
    folder, table, arrays = optima
    assert table.family.tolist() == ["cps"] + ["cnn"] * 6
    assert table.start.tolist() == [0, *range(6)]
    assert set(table.columns) >= {"energy", "slope", "ground_energy", "triplet_energy", "converged", "stuck"}
    assert arrays["cnn_parameters"].shape == (6, 10)
    for family in ("cps", "cnn"):
        assert arrays[f"{family}_coefficients"].shape == (16,)
        assert arrays[f"{family}_expectations"].sum() == pytest.approx(12)
    with safe_open(folder / "k4.safetensors", "np") as file:
        assert json.loads(file.metadata()["settings"]) == SETTINGS


def test_energies_are_those_of_the_parameters_summed_over_all_states(optima):
    _, table, arrays = optima
    network = ShallowCnn(12, 4)
    rows = table[table.family == "cnn"]
    summed = [exact_energy(network, theta) for theta in arrays["cnn_parameters"]]
    assert_allclose(rows.energy, summed, rtol=1e-9)


def test_the_arrays_are_those_of_the_lowest(optima):
    _, table, arrays = optima
    for family, rows in table.groupby("family"):
        measured = measure(12, arrays[f"{family}_coefficients"])
        assert measured.energy == pytest.approx(rows.energy.min(), rel=1e-10)
        assert_allclose(arrays[f"{family}_expectations"], measured.motif_expectations)


def test_minima_lie_above_the_ground_state_and_the_larger_family_below(optima):
    _, table, arrays = optima
    cps, cnn = (table[table.family == family] for family in ("cps", "cnn"))
    assert (table.energy > table.ground_energy).all()
    assert cps.energy.item() <= cnn.energy.min() + 1e-9
    assert cps.converged.item()
    _, slope = energy_and_gradient(12, arrays["cps_coefficients"])
    assert np.abs(slope).max() < 1e-5


def test_starts_are_symmetric_and_depend_on_their_number_only():
    network = ShallowCnn(12, 4)
    for initial in ("wide", "glorot"):
        theta = start_of(KEY, initial, np.random.default_rng(1))
        assert theta.shape == (network.n_parameters,)
        assert network.grand_sum(theta) == pytest.approx(0, abs=1e-12)
    few, more = descend_all(KEY, 2, 0), descend_all(KEY, 3, 0, threads=2)
    assert energies(few) == energies(more[:3])


def test_a_long_ring_follows_the_lowest_minima_of_a_short_one(monkeypatch):
    monkeypatch.setattr(ring_optima, "SHORT_RING", 8)
    monkeypatch.setattr(ring_optima, "FOLLOWED", 1)
    key = OptimaKey("ju2025", 12, 3)
    table = ring_optima.optima_table(key, descend_all(key, 6, 0))
    monkeypatch.setattr(ring_optima, "SHORT_RING", 12)
    direct = ring_optima.optima_table(key, descend_all(key, 6, 0))
    for family in ("cps", "cnn"):
        lowest = [one[one.family == family].energy.min() for one in (table, direct)]
        assert lowest[0] == pytest.approx(lowest[1], abs=1e-6)
    assert table[table.family == "cps"].energy.notna().all()
    assert table[table.family == "cnn"].energy.notna().sum() == 1
    assert not table[table.energy.isna()].converged.any()


def test_minima_of_equal_energy_are_followed_once():
    def at(energy):
        return Optimum(energy, np.zeros(1), np.zeros(2), 0.0)

    assert lowest_distinct([at(-1.0), None, at(-2.0), at(-2.0 + 1e-6), at(-1.5)], 2) == [3, 5]


def test_known_optima_of_the_ring_of_60():
    """The lowest energies of three-site motifs, the same for both families."""
    key = OptimaKey("ju2025", 60, 3)
    descents = descend_all(key, 4, 0)
    lowest = [min(energies(one for one in descents if one.family == family)) for family in ("cps", "cnn")]
    assert_allclose(lowest, -23.205146331247 + 1.9708, atol=1e-4)
