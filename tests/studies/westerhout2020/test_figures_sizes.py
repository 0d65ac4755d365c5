"""Figures against the size of the training set select, draw and label what their tables hold."""

from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose
from support.drawn_marks import bar_ends, check_layout, drawn, error_bars, hollow, legend, small_print
from support.overlap_tables import size_scan
from support.studies import figures_of

from nqs.figures import style
from nqs.figures.table import TableError
from nqs.studies.westerhout2020.curves import read_curves
from nqs.studies.westerhout2020.figures.panels import extent, scientific

FIGURES = figures_of("westerhout2020")

CURVES = Path(__file__).parents[3] / "reference" / "westerhout2020" / "curves.json"
SIZES = np.geomspace(1e-4, 1e-2, 7)
J2 = {"s": (0, 0.4, 0.55, 1.0), "t": (0, 0.6, 1.0, 1.2, 1.3, 1.6), "k": (0.4, 0.5, 0.6, 1.0)}
CLUSTERS = {
    "fig3": ("kagome24",), "figS1": ("square24", "triangle24"), "figS3": ("kagome24",),
    "figS5": ("square30", "triangle30", "kagome30"), "figS7": ("square32", "square36"),
}  # fmt: skip


@pytest.fixture(scope="module")
def published():
    return read_curves(CURVES)


def scans(name, sizes=SIZES):
    """Onsets that grow with J2/J1; three overlaps that differ."""
    target = "amplitude" if name == "figS3" else "sign"
    rows = []
    for cluster in CLUSTERS[name]:
        for rank, j2 in enumerate(J2[cluster[0]]):
            rows += size_scan(cluster, j2, sizes[1] * 1.6**rank, sizes, target=target)
    table = pd.DataFrame(rows)
    return table.assign(overlap_rest_mean=table.overlap_rest_mean / 2, overlap_full_mean=table.overlap_full_mean / 3)


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_row_is_a_point_of_the_overlap_the_figure_names(name, published):
    table = scans(name)
    fig = FIGURES[name](table, published, "laptop scale")
    shown = "overlap_full_mean" if name == "figS3" else "overlap_sampled_mean"
    for ax, cluster in zip(fig.axes, CLUSTERS[name], strict=True):
        assert cluster in ax.get_title()
        assert ax.get_xscale() == "log"
        curves = drawn(ax)
        assert list(curves) == [f"{j2:g}" for j2 in J2[cluster[0]]]
        for j2 in J2[cluster[0]]:
            rows = table[(table.cluster == cluster) & (table.j2_over_j1 == j2)]
            assert_allclose(curves[f"{j2:g}"], rows[["epsilon_train", shown]])
    assert fig.get_figwidth() == (style.SINGLE_COLUMN if len(CLUSTERS[name]) == 1 else style.DOUBLE_COLUMN)
    words = "amplitudes" if name == "figS3" else "signs"
    assert fig.axes[0].get_ylabel() == f"overlap of {words}"
    assert f"Overlap of {words}" in small_print(fig)


def test_error_bars_are_standard_errors_over_repeats(published):
    fig = FIGURES["fig3"](scans("fig3").assign(overlap_sampled_sem=0.07), published)
    assert len(error_bars(fig.axes[0])) == len(J2["k"])
    for container in error_bars(fig.axes[0]):
        middle = drawn(fig.axes[0])[str(container.get_label())][:, 1]
        assert_allclose(bar_ends(container), np.column_stack([middle - 0.07, middle + 0.07]))


def test_the_upper_axis_counts_training_states(published):
    fig = FIGURES["figS7"](scans("figS7"), published)
    FigureCanvasAgg(fig).draw()
    for ax, n_sites in zip(fig.axes, (32, 36), strict=True):
        (above,) = ax.child_axes
        states = comb(n_sites, n_sites // 2)
        assert_allclose(above.get_xlim(), np.array(ax.get_xlim()) * states)
        assert "training states" in above.get_xlabel()


def test_couplings_have_their_own_colour_and_marker_and_frustrated_ones_a_solid_line(published):
    fig = FIGURES["figS1"](scans("figS1"), published)
    strong = {"square": {"0.4", "0.55"}, "triangular": {"1.3", "1.6"}}
    for ax in fig.axes:
        lines = {str(bars.get_label()): bars.lines[0] for bars in error_bars(ax)}
        solid = {label for label, line in lines.items() if line.get_linestyle() == "-"}
        assert solid == strong[ax.get_title().split(" (")[0]]
        assert len({line.get_marker() for line in lines.values()}) == len(lines)
        assert len({to_hex(line.get_color()) for line in lines.values()}) == len(lines)
        key = ax.get_legend()
        assert key is not None
        assert [text.get_text() for text in key.get_texts()] == list(lines)
        assert [to_hex(mark.get_color()) for mark in key.get_lines()] == [to_hex(x.get_color()) for x in lines.values()]
    assert legend(fig) == ["strongly frustrated", "other couplings", "overlap 0.15"]


def test_clusters_of_one_lattice_share_the_colours_of_couplings(published):
    table = scans("figS7")
    table = table[(table.cluster == "square32") | (table.j2_over_j1 > 0.5)]
    colours = [
        {str(bars.get_label()): bars.lines[0].get_color() for bars in error_bars(ax)}
        for ax in FIGURES["figS7"](table, published).axes
    ]
    assert colours[1].items() <= colours[0].items()
    assert len(colours[1]) == 2


def test_published_points_have_the_colour_of_their_coupling(published):
    fig = FIGURES["fig3"](scans("fig3"), published)
    colours = {str(bars.get_label()): to_hex(bars.lines[0].get_color()).upper() for bars in error_bars(fig.axes[0])}
    marks = hollow(fig.axes[0])
    points = published[published.figure == "fig3"]
    assert {colours[f"{j2:g}"]: len(rows) for j2, rows in points.groupby("j2_over_j1")} == {
        colour: len(values) for colour, values in marks.items()
    }
    assert_allclose(marks[colours["0.6"]], points[points.j2_over_j1 == 0.6][["x", "overlap"]])
    assert legend(fig)[-1] == "published"
    assert "Hollow: published, read off" in small_print(fig)


def test_the_target_decides_the_overlap_the_words_and_the_published_points(published):
    table = scans("fig3").assign(target="amplitude")
    fig = FIGURES["fig3"](table, published)
    rows = table[table.j2_over_j1 == 0.4]
    assert_allclose(drawn(fig.axes[0])["0.4"], rows[["epsilon_train", "overlap_full_mean"]])
    assert not hollow(fig.axes[0])
    assert fig.axes[0].get_ylabel() == "overlap of amplitudes"
    assert "Overlap of amplitudes" in small_print(fig)
    assert "No published values are digitised" in small_print(fig)
    assert "overlap 0.15" not in legend(fig)


def test_a_scan_of_signs_shows_signs_in_any_figure(published):
    points = published[published.figure == "fig3"].assign(figure="figS3")
    table = scans("figS3").assign(target="sign")
    fig = FIGURES["figS3"](table, points)
    rows = table[table.j2_over_j1 == 0.4]
    assert_allclose(drawn(fig.axes[0])["0.4"], rows[["epsilon_train", "overlap_sampled_mean"]])
    assert len(hollow(fig.axes[0])) == points.j2_over_j1.nunique()
    assert "Overlap of signs" in small_print(fig)
    assert "overlap 0.15" in legend(fig)


def test_published_points_of_couplings_or_clusters_not_drawn_are_left_out(published):
    table = scans("fig3")
    fig = FIGURES["fig3"](table[table.j2_over_j1 < 0.55], published)
    assert [len(points) for points in hollow(fig.axes[0]).values()] == [14]
    other = FIGURES["fig3"](table.assign(cluster="kagome18", n_sites=18), published)
    assert not hollow(other.axes[0])
    assert "Published values are for kagome24, none for kagome18" in small_print(other)


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_threshold_is_a_dotted_line_below_signs_only(name, published):
    fig = FIGURES[name](scans(name), published)
    levels = [line for ax in fig.axes for line in ax.lines if line.get_linestyle() == ":"]
    assert len(levels) == (0 if name == "figS3" else len(fig.axes))
    assert all(np.unique(np.asarray(line.get_ydata(), dtype=float)).tolist() == [0.15] for line in levels)


def test_small_print_gives_sizes_repeats_and_statistical_errors(published):
    table = scans("figS1")
    far = table.cluster == "triangle24"
    table.loc[far, "epsilon_train"] *= 2
    table.loc[far, ["estimated", "overlap_full_se_mean"]] = [True, 0.0021]
    table.loc[table.index[:3], "overlap_sampled_mean"] = np.nan
    text = small_print(FIGURES["figS1"](table.assign(n_members=10), published, "laptop scale"))
    for fact in (
        "Laptop scale.", "Clusters: square24, triangle24.", "Repeats per point: 10.", "standard error over repeats.",
        "$10^{-4}$\N{EN DASH}$10^{-2}$ (square24)",
        r"$2\times10^{-4}$", "one network: triangle24 0.0021.", "3 points without a value",
        "No published values are digitised.",
    ):  # fmt: skip
        assert fact in text, fact


def test_titles_are_level_whatever_the_labels_of_the_ticks(published):
    table = scans("figS1", np.geomspace(1e-3, 1e-2, 5))
    wide = table.cluster == "square24"
    table.loc[wide, "epsilon_train"] = table[wide].epsilon_train ** 2
    fig = FIGURES["figS1"](table, published)
    FigureCanvasAgg(fig).draw()
    one, other = (ax.title.get_window_extent().y0 for ax in fig.axes)
    assert one == pytest.approx(other)


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("fig3", (1e-4, 1e-2)), ("fig3", (1e-2, 6e-2)), ("figS1", (1e-5, 1e-2)), ("figS3", (0.01, 0.01)),
        ("figS5", (1e-6, 1e-3)), ("figS5", (1e-5, 1e-4)), ("figS7", (1e-7, 5e-6)),
    ],
)  # fmt: skip
def test_nothing_is_clipped_or_covered(name, ends, published):
    table = scans(name, np.geomspace(ends[0], ends[1], 5))
    check_layout(FIGURES[name](table.assign(estimated=table.n_sites > 24), published, "laptop scale"))


def test_a_table_without_values_still_makes_axes(published):
    fig = FIGURES["fig3"](scans("fig3").assign(overlap_sampled_mean=np.nan), published)
    assert drawn(fig.axes[0]) == {}
    assert "28 points without a value" in small_print(fig)
    check_layout(fig)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda table: table.drop(columns="n_train"), "lacks columns n_train"),
        (lambda table: table.iloc[:0], "no rows"),
        (lambda table: table.assign(series="variational"), "unknown series"),
        (lambda table: table.assign(target=["amplitude", *table.target[1:]]), "target must have"),
    ],
)
def test_a_scan_that_cannot_be_drawn_is_an_error(spoil, message, published):
    with pytest.raises(TableError, match=message):
        FIGURES["fig3"](spoil(scans("fig3")), published)


def test_small_numbers_are_written_with_powers_of_ten():
    assert [scientific(x) for x in (0, 0.01, 1e-4, 3.2e-6)] == ["0", "0.01", "$10^{-4}$", r"$3.2\times10^{-6}$"]
    assert extent(pd.Series([1e-5, 1e-2])) == "$10^{-5}$\N{EN DASH}$10^{-2}$"
    assert extent(pd.Series([0.01, 0.01])) == "0.01"
