"""Tables of Figs. 1 to 3 of the convolutional networks, against sums over all states and by hand."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from safetensors.numpy import load_file, save_file
from support.cnn_cells import ground_energies, invented_runs, optima, train

from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.transfer_matrix import measure
from nqs.model.motifs import motif_counts, state_classes
from nqs.runtime.errors import InputError
from nqs.studies.ju2025.tables.training import example_state, fig1, fig2, fig3
from nqs.vmc.ring_choice import is_stuck

KEPT = (0, 5, 40)
SETTINGS = {"networks": ["original", "traj"], "widths": [4], "shown": [0, 40]}
CLASS_SIZES = [8, 16, 16, 16, 8, 4, 2]


@pytest.fixture(scope="session")
def cells(tmp_path_factory, ground_state_file):
    """Files of two trace cells of eight sites, K = 4; the second seed of `original` ends with constant psi."""
    folder = tmp_path_factory.mktemp("traces")
    grid = [(0.03, 1), (0.01, 10)]
    stems = [train(folder, ShallowCnn(8, 4, forcing), grid, [0, 1], kept=KEPT) for forcing in ("original", "traj")]
    endings = {"runs": "_runs.csv", "traces": "_trace.parquet", "weights": ".safetensors"}
    files = {kind: [stem.with_name(stem.name + ending) for stem in stems] for kind, ending in endings.items()}
    return files | {"ground_states": [ground_state_file("ring8", 0)]}


@pytest.fixture(scope="session")
def learning(cells):
    return fig1(cells, SETTINGS)


@pytest.fixture(scope="session")
def symmetry(cells):
    return fig2(cells, SETTINGS)


def test_states_come_class_by_class(learning):
    exact = learning[learning.series == "exact"].sort_values("position")
    assert len(exact) == 70
    assert exact.groupby("state_class").size().tolist() == CLASS_SIZES
    assert exact.state_class.is_monotonic_increasing
    assert set(exact.spins[exact.state_class == 6]) == {"udududud", "dudududu"}
    assert_allclose(np.exp(2 * exact.log_psi).sum(), 1, rtol=1e-12)
    assert (exact.groupby("state_class").log_psi.agg(np.ptp) < 1e-12).all()


def test_learned_states_and_fidelities_are_those_of_the_weights(learning, cells):
    runs, weights = pd.read_csv(cells["runs"][0]), load_file(cells["weights"][0])
    shown = learning[learning.series == "learned"]
    row = int(runs.exact_energy.where(~runs.stuck, np.inf).to_numpy().argmin())
    assert (shown.seed == runs.seed[row]).all()
    assert set(shown.iteration) == {0, 40}
    network, exact = ShallowCnn(8, 4), Wavefunction.read(cells["ground_states"][0])
    states, psi = exact.expand()
    for iteration, place in ((0, 0), (40, 2)):
        here = shown[shown.iteration == iteration].sort_values("state")
        learned = np.exp(network.at(weights["snapshots"][row, place]).log_psi(states))
        learned /= np.linalg.norm(learned)
        assert_allclose(np.exp(here.log_psi), learned, rtol=1e-10)
        assert_allclose(here.fidelity, (np.abs(psi) @ learned) ** 2, rtol=1e-10)
    assert shown.fidelity[shown.iteration == 40].iloc[0] > 0.97


def test_every_run_has_its_course(learning, cells):
    runs = pd.read_csv(cells["runs"][0])
    course = learning[learning.series == "course"].set_index(["run", "iteration"])
    assert len(course) == len(runs) * 2
    shown = learning[learning.series == "learned"]
    for (run, iteration), here in shown.groupby(["run", "iteration"]):
        row = course.loc[(run, iteration)]
        assert row.fidelity == here.fidelity.iloc[0]
        class_means = here.groupby("state_class").log_psi.transform("mean")
        within = ((here.log_psi - class_means) ** 2).sum() / ((here.log_psi - here.log_psi.mean()) ** 2).sum()
        assert_allclose(row.within_classes, within, atol=1e-12)
    constant = course.within_classes.isna()
    assert constant.any()
    assert set(course.stuck[constant]) == {True}


def test_counts_are_those_of_every_state(learning):
    counts = learning[learning.series == "counts"]
    matrix = counts.pivot(index="state", columns="motif", values="count").to_numpy()
    assert matrix.shape == (70, 16)
    assert_allclose(matrix, motif_counts(state_classes(8).codes, 8, 4))
    assert (matrix.sum(axis=1) == 8).all()
    assert counts.groupby("motif_position").motif_class.first().is_monotonic_increasing


def test_the_example_state_is_not_its_own_reversal():
    assert example_state(8) == "uuuddudd"
    for n_sites in (8, 10, 12):
        word = example_state(n_sites)
        reversal = word.translate(str.maketrans("ud", "du"))
        turned = {text[i:] + text[:i] for text in (word, word[::-1]) for i in range(n_sites)}
        assert 2 * word.count("u") == n_sites == len(word)
        assert reversal not in turned


def test_differences_and_grand_sums_are_those_of_the_snapshots(symmetry, cells):
    weights = load_file(cells["weights"][0])["snapshots"]
    first = symmetry[(symmetry.network == "original") & (symmetry.series == "snapshot")]
    states = np.array([0b00100111, 0b11011000], np.uint64)
    for run, rows in first.groupby("run"):
        rows = rows.sort_values("iteration")
        a, b = np.array([ShallowCnn(8, 4).at(theta).log_psi(states) for theta in weights[run]]).T
        assert_allclose(rows.log_psi, a)
        assert_allclose(rows.log_psi_exchanged, b)
        assert_allclose(rows.relative_difference, 2 * (a - b) / (np.abs(a) + np.abs(b) + 1e-300), atol=1e-14)
        assert_allclose(rows.grand_sum, [theta[1:-1].sum() + 2 * theta[-1] for theta in weights[run]])


def test_forced_symmetry_has_no_difference_and_constant_runs_are_kept(symmetry):
    forced = symmetry[(symmetry.network == "traj") & (symmetry.series == "snapshot")]
    assert forced.relative_difference.abs().max() < 1e-12
    assert not forced.constant.any()
    free = symmetry[(symmetry.network == "original") & (symmetry.series == "snapshot")]
    last = free[free.iteration == 40].set_index("run")
    constant = last.constant.astype(bool)
    assert constant.any()
    assert not constant.all()
    assert last.relative_difference[constant].abs().max() < 1e-12
    assert last.grand_sum[constant].abs().min() > 0.1
    assert free.relative_difference.abs().max() > 0.01


def test_the_trace_is_there_at_growing_distances(symmetry, cells):
    trace = pd.read_parquet(cells["traces"][0])
    curve = symmetry[(symmetry.network == "original") & (symmetry.series == "trace") & (symmetry.run == 1)]
    expected = trace[trace.run == 1].set_index("iteration").grand_sum
    assert {0, 1, 2, 40} <= set(curve.iteration)
    assert_allclose(curve.grand_sum, expected[curve.iteration.astype(int)])


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """Runs and optima on two rings, and the table of Fig. 3."""
    folder = tmp_path_factory.mktemp("sweep")
    names = ("original", "init", "traj", "deep2x4")
    wanted = [(n_sites, width, name, "final") for n_sites in (12, 16) for width in (3, 6) for name in names]
    wanted += [(12, 6, "traj", "single"), (12, 6, "traj", "search")]
    runs = invented_runs(folder, wanted)
    minima = [optima(folder, 12, 3, {"cps": [0.1], "cnn": [0.3, 0.11, np.nan]})]
    return pd.concat(map(pd.read_csv, runs)), fig3({"runs": runs, "optima": minima}, {})


def test_means_are_over_the_seeds_and_without_the_stuck_ones_beside(sweep):
    runs, table = sweep
    here = runs.query("n_sites == 12 and width == 3 and network == 'original'")
    mean = table.query("series == 'mean' and n_sites == 12 and width == 3 and network == 'original'").iloc[0]
    excess = here.energy - ground_energies(12)["ground_energy"]
    assert (mean.n_runs, mean.n_stuck, mean.n_diverged) == (3, 1, 0)
    assert_allclose(mean.delta_energy_mean, excess.mean())
    assert_allclose(mean.delta_energy_sem, excess.std(ddof=1) / np.sqrt(3))
    assert_allclose(mean.delta_energy_moving, excess[~here.stuck].mean())
    assert_allclose(mean.t_cv_5_mean, here.t_cv_5.mean())
    assert_allclose(mean.t_cv_5_moving, here.t_cv_5[~here.stuck].mean())
    assert_allclose(mean.noise_10_mean, here.noise_10.mean())
    assert (mean.n_capped_5, mean.n_capped_10) == (1, 0)  # the first seed never met the rule of the shorter window


def test_runs_as_high_as_constant_psi_count_as_stuck(sweep):
    """The energy of constant psi at zero magnetisation is -N/(N - 1), as the transfer matrix says."""
    constant = measure(12, np.zeros(8)).energy
    assert_allclose(constant, -12 / 11)
    runs = pd.DataFrame({
        "n_sites": 12, "stuck": [False, False, False, True, False], "energy_error": 0.01,
        "energy": [constant, constant - 0.02, constant - 0.04, -4.0, np.nan],
    })  # fmt: skip
    assert is_stuck(runs).tolist() == [True, True, False, True, False]


def test_distances_have_three_units(sweep):
    _, table = sweep
    rows = table[table.series == "run"]
    assert_allclose(rows.delta_energy, rows.energy - rows.ground_energy)
    assert_allclose(rows.delta_over_gap * (rows.triplet_energy - rows.ground_energy), rows.delta_energy)
    assert_allclose(rows.delta_over_ground * rows.ground_energy, rows.delta_energy)
    assert (rows.delta_over_ground < 0).all()


def test_every_kind_of_cell_has_its_series(sweep):
    _, table = sweep
    numbers = table.series.value_counts()
    assert numbers.to_dict() == {"run": 48, "mean": 16, "single": 3, "search": 1, "optimum": 2, "reduction": 20}
    optimum = table[table.series == "optimum"].set_index("family")
    assert_allclose(optimum.delta_energy[["cps", "cnn"]], [0.1, 0.11])
    assert optimum.n_parameters[["cps", "cnn"]].tolist() == [3, 8]  # ddd, ddu with its equals, dud: three classes


def test_diverged_runs_are_counted_and_left_out_of_means(tmp_path):
    (path,) = invented_runs(tmp_path, [(12, 3, "traj", "final")])
    runs = pd.read_csv(path)
    runs.loc[0, "status"], runs.loc[0, "energy"] = "diverged", np.nan
    runs.to_csv(path, index=False)
    table = fig3({"runs": [path], "optima": []}, {})
    mean = table[table.series == "mean"].iloc[0]
    assert (mean.n_runs, mean.n_diverged) == (3, 1)
    assert_allclose(mean.delta_energy_mean, runs.energy[1:].mean() - runs.ground_energy[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shown": [0, 7]}, r"shown: no snapshots at iterations \[7\]"),
        ({"widths": [3]}, "no cell of network original, K = 3"),
    ],
)
def test_settings_that_the_files_do_not_meet_are_named(cells, change, message):
    with pytest.raises(InputError, match=message):
        fig1(cells, SETTINGS | change)


def test_files_that_do_not_fit_are_named(cells, tmp_path):
    with pytest.raises(InputError, match="no ground state of a ring of 8"):
        fig1(cells | {"ground_states": []}, SETTINGS)
    deep = invented_runs(tmp_path, [(12, 3, "deep2x4", "trace")])
    with pytest.raises(InputError, match="deep2x4 has no grand sum"):
        fig2({"runs": deep, "weights": cells["weights"][:1], "traces": cells["traces"][:1]}, SETTINGS)
    save_file({"parameters": np.zeros((4, 10))}, tmp_path / "final.safetensors")
    with pytest.raises(InputError, match="needs snapshots of each of the 4 runs"):
        fig2(cells | {"weights": [tmp_path / "final.safetensors"] * 2}, SETTINGS)


def test_a_cell_of_constant_runs_alone_shows_one_of_them(cells, tmp_path):
    runs = pd.read_csv(cells["runs"][0]).assign(stuck=True)
    runs.to_csv(tmp_path / "stuck.csv", index=False)
    table = fig1(cells | {"runs": [tmp_path / "stuck.csv", cells["runs"][1]]}, SETTINGS)
    assert table.stuck.all()
    shown = table[table.series == "learned"]
    assert (shown.seed == runs.seed[int(runs.exact_energy.to_numpy().argmin())]).all()
    runs.assign(status="diverged").to_csv(tmp_path / "diverged.csv", index=False)
    with pytest.raises(InputError, match="K = 4, diverged; lower learning_rates"):
        fig1(cells | {"runs": [tmp_path / "diverged.csv", cells["runs"][1]]}, SETTINGS)
