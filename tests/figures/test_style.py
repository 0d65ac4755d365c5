"""Marks that every figure shares: where the shading lies, and that series can be told apart."""

from itertools import combinations, pairwise

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from nqs.figures import style

# Linear RGB as seen with protanopia and deuteranopia [Vienot, Brettel and Mollon 1999], rounded.
SEEN_BY = {
    "normal": np.eye(3),
    "protan": [[0.1124, 0.8876, 0.0], [0.1124, 0.8876, 0.0], [0.0040, -0.0040, 1.0]],
    "deutan": [[0.2928, 0.7072, 0.0], [0.2928, 0.7072, 0.0], [-0.0223, 0.0223, 1.0]],
}

TOGETHER = [
    ("dense1", "dense2", "cnn"),
    ("sign", "amplitude"),
    ("alpha1", "alpha2", "alpha3", "alpha4", "alpha5"),
    ("paper", "sound"),
    ("paper-zero", "paper-all", "sound-zero", "sound-all"),
    ("full", "important", "unimportant"),
]


def lightness_and_hue(colour, matrix):
    """CIE L*a*b* of a colour as a viewer sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(matrix) @ linear, 0, 1)
    xyz = np.array([
        [0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505],
    ]) @ seen / [0.9505, 1.0, 1.089]  # fmt: skip
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("viewer", SEEN_BY)
@pytest.mark.parametrize("together", TOGETHER)
def test_series_drawn_together_differ_for_every_viewer(viewer, together):
    for a, b in combinations(map(style.series, together), 2):
        seen = [lightness_and_hue(look["color"], SEEN_BY[viewer]) for look in (a, b)]
        assert np.linalg.norm(seen[0] - seen[1]) > 20  # just noticeable: 2
        assert a["marker"] != b["marker"]


def test_an_unknown_network_is_drawn_under_its_own_name():
    assert style.series("transformer")["label"] == "transformer"
    known = {style.series(name)["color"] for name in style.SERIES}
    assert style.series("transformer")["color"] not in known


def shaded(ax):
    return [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in ax.patches]


@pytest.mark.parametrize(
    ("lattice", "limits", "region"),
    [
        ("square", (-0.03, 1.03), (0.4, 0.6)),
        ("triangle", (0, 1.6), (1.25, 1.6)),
        ("kagome", (0, 1.0), (0.51, 1.0)),
        ("kagome", (0, 2.0), (0.51, 1.82)),
    ],
)
def test_frustrated_region_is_shaded_within_the_axes(lattice, limits, region):
    _, ax = style.single_column()
    ax.set_xlim(*limits)
    style.frustrated(ax, lattice)
    assert shaded(ax) == [pytest.approx(region)]
    assert ax.get_xlim() == limits


@pytest.mark.parametrize(
    ("lattice", "j2", "strong"),
    [("square", 0.4, True), ("square", 0.61, False), ("triangle", 1.6, True), ("kagome", 0.5, False)],
)
def test_a_coupling_is_frustrated_where_the_axes_are_shaded(lattice, j2, strong):
    assert style.is_frustrated(lattice, j2) == strong


def test_nothing_is_shaded_where_nothing_is_frustrated():
    _, ax = style.single_column()
    ax.set_xlim(0, 0.3)
    style.frustrated(ax, "square")
    assert shaded(ax) == []


def test_published_markers_are_hollow_and_keep_the_colour_of_the_series():
    _, ax = style.single_column()
    look = style.series("cnn")
    line = style.published(ax, [0, 1], [1, 0.5], color=look["color"], marker=look["marker"])
    assert line.get_markerfacecolor() == "none"
    assert line.get_markeredgecolor() == look["color"]
    assert line.get_linestyle() == "None"
    assert line.get_label() == "published"


def test_widths_are_those_of_a_paper():
    assert style.single_column()[0].get_figwidth() == 3.4
    fig, axes = style.double_column(2, 3)
    assert (fig.get_figwidth(), axes.shape) == (7.0, (2, 3))


def test_fonts_ship_with_matplotlib():
    style.single_column()
    (family,) = matplotlib.rcParams["font.family"]
    path = matplotlib.font_manager.findfont(family, fallback_to_default=False)
    assert path.startswith(matplotlib.get_data_path())


def test_small_print_wraps_inside_the_figure_and_below_the_axes():
    fig, ax = style.single_column()
    ax.set_xlabel(style.J2_OVER_J1)
    style.small_print(fig, r"MOMENTUM AND ill-lit $\psi^2 + \psi$ " * 12)
    FigureCanvasAgg(fig).draw()
    lines = fig.get_supxlabel().split("\n")
    assert len(lines) > 2
    assert all(line.count("$") % 2 == 0 for line in lines)  # no break inside a formula
    text = fig.texts[0].get_window_extent()
    assert text.x0 >= 0
    assert text.x1 <= fig.bbox.x1
    assert text.y0 >= 0
    assert text.y1 < ax.xaxis.label.get_window_extent().y0


def test_legend_names_each_series_once_and_clears_the_panels():
    fig, axes = style.double_column(1, 3)
    for ax in axes.flat:
        ax.plot([0, 1], **style.series("dense1"))
    style.legend_above(fig, axes.flat, [style.published_key()])
    FigureCanvasAgg(fig).draw()
    (legend,) = fig.legends
    assert [text.get_text() for text in legend.get_texts()] == ["1-layer dense", "published"]
    assert all(legend.get_window_extent().y0 > ax.get_window_extent().y1 for ax in axes.flat)


def test_panels_do_not_overlap():
    fig, axes = style.double_column(1, 3)
    FigureCanvasAgg(fig).draw()
    for left, right in pairwise(axes.flat):
        assert left.get_tightbbox().x1 < right.get_tightbbox().x0
