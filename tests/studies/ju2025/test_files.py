"""Reading optima and trained networks: what belongs together, and which network is the best."""

from pathlib import Path

import pandas as pd
import pytest
from numpy.testing import assert_allclose
from support.cnn_cells import train
from support.motif_optima_cells import write_optima

from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.exact.transfer_matrix import measure
from nqs.runtime.errors import BrokenFileError, InputError
from nqs.studies.ju2025.files import Optima, best_known_energy, best_networks, read_optima


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cells")


@pytest.fixture(scope="module")
def pairs(folder):
    return [write_optima(folder, 12, 3), write_optima(folder, 14, 4, starts=2)]


def test_ring_and_width_are_those_of_the_files(pairs):
    files = {"optima": [table for table, _ in pairs], "optima_arrays": [arrays for _, arrays in pairs]}
    found = read_optima(files)
    assert [(one.n_sites, one.length) for one in found] == [(12, 3), (14, 4)]
    assert len(found[0].minima("cnn")) == 4
    assert list(found[0].minima("cnn").index) == [0, 1, 2, 3]
    assert read_optima({}) == []


def test_files_that_do_not_match_are_errors(pairs):
    with pytest.raises(InputError, match="other starts"):
        Optima.read(pairs[0][0], pairs[1][1])


def test_a_missing_file_says_how_to_build_it(pairs, tmp_path):
    lost = tmp_path / "results" / "paper" / "k6.safetensors"
    with pytest.raises(BrokenFileError, match=r"missing.*--config scale=paper"):
        Optima.read(pairs[0][0], lost)


def test_the_best_network_of_each_ring_is_found(folder):
    cells = [ShallowCnn(12, 3, "traj"), ShallowCnn(12, 3, "original"), ShallowCnn(12, 4, "traj"), ShallowCnn(16, 3)]
    stems = [train(folder, cell, [(0.01, 5)], [1, 2], iterations=15, samples=500, kind="final") for cell in cells]
    files = {
        "runs": [Path(f"{stem}_runs.csv") for stem in stems],
        "weights": [Path(f"{stem}.safetensors") for stem in stems],
    }
    found = list(best_networks(files, 3))
    assert [network.n_sites for network, _ in found] == [12, 16]
    table = pd.concat([pd.read_csv(path) for path in files["runs"][:2]])
    _, parameters = found[0]
    exact = measure(12, ShallowCnn(12, 3).coefficients(parameters)).energy
    assert_allclose(exact, table.exact_energy.min(), rtol=1e-12)
    assert list(best_networks(files, 6)) == []


def test_the_exact_energy_counts_before_the_sampled_one():
    runs = pd.DataFrame({"exact_energy": [1.0, float("nan")], "energy": [3.0, 2.0]})
    assert list(best_known_energy(runs)) == [1.0, 2.0]
