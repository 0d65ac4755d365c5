"""Each figure of the spin rings selects, draws and labels what its table holds."""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from numpy.testing import assert_allclose
from support.ring_tables import TABLES
from support.studies import figures_of

from nqs.analysis.facts import read_facts
from nqs.figures import style
from nqs.figures.rings import at
from nqs.figures.table import TableError

FIGURES = figures_of("mummaneni2026")

PUBLISHED = read_facts(Path(__file__).parents[3] / "reference" / "mummaneni2026" / "published.yaml")
WITHOUT_PUBLISHED = ("fig1", "fig3", "fig6", "fig7", "figX2")


@cache
def table_of(name: str) -> pd.DataFrame:
    return TABLES[name]()


@cache
def figure_of(name: str) -> Figure:
    return FIGURES[name](table_of(name), PUBLISHED, "laptop scale")


def panels(name):
    return [ax for ax in figure_of(name).axes if ax.get_visible()]


def error_bars(ax):
    """Curves (x, y) and ends of the error bars of an axes by label."""
    return {
        bars.get_label(): (np.column_stack(bars.lines[0].get_data(orig=False)), bars.lines[2][0].get_segments())
        for bars in ax.containers
        if isinstance(bars, ErrorbarContainer)
    }


def curves(ax):
    """Lines (x, y) of an axes by label, the last of a label."""
    return {line.get_label(): np.column_stack(line.get_data(orig=False)).astype(float) for line in ax.lines}


def heights(bars):
    return [bar.get_height() for bar in bars]


def hollow(ax):
    return [
        tuple(point)
        for line in ax.lines
        if line.get_markerfacecolor() == "none"
        for point in np.column_stack(line.get_data())
    ]


def small_print(fig):
    return fig.get_supxlabel().replace("\n", " ")


def label(name):
    return style.series(name)["label"]


def assert_bars(drawn, rows, x, y, error):
    """Points are the table's, and their bars reach one error up and down."""
    points, ends = drawn
    assert_allclose(points, rows[[x, y]])
    assert_allclose(
        [segment[:, 1] for segment in ends], np.stack([rows[y] - rows[error], rows[y] + rows[error]], axis=1)
    )


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_fits_its_page(name):
    fig = figure_of(name)
    FigureCanvasAgg(fig).draw()
    assert fig.get_figwidth() in (style.SINGLE_COLUMN, style.DOUBLE_COLUMN)
    words = [text for text in fig.texts if text.get_text()]
    assert len(words) == 1
    for artist in (*panels(name), *fig.legends, *words):
        box = artist.get_tightbbox()
        assert box is not None
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= fig.bbox.x1
        assert box.y1 <= fig.bbox.y1
    lettered = [letter for ax in panels(name) if (letter := ax.get_title("left"))]
    assert lettered == [chr(ord("a") + index) for index in range(len(lettered))]
    assert all(line.count("$") % 2 == 0 for line in fig.get_supxlabel().split("\n"))


@pytest.mark.parametrize("name", FIGURES)
def test_the_small_print_opens_with_the_scale_and_defines_errors(name):
    text = small_print(figure_of(name))
    assert text.startswith("Laptop scale.")
    if name != "fig1":
        assert "aper mode: single-spin flips" in text
        assert "sound mode: exact samples" in text
    if any(error_bars(ax) for ax in panels(name)):
        assert re.search(r"[Ee]rror bars: (standard error|range)", text)


EXPONENTS = [0.46, 0.41, 0.47, 0.37]
HOLLOW = {  # published numbers by panel: heights of the marks, but places for fig4
    "fig2": {2: [0.1], 3: [1.0]}, "fig4": {8: [0.735]}, "fig5": {0: [0.5], 2: [0.5]},
    "fig9": {12: [28, 49, 2.4, 114], 13: [28, 49, 2.4, 114]}, "fig10": {2: EXPONENTS},
    "fig11": {row + column: [EXPONENTS[column]] for row in (4, 8) for column in range(4)},
    "fig12": {4: [0.53, 0.73], 5: [0.34, 0.13]},
    "figX3": {row + column: [EXPONENTS[column]] for row in (4, 16) for column in range(4)},
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_published_values_are_where_they_belong_and_nowhere_else(name):
    found = {place: hollow(ax) for place, ax in enumerate(panels(name)) if hollow(ax)}
    numbers = {place: [point[name != "fig4"] for point in points] for place, points in found.items()}
    assert numbers == HOLLOW.get(name, {})


SHARE, NUMBER = "$m$\N{PRIME}$/M$", "important units $m$\N{PRIME}"
LABELS: dict[str, tuple[set[str], set[str]]] = {  # below, beside
    "fig1": (set(), set()),
    "fig2": ({"iteration"}, {"energy per site ($J$)", "variance of the energy ($J^2$)"}),
    "fig3": ({"distance $r$"}, {"$C_{zz}(r)$"}),
    "fig4": ({r"largest $|S_\mathrm{AFM}|$", "site", "weight"}, {r"hidden unit, by $|S_\mathrm{AFM}|$"}),
    "fig5": ({"rank of the removed unit"}, {r"$\Delta E/|E|$"}),
    "fig6": ({"distance $r$"}, {"$C_{zz}(r)$"}),
    "fig7": (
        {"distance $r$", "rank of the kept unit"},
        {"$C_{zz}(r)$\n$S^z=0$", "$C_{zz}(r)$\nall states", "energy ($J$)\n$S^z=0$", "energy ($J$)\nall states"},
    ),
    "fig8": ({r"$|\Delta E|/|E|$"}, {r"$\Sigma_r|\Delta C_{zz}(r)|\,/\,\Sigma_r|C_{zz}(r)|$"}),
    "fig9": (
        {"distance $r$", "sites $N$"},
        {"$C_{zz}(r)$, paper mode", "$C_{zz}(r)$, sound mode", "energy ($J$)", "error of the kept energy (%)"},
    ),
    "fig10": ({r"density $\alpha$", "sites $N$"}, {r"$\rho$", SHARE, "exponent $k$", NUMBER}),
    "fig11": ({r"threshold $\tau$"}, {"exponent $k$, $S^z=0$", "exponent $k$, all states", f"mean {SHARE}"}),
    "fig12": (
        {r"density $\alpha$", "iteration"},
        {r"$\rho$", SHARE, "energy ($J$)", "relative error of the energy", "variance of the energy ($J^2$)"},
    ),
    "figX1": ({"sampled relative error"}, {"exact relative error"}),
    "figX2": ({"iteration"}, {"weight"}),
    "figX3": ({"sites $N$", r"threshold $\tau$"}, {NUMBER, "exponent $k$", "error of the\nkept energy (%)"}),
}


@pytest.mark.parametrize("name", FIGURES)
def test_axes_say_what_is_drawn(name):
    below, beside = ({text for ax in panels(name) if (text := getattr(ax, f"get_{axis}label")())} for axis in "xy")
    assert (below, beside) == LABELS[name]


@pytest.mark.parametrize("name", FIGURES)
def test_one_mode_one_sector_and_one_ring_are_enough(name):
    table, size = table_of(name), 10 if name == "fig12" else 8
    for column, value in (("mode", "paper"), ("sector", "zero"), ("n_sites", size)):
        if column in table:
            table = table[(table[column] == value) | table[column].isna()]
    shown = [ax for ax in FIGURES[name](table, PUBLISHED).axes if ax.get_visible()]
    assert 0 < len(shown) <= len(panels(name))
    assert len(shown) < len(panels(name)) or "mode" not in table
    for ax in shown:
        assert ax.lines or ax.images or ax.containers or not ax.get_title()
        assert "no model" not in [text.get_text() for text in ax.texts]
        assert "sound" not in ax.get_title()
        if "n_sites" in table:
            assert set(re.findall(r"\$N=(\d+)\$", ax.get_title())) <= {str(size)}


@pytest.mark.parametrize("name", ["fig2", "fig3", "fig4", "fig5", "fig6", "fig7", "fig8", "fig9", "figX2"])
def test_a_cell_without_models_says_so(name):
    table = table_of(name)
    fig = FIGURES[name](table[(table.n_sites != 8) | (table["mode"] != "sound")], PUBLISHED)
    empty = [ax for ax in fig.axes if "no model" in [text.get_text() for text in ax.texts]]
    assert bool(empty) == (name not in ("fig2", "fig5", "fig8"))  # these show both modes in one panel


@pytest.mark.parametrize("name", FIGURES)
def test_each_missing_column_is_named(name):
    with pytest.raises(TableError, match="lacks columns") as all_missing:
        FIGURES[name](pd.DataFrame({"other": [1]}), PUBLISHED)
    required = str(all_missing.value).split("lacks columns ")[1].split(", ")
    for column in required:
        with pytest.raises(TableError, match=f"lacks columns {column}$"):
            FIGURES[name](table_of(name).drop(columns=column), PUBLISHED)
    with pytest.raises(TableError, match="no rows"):
        FIGURES[name](table_of(name).iloc[:0], PUBLISHED)


@pytest.mark.parametrize("name", sorted(set(FIGURES) - {*WITHOUT_PUBLISHED, "fig10"}))
def test_a_published_value_that_is_not_there_is_an_error(name):
    with pytest.raises(TableError, match="published values lack"):
        FIGURES[name](table_of(name), {})


@pytest.mark.parametrize(("name", "column"), [("fig3", "mode"), ("fig5", "sector"), ("fig10", "mode")])
def test_unknown_modes_and_sectors_are_errors(name, column):
    with pytest.raises(TableError, match=f"unknown {column}"):
        FIGURES[name](table_of(name).assign(**{column: "guess"}), PUBLISHED)


def test_fig1_draws_every_bond_and_both_sublattices():
    for ax, n_sites in zip(panels("fig1"), (4, 8), strict=True):
        (bonds,) = [lines for lines in ax.collections if isinstance(lines, LineCollection)]
        assert len(bonds.get_segments()) == n_sites
        assert [len(line.get_xdata()) for line in ax.lines] == [n_sites // 2] * 2
        assert ax.get_title() == f"$N={n_sites}$"


def test_fig2_draws_the_median_seed_and_the_others():
    rows = at(table_of("fig2"), n_sites=8, mode="paper")
    energy, variance = panels("fig2")[1], panels("fig2")[3]
    for ax, quantity in ((energy, "energy_per_site"), (variance, "variance")):
        assert_allclose(curves(ax)[label("paper")], at(rows, series="median seed")[["iteration", quantity]])
        for repeat in (1, 2, 3):
            assert_allclose(curves(ax)[f"_seed {repeat}"][:, 1].size, len(at(rows, repeat=repeat)))
    assert_allclose(curves(energy)["exact"][:, 1], rows.exact_energy_per_site.iloc[0])
    assert hollow(variance) == [(rows.iteration.max(), PUBLISHED["variance_orders"]["value"]["N8"])]
    assert variance.get_yscale() == "log"


def test_fig3_error_bars_are_standard_errors():
    rows = at(table_of("fig3"), n_sites=8, mode="sound", iteration=300)
    ax = panels("fig3")[3]
    assert ax.get_title() == "$N=8$, sound mode"
    assert_bars(error_bars(ax)["300"], rows, "r", "czz_mean", "czz_sem")
    assert_allclose(curves(ax)["exact"], rows[["r", "exact_czz"]])


def test_fig4_shows_the_weights_by_score_and_the_spread_over_models():
    rows = at(table_of("fig4"), n_sites=4, mode="paper")
    pattern, spread = panels("fig4")[0], panels("fig4")[8]
    units = at(rows, series="representative")
    scores = units.drop_duplicates("unit").set_index("unit").s_afm.abs().sort_values(ascending=False)
    weights = units.pivot(index="unit", columns="site", values="weight").loc[scores.index]
    assert_allclose(pattern.images[0].get_array(), weights)
    assert [text.get_text() for text in pattern.texts] == [f"{score:.2f}" for score in scores]
    assert_allclose(np.sort(curves(spread)[label("paper")][:, 0]), np.sort(at(rows, series="distribution").s_afm))
    assert hollow(spread) == [(PUBLISHED["top_score_n4"]["value"], 0)]
    (band,) = spread.patches
    assert_allclose([band.get_x(), band.get_x() + band.get_width()], [0.63, 0.997])


def test_fig5_draws_one_model_as_bars_and_means_as_points():
    rows = at(table_of("fig5"), n_sites=8, sector="all", mode="sound")
    ax = panels("fig5")[3]
    bars = [c for c in ax.containers if isinstance(c, BarContainer)][1]
    change = "delta_energy_fraction"
    assert_allclose(heights(bars), at(rows, series="representative")[change])
    means = at(rows, series="mean_by_rank").assign(place=lambda t: t["rank"] + 0.2)
    assert_bars(error_bars(ax)[label("sound")], means, "place", change, f"{change}_sem")
    assert hollow(panels("fig5")[0]) == [(1, 0.5)]
    assert not hollow(ax)


def test_fig6_draws_the_strongest_and_the_weakest_units():
    rows = at(table_of("fig6"), n_sites=8, sector="zero", mode="paper")
    drawn = curves(panels("fig6")[2])
    for name, rank in (
        ("without rank 1", 1),
        ("without rank 3", 3),
        ("without the last but one", 15),
        ("without the last", 16),
    ):
        assert_allclose(drawn[name], at(rows, rank=rank)[["r", "czz"]])
    assert_allclose(drawn[label("full")], at(rows, series="full")[["r", "czz"]])
    assert_allclose(drawn["exact"], at(rows, series="exact")[["r", "czz"]])


def test_fig6_takes_no_unit_between():
    table = table_of("fig6")
    with pytest.raises(TableError, match="rank 5 of 16"):
        FIGURES["fig6"](table.assign(rank=table["rank"].replace(15, 5)), PUBLISHED)


def test_fig7_draws_energies_and_correlations_of_single_units():
    rows = at(table_of("fig7"), n_sites=4, mode="paper", sector="all")
    energies, correlations = panels("fig7")[8], panels("fig7")[12]
    alone = rows.drop_duplicates("unit").sort_values("rank")
    points = [line for line in energies.lines if line.get_linestyle() == "None"]
    drawn = np.concatenate([np.column_stack(line.get_data()) for line in points])
    assert_allclose(drawn[np.argsort(drawn[:, 0])], alone[["rank", "energy_alone"]])
    first = next(line for line in points if line.get_color() == style.VERMILLION)
    assert list(first.get_xdata()) == [1]
    levels = {line.get_ydata()[0] for line in energies.lines if len(line.get_xdata()) == 2}
    assert {alone.energy_full.iloc[0], alone.energy_none.iloc[0], alone.exact_energy.iloc[0]} <= levels
    assert len(correlations.lines) == 8 + 3  # units, all of them, exact, zero line
    first = next(line for line in correlations.lines if line.get_color() == style.VERMILLION)
    assert_allclose(first.get_ydata(), at(rows, rank=1).sort_values("r").czz_alone)


def test_fig7_has_one_vertical_axis_for_both_modes_of_a_ring():
    for row in range(4):
        left, right, *_ = panels("fig7")[4 * row : 4 * row + 4]
        assert left.get_ylim() == right.get_ylim()


def test_fig8_draws_one_point_per_unit_and_names_rho():
    rows = at(table_of("fig8"), n_sites=4, sector="zero", mode="paper")
    ax = panels("fig8")[0]
    name = r"paper: $\rho=0.81$ ($0.75\pm0.12$)"
    assert_allclose(curves(ax)[name], rows[["energy_impact", "correlation_impact"]])
    assert name in [text.get_text() for text in ax.get_legend().get_texts()]
    tau = PUBLISHED["importance_threshold"]["value"]
    assert sum(line.get_linestyle() == ":" and tau in (*line.get_xdata(), *line.get_ydata()) for line in ax.lines) == 2


def test_fig9_draws_groups_and_recovery():
    table = table_of("fig9")
    rows = at(table, n_sites=12, mode="paper", sector="zero")
    bars = next(c for c in panels("fig9")[1].containers if isinstance(c, BarContainer))
    assert_allclose(heights(bars), rows.drop_duplicates("series").energy)  # exact, full, important, unimportant
    drawn = curves(panels("fig9")[5])
    for series in ("full", "important", "unimportant"):
        assert_allclose(drawn[label(series)], at(rows, series=series)[["r", "czz"]])
    assert "=12$ of 36" in panels("fig9")[5].get_title()
    points, ends = error_bars(panels("fig9")[-2])[label("paper")]
    one = rows.iloc[0]
    assert_allclose(points[1], [12, one.recovery_error_percent])
    assert_allclose(ends[1][:, 1], [one.recovery_low, one.recovery_high])
    assert [y for _, y in hollow(panels("fig9")[-2])] == [28, 49, 2.4, 114]


def test_fig9_without_important_units_draws_the_rest():
    table = table_of("fig9")
    empty = (table.series == "important") & (table.n_sites == 8)
    fig = FIGURES["fig9"](table.assign(czz=table.czz.mask(empty), energy=table.energy.mask(empty)), PUBLISHED)
    assert np.isnan(curves(fig.axes[4])[label("important")][:, 1]).all()
    assert np.isfinite(curves(fig.axes[4])[label("unimportant")]).all()


def test_fig10_draws_means_fits_and_exponents():
    table = at(table_of("fig10"), with_r0=False)
    points, fits = at(table, series="fraction"), at(table, series="fit")
    fraction, number, exponents, other, *_, last_rho = panels("fig10")
    for ax, mode, sector in ((fraction, "paper", "zero"), (other, "paper", "all")):
        rows = at(points, mode=mode, sector=sector, alpha=4)
        rows = rows.assign(place=rows.n_sites + 0.08)  # the third of four
        assert_bars(error_bars(ax)[label("alpha4")], rows, "place", "fraction_mean", "fraction_sem")
    headline = at(points, mode="paper", sector="zero", alpha=2)
    assert_bars(error_bars(number)[label("alpha2")], headline, "n_sites", "n_important_mean", "n_important_sem")
    fitted = [line for line in number.lines if line.get_label() == "_fit"]
    fit = at(fits, mode="paper", sector="zero", alpha=2).iloc[0]
    x, y = fitted[0].get_data()
    assert_allclose(y, fit.prefactor * x**fit.k)
    drawn, ends = error_bars(exponents)[label("sound-all")]
    rows = at(fits, mode="sound", sector="all")
    assert_allclose(drawn[:, 1], rows.k)
    assert_allclose([end[:, 1] for end in ends], np.stack([rows.k - rows.k_se, rows.k + rows.k_se], axis=1))
    rows = at(points, mode="sound", sector="all", alpha=5).assign(place=lambda t: t.n_sites + 0.24)
    assert_bars(error_bars(last_rho)[label("alpha5")], rows, "place", "rho_mean", "rho_sd")


def test_fig10_published_exponents_keep_their_errors():
    exponents = panels("fig10")[2]
    facts = [PUBLISHED[f"exponent_alpha{alpha}"] for alpha in (2, 3, 4, 5)]
    assert [y for _, y in hollow(exponents)] == [fact["value"] for fact in facts]
    _, ends = error_bars(exponents)["_published errors"]
    widths = [end[1, 1] - end[0, 1] for end in ends]
    assert_allclose(widths, [2 * fact["uncertainty"] for fact in facts])


def test_models_left_out_are_counted_once_per_cell_by_mode():
    text = small_print(figure_of("fig10"))
    assert "Models per ring, density, mode: 10." in text
    assert "Left out: 7 failed (paper mode), 56 did not converge (sound mode)." in text


def test_fig11_draws_both_curves_against_the_threshold():
    rows = at(table_of("fig11"), mode="sound", sector="zero", alpha=3)
    upper, lower = panels("fig11")[1], panels("fig11")[5]
    assert upper.get_title() == r"$\alpha=3$"
    assert_allclose(curves(upper)[label("sound-zero")], rows[["tau", "fraction_mean"]])
    points, _ = error_bars(lower)[label("sound-zero")]
    assert_allclose(points, rows[["tau", "k"]], atol=0.01)  # modes are set apart sideways
    assert set(error_bars(lower)) == {label("paper-zero"), label("sound-zero"), "_published error"}
    tau, quoted = PUBLISHED["importance_threshold"]["value"], PUBLISHED["exponent_alpha3"]
    assert (tau, quoted["value"]) in hollow(lower)
    (ends,) = (segment[:, 1] for segment in error_bars(lower)["_published error"][1])
    assert_allclose(ends, [quoted["value"] - quoted["uncertainty"], quoted["value"] + quoted["uncertainty"]])
    assert any(set(line.get_xdata()) == {tau} for line in upper.lines)
    assert np.isfinite(lower.get_ylim()).all()  # an error that no fit could give


def test_fig12_draws_training_final_errors_and_n12():
    table = table_of("fig12")
    training, _, error, variance, fraction, rho = panels("fig12")
    rows = at(table, series="convergence", mode="paper", alpha=3)
    assert_allclose(curves(training)[label("alpha3")], rows[["iteration", "energy_mean"]])
    final = at(table, series="final", mode="sound")
    rows = at(final, sector="all").assign(place=lambda t: t.alpha + 0.105)  # the last of four
    assert_bars(error_bars(error)[label("sound-all")], rows, "place", "error_mean", "error_sem")
    sampled = error_bars(variance)["sound mode, sampled"]
    assert_bars(sampled, at(final, sector="sampled"), "alpha", "variance_mean", "variance_sem")
    rows = at(table, series="n12", mode="paper", sector="all").assign(place=lambda t: t.alpha - 0.035)
    assert_bars(error_bars(fraction)[label("paper-all")], rows, "place", "fraction_mean", "fraction_sem")
    assert_bars(error_bars(rho)[label("paper-all")], rows, "place", "rho_mean", "rho_sd")
    assert hollow(fraction) == [(2, 0.53), (5, 0.73)]
    assert hollow(rho) == [(4, 0.34), (5, 0.13)]


def test_fig12_published_values_are_for_twelve_sites_only():
    table = table_of("fig12")
    fig = FIGURES["fig12"](table.assign(n_sites=table.n_sites.replace(12, 8)), PUBLISHED)
    assert not any(hollow(ax) for ax in fig.axes)


def test_figX1_draws_every_model_and_names_the_failed():
    table = table_of("figX1")
    paper_all = panels("figX1")[2]
    rows = at(table, mode="paper", n_sites=12)
    assert_allclose(curves(paper_all)["$N=12$"], rows[["sampled_error", "exact_error_all"]])
    one = table.iloc[5]
    assert_allclose(curves(paper_all)["_$N=8$ not converged"][0], [one.sampled_error, one.exact_error_all])
    text = small_print(figure_of("figX1"))
    assert "82 of 84 (paper mode), 84 of 84 (sound mode); published 279 of 280" in text
    assert r"Failed: ring8 $\alpha=4$ paper repeat 1 (diverged)" in text
    assert len({ax.get_xlim() for ax in panels("figX1")} | {ax.get_ylim() for ax in panels("figX1")}) == 1


def test_figX1_draws_the_criterion_of_the_models():
    table = table_of("figX1")
    fig = FIGURES["figX1"](table.assign(tolerance=0.02), PUBLISHED)
    dotted = [line for line in fig.axes[0].lines if line.get_linestyle() == ":"]
    assert {float(value) for line in dotted for value in np.ravel([line.get_xdata(), line.get_ydata()])} == {0, 1, 0.02}
    assert "the criterion, 0.02, on the sampled error" in small_print(fig)
    assert "the criterion, 0.001, on" in small_print(figure_of("figX1"))


def test_figX1_without_any_error_is_an_error():
    table = table_of("figX1")
    with pytest.raises(TableError, match="no model"):
        FIGURES["figX1"](table.assign(sampled_error=np.nan, exact_error_all=np.nan, exact_error_zero=np.nan), PUBLISHED)


def test_figX2_draws_exact_lines_and_sampled_markers():
    rows = at(table_of("figX2"), n_sites=8, alpha=2, mode="paper", m=3)
    ax = panels("figX2")[3]  # after the largest ring
    assert ax.get_title() == r"$N=8$, $\alpha=2$, paper mode"
    assert_allclose(curves(ax)["$|S^z|=3$"], rows[["iteration", "exact_weight_mean"]])
    assert_allclose(curves(ax)["_sampled 3"], rows[["iteration", "sampled_weight_mean"]])
    colours = {to_hex(line.get_color()) for line in ax.lines if line.get_label() in ("$|S^z|=3$", "_sampled 3")}
    assert len(colours) == 1


def test_figX2_puts_the_largest_ring_on_top():
    table = table_of("figX2")
    titles = [ax.get_title() for ax in panels("figX2")]
    assert titles[:3] == [
        r"$N=12$, $\alpha=2$, paper mode", r"$N=12$, $\alpha=2$, sound mode", r"$N=4$, $\alpha=2$, paper mode",
    ]  # fmt: skip
    assert len(titles) == len(set(titles)) == 2 * 7
    rows = at(table, n_sites=12, mode="sound", m=6)
    assert_allclose(curves(panels("figX2")[1])["$|S^z|=6$"], rows[["iteration", "exact_weight_mean"]])
    alone = FIGURES["figX2"](at(table, n_sites=12), PUBLISHED)
    assert len(alone.axes) == 2
