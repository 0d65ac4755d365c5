"""Tables of Figs. X1 and X2: windows that separate states, and cuts through the energy landscape."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from safetensors.numpy import load_file
from support.cnn_cells import ground_energies, train
from support.motif_optima_cells import write_optima

from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.exact.transfer_matrix import measure
from nqs.model.motifs import class_counts, design_matrix, motif_counts
from nqs.model.states import zero_magnetisation_states
from nqs.runtime.errors import InputError
from nqs.studies.ju2025.files import Optima
from nqs.studies.ju2025.tables import landscape, uniqueness
from nqs.studies.ju2025.tables.landscape import coefficients, images, reduced

N, K = 12, 4


def at(table, **cell):
    for column, value in cell.items():
        table = table[table[column] == value]
    return table


@pytest.fixture(scope="module")
def x1():
    return uniqueness.figX1({}, {"sizes": [12, 8, 10], "seed": 0})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cells")
    table, arrays = write_optima(folder, N, K, starts=6)
    other = write_optima(folder, N, 3, starts=1)
    networks = [ShallowCnn(N, K, "traj"), ShallowCnn(N, K, "original"), ShallowCnn(N, 3, "traj")]
    stems = [train(folder, net, [(0.01, 5)], [1, 2, 3], iterations=15, samples=500, kind="final") for net in networks]
    runs = [Path(f"{stem}_runs.csv") for stem in stems]
    return {"optima": [other[0], table], "optima_arrays": [other[1], arrays], "runs": runs}


@pytest.fixture(scope="module")
def x2(files):
    return landscape.figX2(files, {"size": N, "width": K, "starts": 6, "seed": 0})


def separated(n_sites, length, symmetrised):
    """Distinct multisets of windows and classes of states, from strings."""
    words = ["".join(letters) for letters in product("du", repeat=n_sites) if letters.count("u") == n_sites // 2]
    exchange = str.maketrans("du", "ud")

    def variants(word):
        both = [word, word[::-1]]
        return [*both, *(one.translate(exchange) for one in both)] if symmetrised else [word]

    def canonical(word):
        return min(v[shift:] + v[:shift] for v in variants(word) for shift in range(n_sites))

    def counted(word):
        windows = [(word + word)[site : site + length] for site in range(n_sites)]
        return tuple(sorted(min(variants(window)) for window in windows))

    classes = {canonical(word) for word in words}
    return len({counted(word) for word in classes}), len(classes)


@pytest.mark.parametrize("symmetrised", [True, False])
@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_shares_are_counted_from_strings(x1, length, symmetrised):
    (row,) = at(x1, series="share", n_sites=8, length=length, symmetrised=symmetrised).itertuples()
    assert (row.distinct, row.classes) == separated(8, length, symmetrised)
    assert row.share == row.distinct / row.classes


def test_smallest_windows_are_longer_than_the_bound(x1):
    rows = at(x1, series="smallest")
    assert list(at(rows, symmetrised=True).length) == [4, 4, 6]
    assert list(at(rows, symmetrised=False).length) == [4, 6, 7]
    assert list(at(rows, symmetrised=True).bound) == [2, 3, 4]
    assert (rows.share == 1).all()
    assert (rows.length >= rows.bound).all()
    shares = at(x1, series="share")
    assert (at(shares[shares.length == shares.bound], symmetrised=True).share < 1).all()  # not sufficient


def test_gauge_directions_complete_the_rank(x1):
    rows = at(x1, series="gauge")
    assert set(rows.n_sites) == {12}
    states = zero_magnetisation_states(12)
    for row in rows.itertuples():
        counts = (class_counts if row.symmetrised else motif_counts)(states, 12, int(row.length))
        assert (row.multipliers, row.rank) == (counts.shape[1], np.linalg.matrix_rank(counts))
    free = at(rows, symmetrised=False)
    assert list(free.gauge) == list(2 ** (free.length - 1))


def test_minima_ascend_and_count_each_once(x2, files):
    table = pd.read_csv(files["optima"][1])
    cnn = at(x2, series="minimum", family="cnn")
    assert_allclose(cnn.energy, np.sort(table[table.family == "cnn"].energy))
    assert_allclose(cnn["quantile"], (np.arange(6) + 0.5) / 6)
    converged = np.sort(cnn[cnn.converged.astype(bool)].energy)
    assert cnn.distinct_minima.iloc[0] == 1 + (np.diff(converged) >= 1e-4).sum()
    assert len(at(x2, series="minimum", family="cps")) == 1
    assert_allclose(x2.energy - x2.delta_energy, ground_energies(N)["ground_energy"])


def test_no_network_is_below_the_plaquettes(x2):
    cps = at(x2, family="cps").energy.min()
    assert (at(x2, series="minimum", family="cnn").energy > cps - 1e-7).all()
    assert (at(x2, series="run").energy > cps - 1e-7).all()


def test_runs_of_this_ring_and_width_are_shown(x2, files):
    runs = at(x2, series="run")
    assert set(runs.family) == {"traj", "original"}
    table = pd.read_csv(files["runs"][0])
    assert_allclose(at(runs, family="traj").energy, np.sort(table.exact_energy))
    assert (runs.energy_error == 0).all()
    assert runs.stuck.dtype != float


def test_a_sampled_energy_keeps_its_error(files, tmp_path):
    table = pd.read_csv(files["runs"][0]).assign(exact_energy=np.nan)
    table.to_csv(tmp_path / "runs.csv", index=False)
    shown = landscape.figX2(files | {"runs": [tmp_path / "runs.csv"]}, {"size": N, "width": K})
    runs = at(shown, series="run")
    assert_allclose(np.sort(runs.energy_error), np.sort(table.energy_error))
    assert runs.sampled.all()


def test_the_cut_runs_through_both_minima(x2):
    cut = at(x2, series="cut")
    minima = at(x2, series="minimum", family="cnn")
    lowest = minima[minima.converged.astype(bool)].energy.to_numpy()
    second = lowest[lowest > lowest[0] + 1e-4][0]
    assert len(cut) == 41
    assert_allclose(cut[cut.position == 0].energy, lowest[0], atol=1e-9)
    assert_allclose(cut[cut.position == 1].energy, second, atol=1e-9)
    assert (cut.energy > lowest[0] - 1e-9).all()


def test_a_single_minimum_has_no_cut(files, tmp_path):
    table = pd.read_csv(files["optima"][1]).assign(converged=False)
    table.to_csv(tmp_path / "k4.csv", index=False)
    found = {"optima": [tmp_path / "k4.csv"], "optima_arrays": files["optima_arrays"][1:]}
    shown = landscape.figX2(found, {"size": N, "width": K})
    assert set(shown.series) == {"minimum"}
    assert (shown.distinct_minima[shown.family == "cnn"] == 0).all()


def test_the_regression_of_each_minimum_is_that_of_its_state(x2, files):
    minima = at(x2, series="minimum", family="cnn")
    fitted = minima.dropna(subset="intercept")
    assert len(fitted) == minima.distinct_minima.iloc[0] > 0
    arrays = load_file(files["optima_arrays"][1])
    expected = np.linalg.lstsq(design_matrix(K), arrays["cnn_expectations"], rcond=None)[0]  # of the lowest
    assert_allclose(fitted[["intercept", "d_neel", "n_like", "interaction"]].iloc[0].astype(float), expected, rtol=1e-6)


def test_constant_states_and_lost_starts_are_no_minima(files, tmp_path):
    table = pd.read_csv(files["optima"][1])
    order = table[table.family == "cnn"].energy.sort_values().index
    table.loc[order[0], "stuck"] = True
    table.loc[order[1], ["energy", "slope", "converged"]] = [np.nan, np.nan, False]
    table.to_csv(tmp_path / "k4.csv", index=False)
    found = {"optima": [tmp_path / "k4.csv"], "optima_arrays": files["optima_arrays"][1:]}
    shown = at(landscape.figX2(found, {"size": N, "width": K}), family="cnn")
    minima = at(shown, series="minimum")
    assert (len(minima), set(minima.n_starts)) == (5, {6})
    kept = table.loc[order[2:]]
    assert_allclose(at(shown, series="cut", position=0.0).energy, kept[kept.converged].energy.min(), atol=1e-9)


def test_missing_optima_are_named(files):
    with pytest.raises(InputError, match="K = 4 on 14 sites"):
        landscape.figX2(files, {"size": 14, "width": 4})


@pytest.mark.parametrize("seed", range(3))
def test_reduced_parameters_give_the_same_state(seed):
    parameters = np.random.default_rng(seed).normal(size=2 * K + 2)
    states = zero_magnetisation_states(N)
    counts = motif_counts(states, N, K)
    original = counts @ ShallowCnn(N, K).coefficients(parameters)
    assert_allclose(counts @ coefficients(reduced(parameters)), original, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_images_have_the_same_energy(seed):
    numbers = reduced(0.5 * np.random.default_rng(seed).normal(size=2 * K + 2))
    found = list(images(numbers))
    assert len(found) == 8
    energies = [measure(N, coefficients(image)).energy for image in found]
    assert_allclose(energies, energies[0], rtol=1e-11)
    assert min(np.abs(image - numbers).max() for image in found) == 0
    # Both signs reversed: not only the energy, the state is the same.
    counts = motif_counts(zero_magnetisation_states(N), N, K)
    both = np.concatenate([numbers[:1], -numbers[1:]])
    assert any(np.array_equal(image, both) for image in found)
    assert np.ptp(counts @ (coefficients(both) - coefficients(numbers))) < 1e-12


def test_the_arrays_follow_the_table(files):
    optima = Optima.read(files["optima"][1], files["optima_arrays"][1])
    energies = [measure(N, coefficients(reduced(one))).energy for one in optima.arrays["cnn_parameters"]]
    assert_allclose(energies, optima.minima("cnn").energy, rtol=1e-10)
