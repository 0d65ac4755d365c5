"""Fig. 1 and the figures against J2/J1 select, draw and label what their tables hold."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from numpy.testing import assert_allclose
from support.drawn_marks import bar_ends, check_layout, drawn, error_bars, hollow, legend, small_print
from support.overlap_tables import fig2_table, row, scan
from support.studies import figures_of

from nqs.figures import style
from nqs.figures.table import TableError
from nqs.studies.westerhout2020.curves import read_curves

FIGURES = figures_of("westerhout2020")

CURVES = Path(__file__).parents[3] / "reference" / "westerhout2020" / "curves.json"
LARGE = ("square24", "triangle24", "kagome24")
SMALL = ("square16", "triangle16", "kagome18")
LARGER = ("square30", "triangle30", "kagome30")
SCANS = ("fig3", "figS1", "figS3", "figS5", "figS7")


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


def fig5_table(*clusters):
    parts = ((name, *part) for name in clusters or ("kagome24",) for part in ((0.6, "sign"), (0.2, "amplitude")))
    return pd.DataFrame([point for name, depth, target in parts for point in scan(name, depth, target=target)])


def test_the_study_is_complete():
    assert set(FIGURES) == {*(f"fig{n}" for n in range(1, 6)), *(f"figS{n}" for n in range(1, 8)), "figX1", "figX2"}


# Axes of the figures of overlaps: label below, label beside, ends of the scale of overlaps.
COUPLINGS = (style.J2_OVER_J1, "overlap on unseen states")
SIZES = (r"training-set size $\epsilon_\mathrm{train}$", "overlap of signs")


def overlaps_of(name):
    """Three rows whose kinds of overlap differ; against J2/J1, the last is of amplitudes."""
    amplitude = "sign" if name in SCANS else "amplitude"
    cells = [(0.0, "sign", 0.9), (0.4, "sign", 0.5), (0.4, amplitude, 0.7)]
    rows = [
        row("kagome24", j2, height, target=target, epsilon_train=size, overlap_rest_sem=0.03, overlap_sampled_sem=0.03)
        for (j2, target, height), size in zip(cells, (0.01, 0.01, 0.02), strict=True)
    ]
    table = pd.DataFrame(rows)
    other = "overlap_rest_mean" if name in SCANS else "overlap_sampled_mean"
    return table.assign(overlap_full_mean=table.overlap_full_mean / 2, **{other: table[other] / 3})


@pytest.mark.parametrize("name", sorted(set(FIGURES) - {"fig1", "fig4", "figX1", "figX2"}))
def test_three_rows_are_three_points_with_error_bars_on_labelled_axes(name, published):
    table = overlaps_of(name)
    fig = FIGURES[name](table, published)
    ax = fig.axes[0]
    x, y = ("epsilon_train", "overlap_sampled_mean") if name in SCANS else ("j2_over_j1", "overlap_rest_mean")
    points = np.concatenate(list(drawn(ax).values()))
    assert_allclose(sorted(map(tuple, points)), sorted(map(tuple, table[[x, y]].to_numpy())))
    ends = np.concatenate([bar_ends(bars) for bars in error_bars(ax)])
    assert_allclose(ends, np.column_stack([points[:, 1] - 0.03, points[:, 1] + 0.03]))
    assert len(drawn(ax)) == (1 if name in ("fig2", "figS4") else 2)
    assert (ax.get_xlabel(), ax.get_ylabel()) == (SIZES if name in SCANS else COUPLINGS)
    assert "kagome24" in ax.get_title()
    shown = published[(published.figure == name) & (published.cluster == "kagome24")]
    shown = shown[shown.j2_over_j1.isin([0, 0.4]) | (name not in SCANS)]
    shown = shown[(shown.series == "generalisation") & (shown.network == "dense2")]
    marks = [point for points in hollow(ax).values() for point in points]
    assert_allclose(sorted(map(tuple, marks)), sorted(map(tuple, shown[["x", "overlap"]].to_numpy())))


def test_fig1_of_three_rows_is_two_sites_and_a_bond(geometry):
    (ax,) = FIGURES["fig1"](geometry.iloc[[0, 1, 4]]).axes
    assert_allclose(np.asarray(ax.lines[0].get_data()), [[0, 0], [0, 1]])
    bonds = [lines for lines in ax.collections if isinstance(lines, LineCollection)]
    segments = [segment for lines in bonds for segment in lines.get_segments()]
    assert_allclose(segments, [[[0, 0], [1, 0]]])


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


def test_axes_widen_for_negative_couplings(published):
    fig = FIGURES["fig2"](pd.DataFrame([row("kagome24", -0.5, 0.3)]), published)
    assert fig.axes[0].get_xlim()[0] < -0.5


def test_a_cluster_given_by_its_bonds_is_named_and_not_shaded(published):
    points = [{**row("square16", j2, 0.3), "cluster": "ladder12", "lattice": "bonds"} for j2 in (-0.5, 0.5)]
    (ax, *_) = FIGURES["fig2"](pd.DataFrame(points), published).axes
    assert ax.get_title() == "ladder12"
    assert ax.get_xlim()[0] < -0.5
    assert len(ax.patches) == 0


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
    table = fig2_table(LARGE, variational=True)
    fig = FIGURES["fig2"](table.assign(energy_error_mean=0.0123, n_settled=3.0), published)
    assert len(fig.axes) == 6
    assert [ax.get_title("left") for ax in fig.axes] == list("abcdef")
    assert [len(hollow(ax)) for ax in fig.axes[3:]] == [1, 0, 1]
    assert all(list(drawn(ax)) == ["2-layer dense"] for ax in fig.axes[3:])
    assert "published" in legend(fig)
    assert "relative energy error 0.012; 99 of 132 runs settled." in small_print(fig)
    assert "published variational" not in small_print(fig).lower()


def test_variational_states_of_smaller_clusters_stand_below_their_lattice(published):
    table = fig2_table(SMALL, variational=True)
    table = pd.concat([fig2_table(LARGE), table[table.series == "variational"]])
    fig = FIGURES["fig2"](table.sample(frac=1, random_state=0).sort_values("series", kind="stable"), published)
    titles = [ax.get_title() for ax in fig.axes]
    words = [(above.split(" (")[0], below.split(" (")[0]) for above, below in zip(titles[:3], titles[3:], strict=True)]
    assert all(above == below for above, below in words)
    assert sum("16" in title or "18" in title for title in titles[3:]) == 3
    for ax, title in zip(fig.axes[3:], titles[3:], strict=True):
        expected = {"square": 18, "triangular": 0, "kagome": 16}[title.split(" (")[0]]
        assert sum(map(len, hollow(ax).values())) == expected
    assert "published (24 spins)" in legend(fig)
    assert "Published variational points are for square24, kagome24." in small_print(fig)


@pytest.mark.parametrize(
    ("above", "below", "message"),
    [
        (("square16", "square24"), ("square16",), "two clusters of one lattice above"),
        (("square24",), ("square16", "square20"), "cluster must have"),
    ],
)
def test_a_lower_row_needs_one_cluster_of_each_lattice_in_both_rows(above, below, message, published):
    rows = [row(cluster, 0.5, 0.8) for cluster in above]
    rows += [row(cluster, 0.5, 0.8, series="variational") for cluster in below]
    with pytest.raises(TableError, match=message):
        FIGURES["fig2"](pd.DataFrame(rows), published)


def test_figS4_draws_every_network_and_says_what_was_estimated(published):
    table = fig2_table(LARGER)
    table = table[table.series == "generalisation"].assign(estimated=True, overlap_rest_se_mean=0.00123)
    fig = FIGURES["figS4"](table, published, "paper scale")
    assert len(fig.axes) == 3
    assert not any(hollow(ax) for ax in fig.axes)
    for ax, cluster in zip(fig.axes, LARGER, strict=True):
        assert sum(map(len, drawn(ax).values())) == (table.cluster == cluster).sum()
    text = small_print(fig)
    assert "one network: square30 0.0012, triangle30 0.0012, kagome30 0.0012" in text
    assert "1,551,175 states" in text
    assert "No published values are digitised" in text


@pytest.mark.parametrize(("name", "clusters"), [("figS2", LARGE[:2]), ("figS6", LARGER)])
def test_signs_and_amplitudes_have_a_panel_for_each_cluster(name, clusters, published):
    table = fig5_table(*clusters)
    fig = FIGURES[name](table, published, "laptop scale")
    assert fig.get_figwidth() == style.DOUBLE_COLUMN
    assert [ax.get_title("left") for ax in fig.axes] == list("abc")[: len(clusters)]
    for ax, cluster in zip(fig.axes, clusters, strict=True):
        for target, label in (("sign", "signs"), ("amplitude", "amplitudes")):
            rows = table[(table.cluster == cluster) & (table.target == target)]
            assert_allclose(drawn(ax)[label], rows[["j2_over_j1", "overlap_rest_mean"]])
        assert not hollow(ax)
    assert "No published values are digitised" in small_print(fig)
    assert "2-layer dense" in small_print(fig)


def test_diverged_trainings_and_single_repeats_are_mentioned(published):
    text = small_print(FIGURES["fig5"](fig5_table().assign(n_diverged=1, n_members=1), published))
    assert "22 trainings diverged" in text
    assert "none for one repeat" in text


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


@pytest.mark.parametrize(
    ("name", "clusters"),
    [
        ("fig2", LARGE),
        ("fig2", SMALL),
        ("fig5", LARGE),
        ("fig5", SMALL),
        ("figS2", LARGE),
        ("figS4", LARGER),
        ("figS6", LARGER),
    ],
)
def test_nothing_is_clipped_or_covered(name, clusters, published):
    if name in ("fig2", "figS4"):
        table = fig2_table(clusters, variational=name == "fig2").assign(energy_error_mean=0.0123, n_settled=3)
    else:
        table = fig5_table(*clusters[-1 if name == "fig5" else 0 :][: 2 if name == "figS2" else 3])
    table["estimated"] = table.n_sites > 24
    check_layout(FIGURES[name](table, published, "laptop scale"))


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
    assert ax.lines[0].get_xydata().shape == (4, 2)
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
        (lambda table: table.assign(lattice=[*["kagome"] * 21, "square"]), "lattice must have"),
        (lambda table: table.assign(network=[*["dense2"] * 21, "cnn"]), "network must have"),
    ],
)
def test_a_table_that_cannot_be_drawn_is_an_error(spoil, message, published):
    with pytest.raises(TableError, match=message):
        FIGURES["fig5"](spoil(fig5_table()), published)
