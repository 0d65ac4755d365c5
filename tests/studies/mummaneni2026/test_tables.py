"""Tables behind the figures on spin rings, from invented machines on a small grid."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from support.rbm_cells import Cell, random_machine, write_cell
from support.studies import build_rows, figures_of

from nqs.analysis import rbm_observables, sampled_ablation
from nqs.figures.table import TableError
from nqs.runtime.errors import InputError
from nqs.runtime.job import Job
from nqs.studies.mummaneni2026.tables import small_rings, trained
from nqs.workflow import rows

TAU, TAUS = 0.3, [0.1, 0.2, 0.3, 0.6]
ENERGY = {4: -2.0, 6: -2.8027756377319946, 8: -3.651093408937176}
MODES = ("paper", "sound")
PER_CELL = {
    "models": "_models.csv", "traces": "_trace.parquet", "states": "_states.csv", "units": "_units.parquet",
    "snapshots": "_snapshots.csv", "weights": ".safetensors",
}  # fmt: skip


ANALYSED = (
    "importance", "fractions", "power_laws", "sampled_fractions", "sampled_power_laws", "sampled_recovery",
)  # fmt: skip
CHAINS = {"samples": 64, "chains": 8, "discard": 1, "sweeps": 1}


@dataclass
class Study:
    """Cells by block, and the tables over the sweep."""

    folder: Path
    blocks: dict[str, list[Cell]] = field(default_factory=dict)

    def files(self, *blocks):
        cells = [cell for block in blocks for cell in self.blocks[block]]
        kinds = {kind: [cell.file(ending) for cell in cells] for kind, ending in PER_CELL.items()}
        return kinds | {name: [self.folder / f"{name}.csv"] for name in ANALYSED}

    def analyse(self):
        """The tables over the sweep, in exact sums and, of paper mode, under chains."""
        build_rows("mummaneni2026_importance", self.files("sweep"), {"taus": TAUS}, self.folder)
        by_chains: dict[str, list[Path]] = {"states": [], "units": []}
        for cell in self.blocks["sweep"]:
            if cell.mode == "paper":
                files = [cell.file("_chain_states.csv"), cell.file("_chain_units.parquet")]
                settings = {"key": [cell.n_sites, cell.alpha], "seed": 0, "sampler": CHAINS, "warm": 1, "tau": TAU}
                sampled_ablation.build(cell.file(".safetensors"), cell.file("_models.csv"), settings, *files)
                for kind, file in zip(by_chains, files, strict=True):
                    by_chains[kind].append(file)
        build_rows("mummaneni2026_sampled", by_chains, {"taus": TAUS}, self.folder)

    def table(self, figure, *blocks):
        return build_rows(f"mummaneni2026_{figure}", self.files(*blocks), {"tau": TAU}, self.folder)


def write(cell, statuses, ground_state_file):
    units = cell.alpha * cell.n_sites
    snapshots = {}
    if cell.run == "trace":
        snapshots = {
            iteration: [random_machine(cell.n_sites, units, seed, scale) for seed in range(len(statuses))]
            for iteration, scale in ((0, 0.01), (20, 0.4))
        }
    write_cell(cell, statuses, ENERGY[cell.n_sites], snapshots=snapshots)
    rbm_observables.build(
        cell.file(".safetensors"), cell.file("_models.csv"), ground_state_file(f"ring{cell.n_sites}", 0.0), TAU,
        cell.file("_states.csv"), cell.file("_units.parquet"), cell.file("_snapshots.csv"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory, ground_state_file):
    made = Study(tmp_path_factory.mktemp("study"))

    def cells(sizes, alphas, run):
        return [Cell(made.folder, n, alpha, mode, run) for n in sizes for alpha in alphas for mode in MODES]

    made.blocks = {
        "sweep": cells((4, 6, 8), (2, 3), "sweep"),
        "small": cells((4, 8), (2,), "trace"),
        "density": cells((6,), (1, 2), "trace"),
    }
    for name, members in made.blocks.items():
        for cell in members:
            write(cell, ["cap", "cap", "diverged"] if name == "sweep" else ["cap", "cap", "cap"], ground_state_file)
    made.analyse()
    return made


BLOCKS = {
    **{f"fig{number}": ("small",) for number in range(2, 9)}, **{f"fig{number}": ("sweep",) for number in (9, 10, 11)},
    "fig12": ("density", "sweep"), "figX1": ("sweep",), "figX2": ("small", "density"), "fig1": (),
    "figX3": ("sweep",),
}  # fmt: skip


@pytest.mark.parametrize("figure", figures_of("mummaneni2026"))
def test_every_table_has_rows_and_says_what_is_behind_them(study, figure):
    table = study.table(figure, *BLOCKS[figure])
    assert len(table)
    assert not table.columns.duplicated().any()
    if figure not in ("fig1", "figX1"):
        assert {"alpha", "n_models", "n_not_converged", "n_failed"} <= set(table.columns)
        assert (table[["n_models", "n_not_converged", "n_failed"]].notna()).all(axis=None)
        assert (table.n_models > 0).all()


def test_a_model_that_failed_is_counted_and_a_cell_without_converged_ones_shows_it(study):
    table = study.table("fig10", "sweep")
    points = table[table.series == "fraction"]
    assert (points[["n_models", "n_not_converged", "n_failed"]] == [2, 2, 1]).all(axis=None)
    fits = table[table.series == "fit"]
    assert (fits[["n_models", "n_points"]] == [6, 3]).all(axis=None)  # three sizes
    assert fits.alpha.isin([2, 3]).all()


def test_fig1_draws_the_published_rings(study):
    table = study.table("fig1")
    assert table[table.kind == "site"].groupby("cluster").size().to_dict() == {"ring4": 4, "ring8": 8}
    assert table[table.kind == "j1"].groupby("cluster").size().to_dict() == {"ring4": 4, "ring8": 8}
    assert set(table.kind) == {"site", "j1"}


def test_fig2_has_one_median_seed_per_cell(study):
    table = study.table("fig2", "small")
    median = table[table.series == "median seed"].groupby(["n_sites", "mode"]).repeat.unique()
    assert median.map(list).tolist() == [[1]] * 4  # errors grow with the repeat
    assert set(table[table.series == "seed"].repeat) == {0, 2}
    last = table[(table.iteration == 29) & (table.repeat == 0) & (table.n_sites == 8)].iloc[0]
    assert_allclose(last.energy_per_site, ENERGY[8] * (1 - np.exp(-2.9)) / 8)
    assert_allclose(last.exact_energy_per_site, ENERGY[8] / 8)


def test_curves_are_thinned_to_both_ends():
    curve = small_rings.thinned(pd.DataFrame({"iteration": np.arange(1501)}), 400)
    assert len(curve) == 400
    assert (curve.iteration.iloc[0], curve.iteration.iloc[-1]) == (0, 1500)
    assert len(small_rings.thinned(curve.iloc[:7], 400)) == 7


def test_fig3_averages_over_seeds(study):
    table = study.table("fig3", "small")
    assert set(table.iteration) == {0, 20}
    snapshots = pd.read_csv(study.blocks["small"][0].file("_snapshots.csv"))
    own = snapshots[(snapshots.iteration == 20) & (snapshots.sector == "all")]
    row = table[(table.n_sites == 4) & (table["mode"] == "paper") & (table.iteration == 20) & (table.r == 2)].iloc[0]
    assert_allclose([row.czz_mean, row.czz_sem], [own.czz_2.mean(), own.czz_2.std(ddof=1) / np.sqrt(3)])
    assert row.n_models == 3
    four, eight = (table[table.n_sites == n].r.max() for n in (4, 8))
    assert (four, eight) == (2, 4)  # no rows for distances that a small ring has not


def test_fig4_shows_the_weights_of_the_median_model(study):
    table = study.table("fig4", "small")
    cell = study.blocks["small"][0]
    units = pd.read_parquet(cell.file("_units.parquet"))
    largest = units.s_afm.abs().groupby(units.repeat).max()
    own = table[(table.n_sites == 4) & (table["mode"] == "paper")]
    shown = own[own.series == "representative"]
    repeat = shown.repeat.unique()
    assert_allclose(largest[repeat], largest.median())
    machine = random_machine(4, 8, int(repeat[0]))
    assert_allclose(shown.pivot(index="unit", columns="site", values="weight"), machine.weights)
    assert_allclose(np.sort(own[own.series == "distribution"].s_afm), np.sort(largest))


def test_random_units_have_the_known_maximum():
    expected = small_rings.random_maximum(4, 8)
    assert_allclose([expected["random_mean"], expected["random_low"]], [8 / 9, 0.025 ** (1 / 8)], rtol=1e-6)
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(4000, 16, 8))
    centred = weights - weights.mean(axis=-1, keepdims=True)
    score = np.abs(centred @ (-1.0) ** np.arange(8)) / np.sqrt(8 * (centred**2).sum(axis=-1))
    found, expected = score.max(axis=1), small_rings.random_maximum(8, 16)
    assert_allclose(found.mean(), expected["random_mean"], atol=4 * found.std() / np.sqrt(4000))
    assert_allclose(np.mean(found > expected["random_high"]), 0.025, atol=0.01)


def test_fig5_ranks_by_the_size_of_the_change(study):
    table = study.table("fig5", "small")
    shown = table[table.series == "representative"]
    for _, units in shown.groupby(["n_sites", "mode", "sector"]):
        change = units.sort_values("rank").delta_energy_fraction.abs().to_numpy()
        assert units["rank"].max() == len(units)
        assert (np.diff(change) <= 1e-12).all()
        assert units.repeat.unique().tolist() == [1]
    means = table[table.series == "mean_by_rank"]
    assert len(means) == 2 * 2 * (8 + 16)  # modes, sectors, ranks
    assert means.delta_energy_fraction_sem.notna().all()


def test_fig6_shows_extreme_units_beside_the_whole_and_the_exact_state(study):
    table = study.table("fig6", "small")
    ranks = table[table.series == "removed"].groupby("n_sites")["rank"].unique().map(sorted).to_dict()
    assert ranks == {4: [1, 2, 3, 7, 8], 8: [1, 2, 3, 15, 16]}
    assert set(table.series) == {"full", "exact", "removed"}
    exact = table[(table.series == "exact") & (table.n_sites == 4) & (table.r == 1)]
    assert_allclose(exact.czz, -2.0 / 12)  # singlet: three times the bond's Sz Sz is E0/N


def test_fig7_and_fig8_hold_every_unit(study):
    kept, impact = study.table("fig7", "small"), study.table("fig8", "small")
    assert len(impact) == 2 * 2 * (8 + 16)
    assert len(kept) == 2 * 2 * (8 * 3 + 16 * 5)
    for _, units in impact.groupby(["n_sites", "mode", "sector"]):
        rho = np.corrcoef(units.energy_impact, units.correlation_impact)[0, 1]
        assert_allclose(units.rho, rho)
    assert impact.rho_sd.notna().all()


def test_fig9_takes_the_density_that_recovers_best(study):
    table = study.table("fig9", "sweep")
    assert set(table.n_sites) == {8}  # of the published sizes
    states = small_rings.read(study.files("sweep")["states"])
    states = states[(states.n_sites == 8) & (states["mode"] == "paper") & (states.sector == "zero")]
    states = states[states.status == "cap"]
    kept = states.energy_important.fillna(states.energy_none)
    error = 100 * (kept / states.energy - 1).abs()
    median = error.groupby(states.alpha).median()
    own = table[(table["mode"] == "paper") & (table.sector == "zero")]
    assert own.alpha.unique().tolist() == [median.idxmin()]
    assert_allclose(own.recovery_low, error[states.alpha == median.idxmin()].min())
    assert own.groupby("series").r.max().to_dict() == dict.fromkeys(("full", "exact", "important", "unimportant"), 4)


def test_fig9_shows_a_group_without_units_as_the_state_without_hidden_units(study, tmp_path):
    files = study.files("sweep")
    states = small_rings.read(files["states"])
    important = map(str, states.filter(regex="^(energy|czz)_important"))
    states = states.assign(**dict.fromkeys(important, np.nan))
    states.to_csv(tmp_path / "states.csv", index=False)
    files |= {"states": [tmp_path / "states.csv"]}
    table = build_rows("mummaneni2026_fig9", files, {"tau": TAU}, tmp_path)
    keys = ["alpha", "mode", "sector", "repeat"]
    both = table[table.series == "important"].merge(states[states.n_sites == 8], on=keys, suffixes=("_shown", ""))
    assert len(both) == 2 * 2 * 5  # modes, sectors, distances
    assert_allclose(both.energy_shown, both.energy_none)
    assert_allclose(both.czz, [row[f"czz_none_{row['r']}"] for row in both.to_dict("records")])


def test_fig11_has_every_threshold(study):
    table = study.table("fig11", "sweep")
    assert sorted(table.tau.unique()) == TAUS
    assert len(table) == len(TAUS) * 2 * 2 * 2  # modes, sectors, densities
    means = pd.read_csv(study.folder / "fractions.csv")
    own = means[(means.tau == 0.3) & (means.alpha == 2) & (means.sector == "all") & (means["mode"] == "sound")]
    row = table[(table.tau == 0.3) & (table.alpha == 2) & (table.sector == "all") & (table["mode"] == "sound")]
    assert_allclose(row.fraction_mean, own[~own.with_r0].fraction_mean.mean())


def test_fig12_uses_the_nearest_ring_for_the_fractions(study):
    table = study.table("fig12", "density", "sweep")
    assert set(table[table.series == "n12"].n_sites) == {8}
    assert set(table[table.series == "convergence"].n_sites) == {6}
    final = table[table.series == "final"]
    assert set(final.sector) == {"zero", "all", "sampled"}
    assert len(final) == 3 * 2 * 2  # sectors, modes, densities
    assert (final.error_mean >= 0).all()
    assert_allclose(final[final.sector == "sampled"].error_mean, 0.002)


def test_figX1_has_every_model(study):
    table = study.table("figX1", "sweep")
    assert len(table) == 12 * 3
    assert set(table.status) == {"cap", "diverged"}
    assert set(table.tolerance) == {5e-4}  # of the invented models
    states = small_rings.read(study.files("sweep")["states"])
    outside = 1 - states[states.sector == "all"].sz_abs_0
    assert_allclose(np.sort(table.weight_outside), np.sort(outside), atol=1e-12)


def test_figX2_compares_exact_and_sampled_weights(study):
    table = study.table("figX2", "small", "density")
    sums = table.groupby(["n_sites", "alpha", "mode", "iteration"])[["exact_weight_mean", "sampled_weight_mean"]].sum()
    assert_allclose(sums, 1)
    assert set(table.iteration) == {0, 20}
    assert_allclose(table[table.m == 0].sampled_weight_mean, 1)  # invented so


def test_cells_whose_models_all_failed_are_skipped(study, tmp_path, ground_state_file):
    lost = Cell(tmp_path, 4, 2, "paper", "trace")
    write(lost, ["diverged", "frozen"], ground_state_file)
    kept = study.blocks["small"][2]  # eight sites
    files = {kind: [cell.file(ending) for cell in (lost, kept)] for kind, ending in PER_CELL.items()}
    for number in range(2, 9):
        table = build_rows(f"mummaneni2026_fig{number}", files, {"tau": TAU}, tmp_path)
        assert set(table.n_sites) == {8}


@pytest.fixture(scope="module")
def lost(tmp_path_factory, ground_state_file):
    """Cells all of whose models diverged, and the tables over them."""
    made = Study(tmp_path_factory.mktemp("lost"))
    blocks = {"sweep": ((4, 6), "sweep"), "small": ((4, 8), "trace"), "density": ((6,), "trace")}
    for name, (sizes, run) in blocks.items():
        made.blocks[name] = [Cell(made.folder, n, 2, mode, run) for n in sizes for mode in MODES]
        for cell in made.blocks[name]:
            write(cell, ["diverged", "diverged"], ground_state_file)
    made.analyse()
    return made


@pytest.mark.parametrize("figure", [name for name in figures_of("mummaneni2026") if name not in ("fig1", "figX1")])
def test_where_all_models_diverged_a_table_has_a_header_and_the_log_a_sentence(lost, figure, capsys):
    table = lost.table(figure, *BLOCKS[figure])
    assert table.empty
    assert len(table.columns) > 2
    said = capsys.readouterr().err
    assert re.search(r"all \d+ networks of ring.* ended diverged; lower vmc.learning_rate|fractions.csv: no rows", said)
    draw = figures_of("mummaneni2026")[figure]
    with pytest.raises(TableError, match="the table has no rows: no network behind it learnt anything"):
        draw(table, {}, "")


@pytest.mark.parametrize(
    ("name", "settings"), [("trained", {"small": {"sizes": [4, 8], "alpha": 2}}), ("ablated", {"tau": TAU})]
)
def test_tables_that_claims_are_judged_from_may_be_empty(lost, name, settings):
    blocks = ("small", "density") if name == "trained" else ("sweep",)
    tables = build_rows(f"mummaneni2026_{name}", lost.files(*blocks), settings, lost.folder)
    assert all(table.empty for table in tables.values())


SMALL = {"small": {"sizes": [4, 8], "alpha": 2}}


def test_trained_has_every_model_and_every_unit_of_the_small_rings(study):
    tables = build_rows("mummaneni2026_trained", study.files("small", "density"), SMALL, study.folder)
    courses, units = tables["courses"], tables["small_units"]
    assert len(courses) == (4 + 4) * 3  # cells of small rings and densities, models
    one = courses[(courses.n_sites == 8) & (courses["mode"] == "sound") & (courses.repeat == 1)].iloc[0]
    energy = ENERGY[8] * (0.99 - np.exp(-np.arange(30) / 10))  # as invented; fewer iterations than a window
    assert_allclose([one.late_energy, one.late_error], [energy.mean(), 1 - energy.mean() / ENERGY[8]])
    assert np.isnan(one.reached_1e2)  # its energy levels off 1 % above
    assert courses[courses.repeat == 0].reached_1e2.isna().all()  # exp(-2.9) is left at the end
    assert len(units) == 2 * 2 * (8 + 16) * 3  # modes, sectors, units, models
    cell = study.blocks["small"][0]
    machine = random_machine(4, 8, 2, 0.01)  # of the snapshot before training
    own = units[(units.n_sites == 4) & (units["mode"] == cell.mode) & (units.sector == "all") & (units.repeat == 2)]
    assert_allclose(own.s_afm_initial, rbm_observables.staggered_score(machine.weights))
    assert_allclose(own.aligned, trained.longest_run(random_machine(4, 8, 2).weights))


def test_longest_run_closes_around_the_ring():
    signs = np.array([[1, 1, 1, -1], [1, -1, 1, 1], [1, -1, 1, -1], [1, 1, 1, 1], [1, 1, -1, -1]])
    assert trained.longest_run(signs * 0.3).tolist() == [3, 3, 1, 4, 2]


def test_rises_are_counted_in_standard_errors():
    noise = np.random.default_rng(0).normal(size=1500)
    falling = np.exp(-np.arange(1500) / 200)
    assert trained.largest_rise(falling + 0.01 * noise) < 5
    assert trained.largest_rise(np.roll(falling, 700) + 0.01 * noise) > 20
    assert np.isnan(trained.largest_rise(falling[:99]))


def test_a_first_iteration_within_a_bound():
    curve = pd.DataFrame({"iteration": [0, 4, 8], "energy": [-1.0, -1.985, -1.999]})
    found = [trained._first_within(curve, -2.0, bound) for bound in (1e-2, 1e-3, 1e-4)]
    assert_allclose(found, [4, 8, np.nan])


def test_ablated_counts_what_units_and_groups_do(study):
    tables = build_rows("mummaneni2026_ablated", study.files("sweep"), {"tau": TAU}, study.folder)
    ablation, modes = tables["ablation"], tables["impact_modes"]
    assert len(ablation) == 12 * 2 * 2  # cells, models that did not fail, sectors
    assert len(modes) == 12 * 2 * 2  # cells, sectors, impacts
    cell = study.blocks["sweep"][-1]
    units = pd.read_parquet(cell.file("_units.parquet")).query("sector == 'zero' and repeat == 1")
    state = pd.read_csv(cell.file("_states.csv")).query("sector == 'zero' and repeat == 1").iloc[0]
    keys = {"n_sites": cell.n_sites, "alpha": cell.alpha, "mode": cell.mode, "sector": "zero", "repeat": 1}
    row = ablation[(ablation[list(keys)] == pd.Series(keys)).all(axis=1)].iloc[0]
    impact, whole = units.energy_impact, np.array([state[f"czz_{r}"] for r in range(1, 5)])
    assert_allclose(row.participation, impact.sum() ** 2 / (len(units) * (impact**2).sum()))
    alone = units[[f"czz_alone_{r}" for r in range(1, 5)]].to_numpy() @ whole / (whole @ whole)
    assert_allclose(row.best_alone, alone.max())
    chosen = (impact > TAU) | (units.correlation_impact > TAU)
    assert_allclose(row.penalised, (units.delta_energy[chosen] > 0).mean())
    assert_allclose(row.energy_gap, impact[chosen].mean() - impact[~chosen].mean())
    kept = np.array([state[f"czz_important_{r}"] for r in range(1, 5)])
    assert_allclose(row.likeness, np.corrcoef(kept, whole)[0, 1])
    assert_allclose(row.same_sign, np.mean(np.sign(kept) == np.sign(whole)))
    others = np.array([state[f"czz_unimportant_{r}"] for r in range(1, 5)])
    assert_allclose(row.others, others @ whole / (whole @ whole))


def test_printed_numbers_are_judged_from_the_tables_of_the_other_targets(study, tmp_path):
    reference = Path(__file__).parents[3] / "reference"
    build_rows("mummaneni2026_trained", study.files("small", "density"), SMALL, tmp_path)
    study.table("figX1", "sweep").to_csv(tmp_path / "figX1.csv", index=False)
    files = {"table": sorted(tmp_path.glob("*.csv")), "published": [reference / "mummaneni2026/published.yaml"],
             "claims": [reference / "claims.yaml"]}  # fmt: skip
    numbers = build_rows("mummaneni2026_tableX1", files, {"scale": "laptop"}, tmp_path)
    # Trained for 30 iterations: only what follows from exact energies is judged.
    judged = numbers[numbers.verdict != "not tested at this scale"]
    assert set(judged.claim) == {"energy_per_site_n4_n8"}
    assert "cannot be true" in set(judged.verdict)


def test_unknown_figures_and_missing_files_are_refused(study, tmp_path):
    job = Job({"tau": TAU}, {"models": [tmp_path / "x"]}, {"table": tmp_path / "x.csv"})
    with pytest.raises(InputError, match="fig13"):
        rows.build("mummaneni2026_fig13", job)
    with pytest.raises(InputError, match="traces"):
        rows.build("mummaneni2026_fig2", job)
