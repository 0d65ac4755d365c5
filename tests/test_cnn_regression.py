"""Tables II and S1 of Ju et al. (2025): regressions against their formulas, and the numbers that are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from safetensors.numpy import save_file
from scipy import stats

from nqs.analysis import cnn_markdown
from nqs.analysis.cnn_regression import (
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
from nqs.errors import ConfigError, InputError
from nqs.motif_maxent import observable_directions
from nqs.motif_networks import ShallowCnn
from nqs.motifs import design_matrix, motif_classes, motif_counts
from nqs.published import read_facts
from nqs.transfer_matrix import Convolution, Plaquettes, lowest_energy, measure
from nqs.wavefunction import Wavefunction

ROOT = Path(__file__).parent.parent
PUBLISHED = ROOT / "reference/ju2025/published.yaml"


def write_optima(folder, n_sites, width, starts=6, change=0.0):
    """Optima in the files of the stage; change (2^K,): added to the coefficients of the CPS."""
    cps = lowest_energy(n_sites, Plaquettes(width), np.zeros(len(motif_classes(width))))
    rng = np.random.default_rng(width)
    networks = []
    for _ in range(starts):
        fields = 0.6 * rng.normal(size=width)
        start = np.concatenate([[-0.5], np.column_stack([-fields, fields]).ravel(), [0.0]])
        networks.append(lowest_energy(n_sites, Convolution(width), start))
    best = min(networks, key=lambda optimum: optimum.energy)
    rows = [("cps", 0, cps), *(("cnn", place, one) for place, one in enumerate(networks))]
    table = pd.DataFrame([(name, start, one.energy, one.slope, one.slope < 1e-4) for name, start, one in rows])
    table.columns = ["family", "start", "energy", "slope", "converged"]
    paths = folder / f"n{n_sites}k{width}.csv", folder / f"n{n_sites}k{width}.safetensors"
    table.to_csv(paths[0], index=False)
    arrays = {"cps_coefficients": cps.coefficients + change, "cnn_coefficients": best.coefficients}
    arrays |= {f"{name}_expectations": measure(n_sites, arrays[f"{name}_coefficients"]).motif_expectations
               for name in ("cps", "cnn")}  # fmt: skip
    save_file(arrays | {"cnn_parameters": np.array([one.parameters for one in networks])}, paths[1])
    return paths


def write_cell(folder, n_sites, width, network, parameters, diverged=()):
    """Final runs with these parameters (run, P)."""
    stem = folder / f"n{n_sites}k{width}-{network}"
    runs = pd.DataFrame({
        "n_sites": n_sites, "width": width, "network": network, "run_kind": "final", "run": np.arange(len(parameters)),
        "status": ["diverged" if run in diverged else "cap" for run in range(len(parameters))], "stuck": False,
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
    near = lowest_energy(12, Convolution(4), random_parameters(12, 4, "traj", 1)[0]).parameters
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
    text = cnn_markdown.markdown(pd.read_csv(tmp_path / "table2.csv"))
    assert text == cnn_markdown.markdown(small_table)
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
    """The exact chain, scaled, and the best network that K = 6 allows lie within two joint errors of the print."""
    cell = write_cell(tmp_path, 60, 6, "traj", random_parameters(60, 6, "traj", 2))
    optima = write_optima(tmp_path, 60, 6, starts=1)
    files = {
        "published": [PUBLISHED], "optima": [optima[0]], "optima_arrays": [optima[1]], "runs": [cell[0]],
        "weights": [cell[1]], "ground_states": [ground_state_file("ring16", 0.0)],
    }  # fmt: skip
    table = table2(files, {"width": 6, "size": 60, "exact_sizes": [16]})
    known = {
        "published": ([8.95, -2.97, -3.60, 1.25], 0.786),
        "exact": ([7.974, -2.545, -3.166, 1.077], 0.788),
        "cps optimum": ([7.599, -2.337, -3.012, 1.000], 0.810),
    }
    for source, (coefficients, r_squared) in known.items():
        rows = table[table.source == source]
        assert list(rows.term) == list(TERMS)
        assert_allclose(rows.scaled, coefficients, atol=6e-4)
        assert_allclose(rows.r_squared, r_squared, atol=6e-4)
    ours = table[table.source != "published"]
    assert_allclose(ours.condition_number, 42.393, atol=1e-3)
    assert set(ours.observations) == {64}
    assert (table[table.source.isin(["exact", "cps optimum"])].joint_errors_off.abs() < 2).all()
    assert (table[table.source == "exact"].p_value < 1e-3).all()
    assert "8.95* (0.60)" in cnn_markdown.markdown(table)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"ground_states": []}, ConfigError, "table2.exact_sizes: no ground state of a ring of 8"),
        ({"optima": [], "optima_arrays": []}, InputError, "no variational optima of K = 4 on 12 sites"),
        ({"runs": [], "weights": []}, InputError, "needs a final run of a shallow network with K = 4 on 12 sites"),
    ],
)
def test_missing_files_of_table_two_are_named(cell_files, change, error, message):
    with pytest.raises(error, match=message):
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


def test_minima_of_the_network_ascend(lines):
    for _, rows in lines[0].groupby("width"):
        energies = rows.drop_duplicates("minimum").cnn_delta_energy.to_numpy()
        assert (np.diff(energies) > 0).all()
        assert energies[0] >= rows.cps_delta_energy.iloc[0] - 1e-6


def test_markdown_of_table_s1(lines):
    text = cnn_markdown.markdown(lines[0])
    assert "0.9770 (0.0020)" in text
    assert "| 4 | 6 | 5 | 1 | 16 | 8 | 8 |" in text
    assert "nan" not in text


def test_other_tables_are_not_rendered():
    with pytest.raises(InputError, match="not those of table1, table2 or tableS1"):
        cnn_markdown.markdown(pd.DataFrame({"x": [1]}))


def test_design_matrix_has_the_terms():
    assert design_matrix(6).shape == (64, len(TERMS))
