"""Each figure selects, draws and labels what its table holds."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from numpy.testing import assert_allclose
from overlap_tables import fig2_table, row, scan

from nqs import style
from nqs.figures.table import TableError
from nqs.figures.westerhout2020 import FIGURES
from nqs.published import read_curves

CURVES = Path(__file__).parents[1] / "reference" / "westerhout2020" / "curves.json"
LARGE = ("square24", "triangle24", "kagome24")
SMALL = ("square16", "triangle16", "kagome18")


@pytest.fixture(scope="module")
def published():
    return read_curves(CURVES)


@pytest.fixture(scope="module")
def geometry():
    """One square plaquette with its diagonals and a bond that leaves the panel."""
    sites = [("site", x, y, x, y) for x in (0.0, 1.0) for y in (0.0, 1.0)]
    bonds = [("j1", 0, 0, 1, 0), ("j1_stub", 0, 0, -0.35, 0), ("j2", 0, 0, 1, 1)]
    table = pd.DataFrame([*sites, *bonds], columns=["kind", "x0", "y0", "x1", "y1"])
    return table.assign(cluster="square4", lattice="square")


def fig5_table(cluster="kagome24"):
    return pd.DataFrame(scan(cluster, 0.6) + scan(cluster, 0.2, target="amplitude"))


def error_bars(ax):
    """What `errorbar` drew, in order."""
    return [container for container in ax.containers if isinstance(container, ErrorbarContainer)]


def hollow(ax):
    """Published points (x, y) of an axes by colour."""
    return {
        to_hex(line.get_color()).upper(): np.column_stack(line.get_data())
        for line in ax.lines
        if line.get_markerfacecolor() == "none"
    }


def drawn(ax):
    """Curves (x, y) of an axes by label."""
    return {
        container.get_label(): np.column_stack(container.lines[0].get_data(orig=False)) for container in error_bars(ax)
    }


def legend(fig):
    return [text.get_text() for text in fig.legends[0].get_texts()]


def small_print(fig):
    return fig.get_supxlabel().replace("\n", " ")


@pytest.mark.parametrize("name", FIGURES)
def test_draws_from_a_table_of_three_rows(name, published, geometry, tmp_path):
    if name == "fig1":
        fig = FIGURES[name](geometry.iloc[[0, 1, 4]], published)
    else:
        rows = [row("kagome24", j2, 0.9, target=t) for j2, t in zip((0, 0.5, 0.5), "ssa", strict=True)]
        fig = FIGURES[name](pd.DataFrame(rows), published)
    fig.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 5000


def test_fig2_draws_the_numbers_of_the_table(published):
    table = fig2_table(LARGE)
    fig = FIGURES["fig2"](table, published, "laptop scale")
    for ax, cluster in zip(fig.axes, LARGE, strict=True):
        for network in table[table.cluster == cluster].network.unique():
            rows = table[(table.cluster == cluster) & (table.network == network)]
            rows = rows[rows.series == "generalisation"]
            curve = drawn(ax)[style.series(network)["label"]]
            assert_allclose(curve, rows[["j2_over_j1", "overlap_rest_mean"]])


def test_fig2_error_bars_are_the_standard_errors(published):
    fig = FIGURES["fig2"](pd.DataFrame([row("square24", 0.5, 0.8, overlap_rest_sem=0.07)]), published)
    (bars,) = error_bars(fig.axes[0])[0].lines[2]
    assert_allclose(bars.get_segments()[0], [[0.5, 0.73], [0.5, 0.87]])


def test_fig2_shows_the_full_overlap_of_networks_trained_on_all_states(published):
    table = pd.DataFrame(
        [
            row("square24", 0.5, 0.8),
            row("square24", 0.5, 0.1, series="expressibility", overlap_full_mean=0.97),
        ]
    )
    fig = FIGURES["fig2"](table, published)
    assert_allclose(drawn(fig.axes[0])["2-layer dense, all states"], [[0.5, 0.97]])
    dashed = error_bars(fig.axes[0])[-1].lines[0]
    assert dashed.get_linestyle() == "--"
    assert dashed.get_color() == style.series("dense2")["color"]


def test_fig2_has_no_cnn_on_kagome(published):
    fig = FIGURES["fig2"](fig2_table(LARGE), published)
    assert ["convolutional" in drawn(ax) for ax in fig.axes] == [True, True, False]


def test_fig2_labels_and_limits(published):
    fig = FIGURES["fig2"](fig2_table(LARGE), published)
    assert fig.axes[0].get_ylabel() == "overlap on unseen states"
    for ax, right, letter in zip(fig.axes, (1, 1.6, 1), "abc", strict=True):
        assert ax.get_xlabel() == style.J2_OVER_J1
        assert ax.get_ylim() == (-0.05, 1.05)
        assert_allclose(ax.get_xlim(), (-0.03 * right, 1.03 * right))
        assert ax.get_title("left") == letter
        assert len(ax.patches) == 1
    assert legend(fig) == [
        "1-layer dense", "2-layer dense", "convolutional", "2-layer dense, all states",
        "published", "strongly frustrated",
    ]  # fmt: skip


def test_axes_widen_for_couplings_beyond_the_paper(published):
    fig = FIGURES["fig2"](pd.DataFrame([row("kagome24", 2.0, 0.3)]), published)
    assert fig.axes[0].get_xlim()[1] > 2.0


def test_fig2_overlays_published_curves_in_the_colour_of_the_network(published):
    fig = FIGURES["fig2"](fig2_table(LARGE), published)
    marks = hollow(fig.axes[2])
    assert set(marks) == {style.BLUE, style.VERMILLION}
    kagome = published[(published.panel == "c") & (published.network == "dense2")]
    assert_allclose(marks[style.VERMILLION], kagome[["x", "overlap"]])


def test_published_curves_of_networks_not_drawn_are_left_out(published):
    fig = FIGURES["fig2"](pd.DataFrame(scan("square24", 0.4)), published)
    assert set(hollow(fig.axes[0])) == {style.VERMILLION}


@pytest.mark.parametrize("name", ["fig2", "fig5"])
def test_other_clusters_get_no_published_curve_and_say_so(name, published):
    table = fig2_table(SMALL) if name == "fig2" else fig5_table("kagome18")
    fig = FIGURES[name](table, published, "smoke scale")
    assert not any(hollow(ax) for ax in fig.axes)
    assert "published" not in legend(fig)
    assert re.search(r"Published values are for .*kagome24, none for .*kagome18", small_print(fig))


def test_fig2_gains_a_lower_row_for_the_variational_state(published):
    fig = FIGURES["fig2"](fig2_table(LARGE, variational=True), published)
    assert len(fig.axes) == 6
    assert [ax.get_title("left") for ax in fig.axes] == list("abcdef")
    assert [len(hollow(ax)) for ax in fig.axes[3:]] == [1, 0, 1]
    assert all(list(drawn(ax)) == ["2-layer dense"] for ax in fig.axes[3:])


@pytest.mark.parametrize("name", ["fig2", "fig5"])
def test_missing_values_are_skipped_and_counted(name, published):
    table = fig2_table(LARGE) if name == "fig2" else fig5_table()
    gap = table.index[(table.network == "dense2") & (table.cluster == "kagome24")][4]
    table.loc[gap, "overlap_rest_mean"] = np.nan
    fig = FIGURES[name](table, published)
    label = "2-layer dense" if name == "fig2" else "signs"
    curve = drawn(fig.axes[-1])[label]
    assert len(curve) == 10
    assert np.isfinite(curve).all()
    assert "1 point without a value" in small_print(fig)


def test_a_table_without_values_still_makes_axes(published):
    table = fig5_table().assign(overlap_rest_mean=np.nan)
    fig = FIGURES["fig5"](table, published)
    assert drawn(fig.axes[0]) == {}
    assert "22 points without a value" in small_print(fig)


def test_small_print_states_what_was_drawn(published):
    text = small_print(FIGURES["fig2"](fig2_table(LARGE), published, "laptop scale"))
    facts = (
        "Laptop scale.", "square24, triangle24, kagome24", "4, 1 (expressibility)", "0.01",
        "standard error", "neither the training nor the validation set",
    )  # fmt: skip
    assert all(fact in text for fact in facts)


@pytest.mark.parametrize("name", ["fig2", "fig5"])
@pytest.mark.parametrize("clusters", [LARGE, SMALL])
def test_no_line_of_the_small_print_breaks_inside_a_formula(name, clusters, published):
    table = fig2_table(clusters) if name == "fig2" else fig5_table(clusters[-1])
    fig = FIGURES[name](table, published, "laptop scale")
    assert all(line.count("$") % 2 == 0 for line in fig.get_supxlabel().split("\n"))


@pytest.mark.parametrize("name", ["fig2", "fig5"])
def test_nothing_is_clipped(name, published):
    table = fig2_table(LARGE, variational=True) if name == "fig2" else fig5_table()
    fig = FIGURES[name](table, published, "laptop scale")
    FigureCanvasAgg(fig).draw()
    words = [text for text in fig.texts if text.get_text()]
    assert len(words) == 1
    for artist in (*fig.axes, *fig.legends, *words):
        box = artist.get_tightbbox()
        assert box is not None
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= fig.bbox.x1
        assert box.y1 <= fig.bbox.y1


def test_fig5_draws_signs_and_amplitudes(published):
    fig = FIGURES["fig5"](fig5_table(), published, "laptop scale")
    (ax,) = fig.axes
    assert list(drawn(ax)) == ["signs", "amplitudes"]
    assert {colour: len(marks) for colour, marks in hollow(ax).items()} == {
        style.series("sign")["color"]: 20,
        style.series("amplitude")["color"]: 11,
    }
    assert fig.get_figwidth() == 3.4
    assert "kagome24" in ax.get_title()


def test_fig1_draws_solid_and_dashed_bonds_and_every_site(geometry):
    fig = FIGURES["fig1"](geometry, note="laptop scale")
    (ax,) = fig.axes
    bonds = [lines for lines in ax.collections if isinstance(lines, LineCollection)]
    assert [len(lines.get_segments()) for lines in bonds] == [1, 1, 1, 0]  # J1, stub, J2, stub
    dashes = [lines.get_linestyle()[0][1] for lines in bonds]  # type: ignore[index]
    assert [pattern is not None for pattern in dashes] == [False, False, True, True]
    assert ax.lines[0].get_xydata().shape == (4, 2)  # type: ignore[union-attr]
    assert ax.get_aspect() == 1
    assert legend(fig) == ["$J_1$", "$J_2$"]


def test_fig1_shows_all_of_a_cluster(geometry):
    fig = FIGURES["fig1"](geometry)
    (left, right), (bottom, top) = fig.axes[0].get_xlim(), fig.axes[0].get_ylim()
    assert left < -0.35
    assert right > 1
    assert bottom < 0
    assert top > 1


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda table: table.drop(columns="overlap_rest_sem"), "lacks columns overlap_rest_sem"),
        (lambda table: table.iloc[:0], "no rows"),
        (lambda table: table.assign(series="guess"), "unknown series"),
        (lambda table: table.assign(cluster=[*["kagome24"] * 21, "kagome18"]), "cluster must have"),
    ],
)
def test_a_table_that_cannot_be_drawn_is_an_error(spoil, message, published):
    with pytest.raises(TableError, match=message):
        FIGURES["fig5"](spoil(fig5_table()), published)
