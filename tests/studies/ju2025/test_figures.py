"""Figures 1 to 3 of the convolutional networks select, draw and label what their tables hold."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import ErrorbarContainer
from matplotlib.text import Annotation
from numpy.testing import assert_allclose
from support.cnn_cells import invented_runs, optima, train
from support.studies import figures_of

from nqs.analysis.facts import read_facts
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.figures import style
from nqs.figures.rings import at
from nqs.figures.table import TableError
from nqs.studies.ju2025.figures.motifs import fig1
from nqs.studies.ju2025.figures.networks import networks
from nqs.studies.ju2025.figures.symmetry import fig2
from nqs.studies.ju2025.figures.training import fig3
from nqs.studies.ju2025.tables.training import TABLES

PUBLISHED = read_facts(Path(__file__).parents[3] / "reference" / "ju2025" / "published.yaml")
DRAWN = {"fig1": fig1, "fig2": fig2, "fig3": fig3}
NAMES = ("original", "init", "traj", "deep2x2", "deep3x4")


@pytest.fixture(scope="session")
def tables(tmp_path_factory, ground_state_file):
    """The table of each figure, as read back from its file."""
    folder = tmp_path_factory.mktemp("figures")
    grid = [(0.03, 1), (0.01, 10)]
    stems = [
        train(folder, ShallowCnn(8, 4, forcing), grid, [0, 1], kept=(0, 5, 40)) for forcing in ("original", "traj")
    ]
    endings = {"runs": "_runs.csv", "traces": "_trace.parquet", "weights": ".safetensors"}
    files = {kind: [stem.with_name(stem.name + ending) for stem in stems] for kind, ending in endings.items()}
    files["ground_states"] = [ground_state_file("ring8", 0)]
    wanted = [(n_sites, width, name, "final") for n_sites in (60, 240) for width in (3, 6) for name in NAMES]
    sweep = {
        "runs": invented_runs(folder, [*wanted, (60, 6, "traj", "single"), (60, 3, "init", "search")]),
        "optima": [optima(folder, 60, 6, {"cps": [0.366], "cnn": [0.384]})],
    }
    settings = {"networks": ["original"], "widths": [4], "shown": [0, 5, 40]}
    found = {}
    for name, build in TABLES.items():
        build(sweep if name == "fig3" else files, settings).to_csv(folder / f"{name}.csv", index=False)
        found[name] = pd.read_csv(folder / f"{name}.csv")
    return found


@pytest.fixture(scope="session")
def figures(tables):
    return {name: draw(tables[name], PUBLISHED, "laptop scale") for name, draw in DRAWN.items()}


def curves(ax):
    """Lines (x, y) of an axes by label, the last of a label."""
    return {line.get_label(): np.column_stack(line.get_data(orig=False)).astype(float) for line in ax.lines}


def hollow(ax):
    lines = [line for line in ax.lines if line.get_markerfacecolor() == "none"]
    return [tuple(float(x) for x in point) for line in lines for point in np.column_stack(line.get_data(orig=False))]


def panel(fig, letter):
    return next(ax for ax in fig.axes if ax.get_title("left") == letter)


def small_print(fig):
    return fig.get_supxlabel().replace("\n", " ")


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_fits_its_page_and_opens_with_the_scale(figures, name):
    fig = figures[name]
    FigureCanvasAgg(fig).draw()
    assert fig.get_figwidth() == style.DOUBLE_COLUMN
    for artist in (*fig.axes, *fig.legends, *(text for text in fig.texts if text.get_text())):
        box = artist.get_tightbbox()
        assert box is not None
        assert 0 <= box.x0 <= box.x1 <= fig.bbox.x1
        assert 0 <= box.y0 <= box.y1 <= fig.bbox.y1
    lettered = [letter for ax in fig.axes if (letter := ax.get_title("left"))]
    assert lettered == [chr(ord("a") + index) for index in range(len(lettered))]
    assert small_print(fig).startswith("Laptop scale.")
    assert all(line.count("$") % 2 == 0 for line in fig.get_supxlabel().split("\n"))


@pytest.mark.parametrize("name", DRAWN)
def test_a_table_that_is_not_the_figures_is_refused(tables, name):
    with pytest.raises(TableError, match="lacks columns"):
        DRAWN[name](tables[name].drop(columns="n_sites"), PUBLISHED)
    with pytest.raises(TableError, match="no rows"):
        DRAWN[name](tables[name].iloc[:0], PUBLISHED)


def test_fig1_draws_every_state_with_its_fidelity(figures, tables):
    learned, exact = panel(figures["fig1"], "b"), at(tables["fig1"], series="exact").sort_values("position")
    drawn = curves(learned)
    assert_allclose(drawn["exact"], exact[["position", "log_psi"]])
    for iteration in (0, 5, 40):
        rows = at(tables["fig1"], series="learned", iteration=iteration).sort_values("position")
        label = rf"iteration {iteration}, $F={rows.fidelity.iloc[0]:.4f}$"
        assert_allclose(drawn[label], rows[["position", "log_psi"]])
    assert [text.get_text() for text in learned.texts] == ["8", "16", "16", "16", "8", "4", "2"]


def test_fig1_has_a_row_for_each_motif_and_a_line_between_classes(figures, tables):
    counts = panel(figures["fig1"], "c")
    assert counts.images[0].get_array().shape == (16, 70)
    assert counts.images[0].get_array().sum() == 70 * 8
    assert {label.get_text() for label in counts.get_yticklabels()} >= {"↑↓↑↓", "↓↓↓↓"}
    upright = [line.get_xdata()[0] for line in counts.lines if line.get_xdata()[0] == line.get_xdata()[1]]
    assert upright == [7.5, 23.5, 39.5, 55.5, 63.5, 67.5]


def test_fig2_draws_every_run_and_marks_the_constant_ones(figures, tables):
    fig, free = figures["fig2"], at(tables["fig2"], network="original")
    upper, lower = panel(fig, "a"), panel(fig, "c")
    last = at(free, series="snapshot", iteration=40)
    runs = [line for line in upper.lines if len(line.get_xdata()) == 3]
    marked = [line for line in runs if line.get_marker() == "x"]
    assert len(runs) == len(last) == 4
    assert len(marked) == last.constant.sum() > 0
    expected = {
        tuple(rows.sort_values("iteration").relative_difference)
        for _, rows in at(free, series="snapshot").groupby("run")
    }
    assert {tuple(line.get_ydata()) for line in runs} == expected
    assert hollow(lower) == [(0.0, 1.0), (40.0, 0.001)]
    assert hollow(panel(fig, "d")) == []
    assert "all below" in panel(fig, "d").texts[0].get_text()
    assert f"{last.constant.sum()} of 4 (original), 0 of 4 (SymForce-Traj)" in small_print(fig)
    assert "↑↑↑↓↓↑↓↓" in small_print(fig)


def bars_of(ax):
    return {one.get_label(): one for one in ax.containers if isinstance(one, ErrorbarContainer)}


def heights(lines, label):
    """Heights of all marks with a label."""
    found = [np.asarray(line.get_ydata(), dtype=float) for line in lines if line.get_label() == label]
    all_of_them = np.concatenate([np.empty(0), *found])
    return np.sort(all_of_them[np.isfinite(all_of_them)])


def titled(fig, title):
    return [ax for ax in fig.axes if ax.get_title() == title]


def test_fig3_draws_means_with_errors_seeds_and_exact_optima(figures, tables):
    table, energies = at(tables["fig3"], n_sites=60), titled(figures["fig3"], "$N=60$")[0]
    bars = bars_of(energies)
    assert list(bars) == [
        "original",
        "SymForce-Init",
        "SymForce-Traj",
        "deep 2 layers, 2 filters",
        "deep 3 layers, 4 filters",
    ]
    for name, label in zip(NAMES, bars, strict=True):
        means = at(table, series="mean", network=name).sort_values("n_parameters")
        assert_allclose(np.asarray(bars[label].lines[0].get_ydata(orig=False), dtype=float), means.delta_energy_mean)
        ends = np.array([segment[:, 1] for segment in bars[label].lines[2][0].get_segments()])
        assert_allclose(ends[:, 1] - ends[:, 0], 2 * means.delta_energy_sem)
        assert_allclose(
            np.asarray(bars[label].lines[0].get_xdata(orig=False), dtype=float), means.n_parameters, rtol=0.2
        )
    shallow = at(table, series="run")[at(table, series="run").network.isin(["original", "init", "traj"])]
    assert_allclose(heights(energies.lines, "_stuck"), np.sort(shallow.delta_energy[shallow.stuck == 1]))
    assert_allclose(heights(energies.lines, "_seeds"), np.sort(shallow.delta_energy[shallow.stuck == 0]))
    levels = {float(line.get_ydata()[0]) for line in energies.lines if line.get_label() == "_optimum"}
    assert_allclose(sorted(levels), [0.366, 0.384])
    texts = [text.get_text() for text in energies.texts]
    assert texts.count("1/3") == 2
    ground = table.ground_energy.iloc[0]
    assert_allclose(sorted(y for _, y in hollow(energies)), [0.0227 * -ground])


def test_fig3_shows_energies_without_stuck_runs(figures, tables):
    means = at(tables["fig3"], n_sites=60, series="mean", network="original").sort_values("width")
    energies = titled(figures["fig3"], "$N=60$")[0]
    assert_allclose(heights(energies.lines, "_moving"), np.sort(means.delta_energy_moving))


def test_fig3_has_the_gap_as_second_unit(figures, tables):
    energies = titled(figures["fig3"], "$N=240$")[0]
    first = at(tables["fig3"], n_sites=240).iloc[0]
    (right,) = energies.child_axes
    figures["fig3"].draw_without_rendering()
    assert_allclose(
        np.array(energies.get_ylim()) / (first.triplet_energy - first.ground_energy), right.get_ylim(), rtol=1e-9
    )
    assert "E_1-E_0" in right.get_ylabel()


@pytest.mark.parametrize("window", [5, 10])
def test_fig3_shows_both_windows_and_their_noise_against_the_tolerance(figures, tables, window):
    means = at(tables["fig3"], n_sites=60, series="mean", network="traj").sort_values("width")
    (times,) = titled(figures["fig3"], f"$N=60$, window {window}")
    points = bars_of(times)["SymForce-Traj"].lines[0].get_ydata(orig=False)
    assert_allclose(np.asarray(points, dtype=float), means[f"t_cv_{window}_mean"])
    noise = panel(figures["fig3"], {5: "i", 10: "j"}[window])
    assert_allclose(curves(noise)["SymForce-Traj"][:, 1], means[f"noise_{window}_mean"])
    assert any(line.get_ydata()[0] == 1e-4 for line in noise.lines if len(line.get_ydata()))


def test_fig3_has_a_row_of_their_own_for_deep_networks(figures, tables):
    shallow, deep = panel(figures["fig3"], "a"), panel(figures["fig3"], "e")
    assert list(bars_of(shallow)) == ["original", "SymForce-Init", "SymForce-Traj"]
    assert list(bars_of(deep)) == ["deep 2 layers, 2 filters", "deep 3 layers, 4 filters"]
    runs = at(tables["fig3"], n_sites=60, series="run")
    drawn = np.concatenate([heights(ax.lines, label) for ax in (shallow, deep) for label in ("_seeds", "_stuck")])
    assert_allclose(np.sort(drawn), np.sort(runs.t_cv_5))


def test_fig3_marks_where_runs_end_that_never_met_the_rule(figures, tables):
    shallow = panel(figures["fig3"], "a")
    assert "rule never met" in [text.get_text() for text in shallow.texts]
    assert heights(shallow.lines, "_last iteration")[0] == tables["fig3"].iterations.max()
    assert "such a run are lower bounds" in small_print(figures["fig3"])


def test_fig3_shows_what_forcing_saves_with_and_without_stuck_runs(figures, tables):
    pooled = at(tables["fig3"], series="reduction", window=5)
    pooled = pooled[pooled.n_sites.isna()].set_index("network")
    (savings,) = titled(figures["fig3"], "all rings and $K$, window 5")
    bars = bars_of(savings)
    for network in ("init", "traj"):
        for words, column in (("all seeds", "reduction"), ("without stuck ones", "reduction_moving")):
            bar = bars[f"_{network}, {words}"]
            value, error = 100 * pooled[[column, f"{column}_sem"]].loc[network].to_numpy(dtype=float)
            assert_allclose(np.asarray(bar.lines[0].get_xdata(), dtype=float), value)
            (ends,) = (segment[:, 0] for segment in bar.lines[2][0].get_segments())
            assert_allclose(ends[1] - ends[0], 2 * error)
    (published,) = savings.patches
    assert (published.get_x(), published.get_width()) == pytest.approx((33, 17), abs=1)
    words = small_print(figures["fig3"])
    assert "published, about $33$ to $50" in words
    assert "lowest mean energy over the seeds of a search" in words


def test_unknown_networks_are_refused():
    with pytest.raises(TableError, match="unknown network"):
        networks(pd.DataFrame({"network": ["original", "transformer"]}))
    assert networks(pd.DataFrame({"network": ["deep3x2", "deep2x8", "traj", "deep2x4", np.nan]})) == [
        "traj", "deep2x4", "deep2x8", "deep3x2",
    ]  # fmt: skip


def test_all_eight_figures_are_there():
    assert tuple(figures_of("ju2025")) == ("fig1", "fig2", "fig3", "figS1", "figS2", "figX1", "figX2", "figX3")


def test_fig3_names_the_last_iteration_of_each_family_and_panels_without_runs():
    drawn = fig3(pd.read_csv(Path(__file__).parents[3] / "archive/paper/ju2025/fig3.csv"), PUBLISHED)
    named = [(ax, one) for ax in drawn.axes for one in ax.texts if one.get_text() == "rule never met"]
    assert len(named) == 2
    for ax, one in named:
        low, high = ax.get_ylim()
        assert isinstance(one, Annotation)
        assert low < one.xy[1] < high
    without = [ax for ax in drawn.axes if any(text.get_text() == "not computed" for text in ax.texts)]
    assert len(without) == 2
