"""Fig. 4 draws critical sizes with their intervals, the power laws, and what was not found."""

from math import comb

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation
from numpy.testing import assert_allclose
from support.drawn_marks import bar_ends, check_layout, drawn, error_bars, legend, small_print
from support.overlap_tables import critical_table
from support.studies import figures_of

from nqs.figures.table import TableError
from nqs.studies.westerhout2020.figures.critical import _with_error

FIGURES = figures_of("westerhout2020")

LAWS = {0: (3, 0.25), 0.4: (2.5, 0.28), 0.55: (4, 0.31), 1.0: (6, 0.27)}
SQUARES = ("square24", "square32", "square36")


def lines(ax, start):
    return {line.get_label(): line for line in ax.lines if str(line.get_label()).startswith(start)}


def test_fig4_draws_every_size_with_its_interval_and_the_power_laws():
    table = critical_table(SQUARES, LAWS)
    fig = FIGURES["fig4"](table, None, "paper scale")
    (ax,) = fig.axes
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("dimension of the basis $K$", "critical training-set size")
    bars = {str(container.get_label()): container for container in error_bars(ax)}
    for j2, (prefactor, exponent) in LAWS.items():
        rows = table[table.j2_over_j1 == j2]
        container = bars[f"_critical {j2:g}"]
        assert_allclose(drawn(ax)[f"_critical {j2:g}"], rows[["dimension", "critical_size"]])
        assert_allclose(bar_ends(container), rows[["critical_size_low", "critical_size_high"]])
        x, y = lines(ax, "_law")[f"_law {j2:g}"].get_data(orig=False)
        assert_allclose(y, prefactor * np.asarray(x) ** exponent)
    assert legend(fig) == [
        "$J_2/J_1$ $=$ 0: $K^{0.25(3)}$", "$J_2/J_1$ $=$ 0.4: $K^{0.28(3)}$", "$J_2/J_1$ $=$ 0.55: $K^{0.31(3)}$",
        "$J_2/J_1$ $=$ 1: $K^{0.27(3)}$", "published: factor 10",
    ]  # fmt: skip
    (above,) = ax.child_axes
    FigureCanvasAgg(fig).draw()
    assert [text.get_text() for text in above.get_xticklabels()] == ["24", "32", "36"]
    assert "two clusters only" not in small_print(fig)


def test_fig4_names_clusters_given_by_their_bonds():
    table = critical_table(SQUARES, LAWS).assign(lattice="bonds")
    assert FIGURES["fig4"](table, None, "").axes[0].get_title() == ", ".join(SQUARES)


def test_fig4_has_the_published_growth_below_the_points():
    fig = FIGURES["fig4"](critical_table(SQUARES, LAWS))
    (guide,) = lines(fig.axes[0], "published").values()
    assert_allclose(guide.get_xdata(), [comb(24, 12), comb(36, 18)])
    start, end = guide.get_ydata()
    assert end / start == pytest.approx(10)
    assert start < critical_table(SQUARES, LAWS).critical_size_low.min()
    assert r"Published: $\times 10$ from 24 to 36 spins, grey" in small_print(fig)
    small = FIGURES["fig4"](critical_table(("square12", "square16"), LAWS))
    assert not lines(small.axes[0], "published")
    assert "from 24 to 36 spins, beyond these clusters" in small_print(small)
    assert "No published values are digitised" in small_print(small)


def test_fig4_fits_through_two_clusters_have_no_error():
    fig = FIGURES["fig4"](critical_table(SQUARES[:2], LAWS))
    assert "$J_2/J_1$ $=$ 0.55: $K^{0.31}$" in legend(fig)
    assert "through two clusters only, without an error" in small_print(fig)


def test_fig4_has_no_exponent_where_a_size_lies_beyond_its_scan():
    fig = FIGURES["fig4"](critical_table(SQUARES, LAWS, (("square36", 0.55), ("square36", 1.0), ("square32", 1.0))))
    assert "$J_2/J_1$ $=$ 0.55" in legend(fig)
    assert "$J_2/J_1$ $=$ 1" in legend(fig)
    assert set(lines(fig.axes[0], "_law")) == {"_law 0", "_law 0.4"}
    assert "two clusters only" not in small_print(fig)


def test_fig4_marks_sizes_beyond_the_scan_with_arrows_from_its_end():
    table = critical_table(SQUARES, LAWS, (("square36", 0.55), ("square36", 1.0)))
    low = table.index[(table.cluster == "square24") & (table.j2_over_j1 == 0)]
    table.loc[low, "status"] = "below the grid"
    table.loc[low, "critical_size"] = np.nan
    fig = FIGURES["fig4"](table)
    (ax,) = fig.axes
    above, below = lines(ax, "_above"), lines(ax, "_below")
    assert len(above) == 2
    ends = table[(table.cluster == "square36") & (table.j2_over_j1 == 1.0)]
    point = np.ravel(above["_above the grid 1"].get_data(orig=False))
    assert_allclose(point, ends[["dimension", "largest_size"]].iloc[0])
    assert_allclose(np.ravel(below["_below the grid 0"].get_ydata()), table.loc[low].smallest_size)
    assert sorted(arrow.xyann[1] for arrow in ax.texts if isinstance(arrow, Annotation)) == [-12, 12, 12]
    text = small_print(fig)
    assert "2 above the grid of sizes (arrow up from its end), 1 below the grid" in text
    bottom, top = ax.get_ylim()
    assert bottom < table.loc[low].smallest_size.iloc[0]
    assert top > ends.largest_size.iloc[0]


def test_fig4_leaves_open_ends_of_intervals_undrawn_and_counts_them():
    table = critical_table(SQUARES, LAWS)
    table.loc[0, "critical_size_high"] = np.nan
    fig = FIGURES["fig4"](table)
    ends = table[["critical_size_low", "critical_size"]].to_numpy(dtype=float)[0]
    assert_allclose(bar_ends(error_bars(fig.axes[0])[0])[0], ends)
    assert "Ends of error bars beyond the grid, not drawn: 1" in small_print(fig)


@pytest.mark.parametrize(
    ("clusters", "lost"),
    [(SQUARES, False), (SQUARES, True), (SQUARES[:2], False), (("square12", "square16"), False), (SQUARES[:1], False)],
)
def test_fig4_is_laid_out_without_overlaps(clusters, lost):
    missing = tuple((cluster, j2) for cluster in clusters for j2 in LAWS) if lost else ((clusters[-1], 0.55),)
    check_layout(FIGURES["fig4"](critical_table(clusters, LAWS, missing), None, "laptop scale"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda table: table.drop(columns="largest_size"), "lacks columns largest_size"),
        (lambda table: table.assign(status="lost"), "unknown status"),
        (lambda table: table.assign(lattice=["kagome", *table.lattice[1:]]), "lattice must have"),
    ],
)
def test_critical_sizes_that_cannot_be_drawn_are_an_error(spoil, message):
    with pytest.raises(TableError, match=message):
        FIGURES["fig4"](spoil(critical_table(SQUARES, LAWS)))


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (0.284, 0.031, "0.28(3)"), (0.284, 0.0143, "0.284(14)"), (0.284, np.nan, "0.28"),
        (0.5, 0.2, "0.5(2)"), (2.04, 1.26, "2.0(1.3)"), (-0.05, 0.04, "-0.05(4)"),
    ],
)  # fmt: skip
def test_an_exponent_is_written_with_its_error_in_the_last_digit(value, error, words):
    assert _with_error(value, error) == words
