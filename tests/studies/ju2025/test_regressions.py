"""Tables II and S1 of Ju et al. (2025): regressions against their formulas, and the numbers that are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from safetensors.numpy import save_file
from scipy import stats

from nqs.analysis.facts import read_facts
from nqs.ansatz.correlator_product import Cps
from nqs.ansatz.maximum_entropy import observable_directions
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.transfer_matrix import measure
from nqs.model.motifs import design_matrix, motif_classes, motif_counts
from nqs.runtime.errors import InputError
from nqs.studies.ju2025 import markdown as ju2025_markdown
from nqs.studies.ju2025.tables.regressions import (
    CLASS_MEANS,
    COLUMNS,
    LINE_COLUMNS,
    LOG_PSI,
    ONE_GAUGE,
    TERMS,
    ground_state_expectations,
    least_squares,
    table2,
    tableS1,
)
from nqs.vmc.exact_descent import lowest_energy

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "reference/ju2025/published.yaml"


KERNEL = [6.52, -3.7, -2.09, -1.27, -0.64, -0.24]  # near the best network of K = 6 on 60 sites


def write_optima(folder, n_sites, width, starts=6, change=0.0, networks=None):
    """Optima in the files of the stage; change (2^K,): added to the coefficients of the CPS."""
    cps = lowest_energy(Cps.symmetric(n_sites, width), np.zeros(len(motif_classes(width))))
    rng = np.random.default_rng(width)
    networks = networks or [descended(n_sites, -0.5, 0.6 * rng.normal(size=width)) for _ in range(starts)]
    best = min(networks, key=lambda optimum: optimum.energy)
    rows = [("cps", 0, cps), *(("cnn", place, one) for place, one in enumerate(networks))]
    table = pd.DataFrame([(name, start, one.energy, one.slope, one.slope < 1e-4) for name, start, one in rows])
    table.columns = ["family", "start", "energy", "slope", "converged"]
    table["stuck"] = False
    paths = folder / f"n{n_sites}k{width}.csv", folder / f"n{n_sites}k{width}.safetensors"
    table.to_csv(paths[0], index=False)
    arrays = {"cps_coefficients": cps.coefficients + change, "cnn_coefficients": best.coefficients}
    arrays |= {f"{name}_expectations": measure(n_sites, arrays[f"{name}_coefficients"]).motif_expectations
               for name in ("cps", "cnn")}  # fmt: skip
    save_file(arrays | {"cnn_parameters": np.array([one.parameters for one in networks])}, paths[1])
    return paths


def descended(n_sites, scale, fields):
    """The minimum of the network near v and fields u (K,)."""
    start = np.concatenate([[scale], np.column_stack([np.negative(fields), fields]).ravel(), [0.0]])
    return lowest_energy(ShallowCnn(n_sites, len(fields)), start)


def write_cell(folder, n_sites, width, network, parameters, diverged=(), stuck=()):
    """Final runs with these parameters (run, P)."""
    stem = folder / f"n{n_sites}k{width}-{network}"
    runs = pd.DataFrame({
        "n_sites": n_sites, "width": width, "network": network, "run_kind": "final", "run": np.arange(len(parameters)),
        "status": ["diverged" if run in diverged else "cap" for run in range(len(parameters))],
        "stuck": [run in stuck for run in range(len(parameters))],
    })  # fmt: skip
    runs.to_csv(f"{stem}_runs.csv", index=False)
    save_file({"parameters": parameters}, f"{stem}.safetensors")
    return Path(f"{stem}_runs.csv"), Path(f"{stem}.safetensors")


def random_parameters(n_sites, width, network, n_runs=4):
    family = ShallowCnn(n_sites, width, network)
    return np.array([family.initial(np.random.default_rng([width, run])) for run in range(n_runs)])


@pytest.fixture(scope="module")
def cell_files(tmp_path_factory, ground_state_file):
    """A ring of 12 sites with K = 4: two networks, the second far lower in energy, optima, and exact rings."""
    folder = tmp_path_factory.mktemp("cells")
    optima = write_optima(folder, 12, 4)
    near = lowest_energy(ShallowCnn(12, 4), random_parameters(12, 4, "traj", 1)[0]).parameters
    trained = near + 0.02 * np.random.default_rng(2).normal(size=(5, len(near)))
    cells = [
        write_cell(folder, 12, 4, "original", random_parameters(12, 4, "original")),
        write_cell(folder, 12, 4, "traj", trained, diverged=(1,)),
    ]
    return {
        "published": [PUBLISHED], "optima": [optima[0]], "optima_arrays": [optima[1]],
        "runs": [runs for runs, _ in cells], "weights": [weights for _, weights in cells],
        "ground_states": [ground_state_file("ring8", 0.0), ground_state_file("ring12", 0.0)],
    }  # fmt: skip


SETTINGS = {"width": 4, "size": 12, "exact_sizes": [8, 12], "seed": 0}


@pytest.fixture(scope="module")
def small_table(cell_files):
    return table2(cell_files, SETTINGS)


def test_facts_are_complete_and_those_of_the_paper():
    facts = read_facts(PUBLISHED)
    assert all({"value", "uncertainty", "unit", "where"} <= set(fact) for fact in facts.values())
    assert [facts[f"table2_{term}"]["value"] for term in TERMS] == [8.95, -2.97, -3.60, 1.25]
    assert facts["lambda_regression_k3"]["value"] == {"slope": 0.977, "r2": 1.0}


def test_regression_is_the_normal_equations():
    rng = np.random.default_rng(3)
    design = np.column_stack([np.ones(40), rng.normal(size=(40, 2))])
    response = design @ [1.0, -2.0, 0.5] + rng.normal(size=40) * np.linspace(0.1, 2, 40)
    fit = least_squares(design, response)
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ response
    residuals = response - design @ coefficients
    errors = np.sqrt(residuals @ residuals / 37 * np.diag(inverse))
    leverage = np.einsum("ni,ij,nj->n", design, inverse, design)
    meat = (design * (residuals / (1 - leverage))[:, None] ** 2).T @ design
    robust = np.sqrt(np.diag(inverse @ meat @ inverse))  # HC3
    assert_allclose(fit.coefficients, coefficients)
    assert_allclose(fit.errors, errors)
    assert_allclose(fit.p_values, 2 * stats.t.sf(np.abs(coefficients / errors), 37), rtol=1e-9)
    assert_allclose(fit.p_robust, 2 * stats.t.sf(np.abs(coefficients / robust), 37), rtol=1e-9)
    assert fit.r_squared == pytest.approx(1 - residuals.var() / response.var())
    assert fit.observations == 40


def test_errors_of_clusters_are_the_sandwich_of_their_sums():
    """[Liang and Zeger 1986], with the usual correction for few clusters."""
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(12), 5)
    design = np.column_stack([np.ones(60), rng.normal(size=60)])
    response = design @ [1.0, 2.0] + rng.normal(size=12)[groups]
    fit = least_squares(design, response, groups)
    inverse = np.linalg.inv(design.T @ design)
    residuals = response - design @ fit.coefficients
    sums = np.array([(design * residuals[:, None])[groups == one].sum(axis=0) for one in range(12)])
    covariance = inverse @ (sums.T @ sums) @ inverse * 12 / 11 * 59 / 58
    assert_allclose(fit.coefficients, least_squares(design, response).coefficients)
    assert_allclose(fit.errors, np.sqrt(np.diag(covariance)))


def test_expectation_values_of_an_exact_state_are_sums_over_its_states(ground_state_file):
    state = Wavefunction.read(ground_state_file("ring12", 0.0))
    states, psi = state.expand()
    found = ground_state_expectations(state, 4)
    assert_allclose(found, psi**2 @ motif_counts(states, 12, 4), rtol=1e-11)
    assert_allclose(found.sum(), 12)


def test_every_source_has_its_four_terms(small_table):
    assert list(small_table.columns) == list(COLUMNS)
    counts = small_table.groupby(["source", "n_sites", "run"], dropna=False, sort=False).size()
    assert (counts == len(TERMS)).all()
    assert list(dict.fromkeys(small_table.source)) == ["exact", "cps optimum", "cnn optimum", "network", "network mean"]
    assert small_table.published.isna().all()  # the print is of K = 6
    assert_allclose(small_table.scaled, small_table.coefficient * 60 / small_table.n_sites)


def test_networks_are_those_of_lowest_mean_energy_without_the_diverged(small_table):
    networks = small_table[small_table.source == "network"]
    assert set(networks.network) == {"traj"}
    assert sorted(set(networks.run)) == [0, 2, 3, 4]
    best = networks[networks.best.astype(bool)]
    assert best.energy.unique() == networks.energy.min()
    mean = small_table[small_table.source == "network mean"].set_index("term")
    assert_allclose(mean.coefficient, networks.groupby("term").coefficient.mean().loc[mean.index])
    assert set(mean.n_runs) == {4}
    assert_allclose(mean.seed_error, networks.groupby("term").coefficient.sem(ddof=1).loc[mean.index])
    assert_allclose(mean.scaled_seed_error, 5 * mean.seed_error)
    assert small_table[small_table.source != "network mean"].seed_error.isna().all()


def test_stuck_runs_are_also_left_out(cell_files, tmp_path):
    folder = tmp_path / "stuck"
    folder.mkdir()
    near = lowest_energy(ShallowCnn(12, 4), random_parameters(12, 4, "traj", 1)[0]).parameters
    dead = np.concatenate([near[:-1], [-100.0]])  # no motif is active: psi is constant
    runs, weights = write_cell(folder, 12, 4, "traj", np.array([near, near * 1.01, dead]), stuck=(2,))
    table = table2(cell_files | {"runs": [runs], "weights": [weights]}, SETTINGS)
    everything, moving = (table[table.source == name] for name in ("network mean", "network mean, moving"))
    assert (set(everything.n_runs), set(everything.n_stuck)) == ({3}, {1})
    assert (set(moving.n_runs), set(moving.n_stuck)) == ({2}, {0})
    assert (everything.scaled_seed_error.to_numpy() > 10 * moving.scaled_seed_error.to_numpy()).all()
    kept = table[(table.source == "network") & (table.run < 2)].groupby("term").coefficient
    moving = moving.set_index("term")
    assert_allclose(moving.coefficient, kept.mean().loc[moving.index])
    assert "trained, mean without constant psi" in ju2025_markdown.markdown(table)


def test_energies_are_above_the_exact_one_in_three_units(small_table):
    exact = small_table[small_table.source == "exact"]
    assert_allclose(exact.delta_energy, 0, atol=1e-8)
    cps = small_table[small_table.source == "cps optimum"].iloc[0]
    cnn = small_table[small_table.source == "cnn optimum"].iloc[0]
    assert 0 < cps.delta_energy <= cnn.delta_energy + 1e-6
    assert cps.percent_of_ground < 0 < cps.percent_of_gap  # E0 of sum P is negative
    assert_allclose(cps.percent_of_ground * (cps.energy - cps.delta_energy) / 100, cps.delta_energy)


def test_markdown_of_table_two(small_table, tmp_path):
    small_table.to_csv(tmp_path / "table2.csv", index=False)
    text = ju2025_markdown.markdown(pd.read_csv(tmp_path / "table2.csv"))
    assert text == ju2025_markdown.markdown(small_table)
    for part in (
        "exact, N = 12",
        "CPS optimum",
        "trained (traj), best run",
        "trained, mean of runs",
        "scaled to N = 60",
    ):
        assert part in text
    assert "nan" not in text


def test_known_numbers_of_table_two(tmp_path, ground_state_file):
    """The exact chain, scaled, and the best K = 6 allows; none has the printed coefficients to the printed digits.

    The trained networks are two images of the best one, with up and down exchanged.
    """
    best = descended(60, 0.4, KERNEL)
    v, w, b = ShallowCnn(60, 6).split(best.parameters)
    exchanged = np.concatenate([[v], w[:, ::-1].ravel(), [b]])
    cell = write_cell(tmp_path, 60, 6, "traj", np.array([best.parameters, exchanged]))
    optima = write_optima(tmp_path, 60, 6, networks=[best])
    files = {
        "published": [PUBLISHED], "optima": [optima[0]], "optima_arrays": [optima[1]], "runs": [cell[0]],
        "weights": [cell[1]], "ground_states": [ground_state_file("ring16", 0.0)],
    }  # fmt: skip
    table = table2(files, {"width": 6, "size": 60, "exact_sizes": [16]})
    known = {
        "published": ([8.95, -2.97, -3.60, 1.25], 0.786),
        "exact": ([7.974, -2.545, -3.166, 1.077], 0.788),
        "cps optimum": ([7.599, -2.337, -3.012, 1.000], 0.810),
        "cnn optimum": ([7.527, -2.295, -2.985, 0.986], 0.811),
        "network mean": ([7.527, -2.295, -2.985, 0.986], 0.811),
    }
    for source, (coefficients, r_squared) in known.items():
        rows = table[table.source == source]
        assert list(rows.term) == list(TERMS)
        assert_allclose(rows.scaled, coefficients, atol=6e-4)
        assert_allclose(rows.r_squared, r_squared, atol=6e-4)
    ours = table[table.source != "published"]
    assert_allclose(ours.condition_number, 42.393, atol=1e-3)
    assert set(ours.observations) == {64}
    assert_allclose(ours.difference, ours.scaled - ours.published)
    assert_allclose(ours[ours.source == "exact"].difference, [-0.976, 0.425, 0.434, -0.173], atol=6e-4)
    assert set(ours.print_precision) == {0.005}
    assert (ours.difference.abs() > 10 * ours.print_precision).all()
    assert (ours[ours.source == "network mean"].seed_error < 1e-6).all()  # one state twice
    assert_allclose(ours[ours.source == "network"].delta_energy, 0.38404, atol=1e-4)
    assert (table[table.source == "exact"].p_value < 1e-3).all()
    text = ju2025_markdown.markdown(table)
    assert "8.95* (0.60)" in text
    assert "| intercept, less the print |  | -0.98 |" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ground_states": []}, "no ground state of a ring of 8 sites .*; add ring8"),
        ({"optima": [], "optima_arrays": []}, "no variational optima of K = 4 on 12 sites"),
        ({"runs": [], "weights": []}, "needs a final run of a shallow network with K = 4 on 12 sites"),
    ],
)
def test_missing_files_of_table_two_are_named(cell_files, change, message):
    with pytest.raises(InputError, match=message):
        table2(cell_files | change, SETTINGS)


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """K = 3 and K = 4 on 16 sites, and K = 4 again with a gauge added to the CPS."""
    folder = tmp_path_factory.mktemp("optima")
    change = np.random.default_rng(5).normal(size=len(motif_classes(4)))
    change = motif_classes(4).spread(change)
    directions = observable_directions(16, 4)
    change -= change @ directions.T @ directions
    tables = []
    for place, added in enumerate((0.0, change)):
        (folder / str(place)).mkdir()
        pairs = [write_optima(folder / str(place), 16, width, change=added if width == 4 else 0.0) for width in (3, 4)]
        files = {"published": [PUBLISHED], "optima": [csv for csv, _ in pairs], "optima_arrays": [a for _, a in pairs]}
        tables.append(tableS1(files, {"size": 16, "widths": [3, 4]}))
    return tables


def lowest(table, width):
    return table[(table.width == width) & (table.minimum == 0)].set_index("values")


def test_three_classes_have_one_line_which_follows_from_the_norm(lines):
    rows = lowest(lines[0], 3)
    assert list(lines[0].columns) == list(LINE_COLUMNS)
    assert list(rows.index) == [CLASS_MEANS, ONE_GAUGE, LOG_PSI]
    assert_allclose(rows.slope, 1, atol=1e-5)
    assert_allclose(rows.r_squared, 1, atol=1e-8)
    means = rows.loc[CLASS_MEANS]
    assert_allclose([means.slope, means.intercept], [means.predicted_slope, means.predicted_intercept], atol=1e-5)
    assert abs(means.slope - means.published_slope) > 2 * means.published_error  # the print is not the optimum's


def test_freedom_of_the_multipliers(lines):
    freedom = lines[0].drop_duplicates("width").set_index("width")
    assert freedom.loc[3, ["class_columns", "class_rank", "class_gauge", "motif_rank"]].tolist() == [3, 3, 0, 4]
    assert freedom.loc[4, ["class_columns", "class_rank", "class_gauge", "motif_rank"]].tolist() == [6, 5, 1, 8]
    assert lowest(lines[0], 4).predicted_slope.isna().all()


def test_a_gauge_moves_class_means_only(lines):
    before, after = (lowest(table, 4) for table in lines)
    for values in (ONE_GAUGE, LOG_PSI):
        assert_allclose(after.slope[values], before.slope[values], rtol=1e-7)
    assert abs(after.slope[CLASS_MEANS] - before.slope[CLASS_MEANS]) > 1e-2


def test_states_of_a_class_are_one_cluster(lines):
    """The 12870 states fall into 257 classes; ten copies of each say little more than one."""
    row = lowest(lines[0], 4).loc[LOG_PSI]
    assert (row.points, row.clusters) == (12870, 257)
    assert (lowest(lines[0], 4).drop(LOG_PSI).clusters == 6).all()
    assert "12870 in 257 classes" in ju2025_markdown.markdown(lines[0])


def test_minima_of_the_network_ascend(lines):
    for _, rows in lines[0].groupby("width"):
        energies = rows.drop_duplicates("minimum").cnn_delta_energy.to_numpy()
        assert (np.diff(energies) > 0).all()
        assert energies[0] >= rows.cps_delta_energy.iloc[0] - 1e-6


def test_markdown_of_table_s1(lines):
    text = ju2025_markdown.markdown(lines[0])
    assert "0.9770 (0.0020)" in text
    assert "| 4 | 6 | 5 | 1 | 16 | 8 | 8 |" in text
    assert "nan" not in text


def test_other_tables_are_not_rendered():
    with pytest.raises(InputError, match="not those of table1, table2 or tableS1"):
        ju2025_markdown.markdown(pd.DataFrame({"x": [1]}))


def test_design_matrix_has_the_terms():
    assert design_matrix(6).shape == (64, len(TERMS))
