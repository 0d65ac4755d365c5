"""Figures S1, S2, X1 and X2 of study ju2025 select, draw and label what their tables hold."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from numpy.testing import assert_allclose
from support.equal_runs import equal_runs
from support.studies import figures_of

from nqs.analysis.facts import read_facts
from nqs.figures import style
from nqs.figures.table import TableError
from nqs.studies.ju2025.tables import equal_settings
from nqs.studies.ju2025.tables.uniqueness import figX1 as table_x1

PUBLISHED = read_facts(Path(__file__).parents[3] / "reference" / "ju2025" / "published.yaml")
FIGURES = {name: draw for name, draw in figures_of("ju2025").items() if name[3] in "SX"}
GROUND, GAP = -23.205146, 0.149589
MOTIFS = {3: ["ddd", "udd", "dud"], 4: ["dddd", "uddd", "dudd", "uudd", "udud", "uddu"]}


def table_s1():
    """Invented: a ring of 12 sites, K = 3 and 4, variational states for K = 4 only."""
    parts = []
    for width, motifs in MOTIFS.items():
        sources = [("exact", 12), *([("cps", 60), ("cnn", 60), ("trained", 60)] if width == 4 else [])]
        for shift, (source, n_sites) in enumerate(sources):
            parts.append(pd.DataFrame({
                "series": "mev", "source": source, "n_sites": n_sites, "width": width, "motif": motifs,
                "motif_class": range(len(motifs)), "class_size": 2,
                "probability": 10.0 ** -np.arange(len(motifs), 0, -1) * (1 + 0.1 * shift),
            }))  # fmt: skip
        rank = np.arange(1, (1 << width) + 1)
        for factor, source in ((1.0, "exact"), (1.1, "cft")):
            weight = np.exp(-factor * rank / 2)
            parts.append(pd.DataFrame({
                "series": "level", "source": source, "n_sites": 12, "width": width, "rank": rank, "weight": weight,
                "level": -np.log(weight), "weight_above": np.exp(-rank / 2), "mev_error": 2 * np.exp(-rank / 2),
            }))  # fmt: skip
        comparison = {"beta_fit": 1.98, "trace_distance": 0.0079, "level_slope": 0.993}
        parts.append(pd.DataFrame([{"series": "comparison", "n_sites": 12, "width": width} | comparison]))
    for share, levels in ((0.99, [4, 7, 6, 8]), (0.999, [4, 8, 11, 12])):
        rows = {"series": "truncation", "n_sites": 12, "width": [2, 3, 4, 5], "share": share, "levels": levels}
        law = {"series": "truncation_law", "n_sites": 12, "share": share, "exponent": 0.9}
        law |= {"exponent_lowest": 0.0, "exponent_highest": 1.4}
        parts += [pd.DataFrame(rows), pd.DataFrame([law])]
    return pd.concat(parts, ignore_index=True)


def table_s2():
    parts = []
    for n_sites in (8, 12):
        for series, length in (("entropy", np.arange(1, n_sites // 2 + 1)), ("curve", np.linspace(1, n_sites / 2, 9))):
            chords = n_sites / np.pi * np.sin(np.pi * length / n_sites)
            parts.append(pd.DataFrame({
                "series": series, "n_sites": n_sites, "length": length, "chord": chords,
                "entropy": np.log(chords) / 3 + 0.7 if series == "entropy" else np.nan,
                "entropy_fit": np.log(chords) / 2.9 + 0.7, "entropy_c1": np.log(chords) / 3 + 0.73,
            }))  # fmt: skip
    fits = {"series": "fit", "n_sites": [8, 12, np.nan], "central_charge": [1.07, 1.04, 1.03], "constant": 0.72}
    parts.append(pd.DataFrame(fits | {"central_charge_error": 0.005, "constant_c1": 0.73}))
    return pd.concat(parts, ignore_index=True)


FIT = {"intercept": 7.9, "d_neel": -2.5, "n_like": -3.1, "interaction": 1.05, "r_squared": 0.811}  # of a minimum


def table_x2():
    above = {"cps": [0.366], "cnn": [0.384, 0.441, 0.475, 2.9, 22.2]}
    nothing = dict.fromkeys(FIT, np.nan)
    rows = [
        {"series": "minimum", "family": family, "delta_energy": value, "converged": value != 2.9, "stuck": value > 20,
         "distinct_minima": 3, "n_starts": len(values), "quantile": (place + 0.5) / len(values), 
         **(FIT if value < 0.5 else nothing)}
        for family, values in above.items() for place, value in enumerate(values)
    ]  # fmt: skip
    rows += [
        {"series": "run", "family": network, "quantile": (place + 0.5) / 2, "delta_energy": value,
         "energy_error": error, "stuck": value > 20}
        for network, values in {"original": [0.6, 22.2], "traj": [0.39, 0.48]}.items()
        for place, (value, error) in enumerate(zip(values, (0.0, 0.02), strict=True))
    ]  # fmt: skip
    positions = np.arange(-4, 37) / 32
    cut = 0.384 + 0.057 * positions + (np.sin(np.pi * positions)) ** 2
    rows += [{"series": "cut", "position": t, "delta_energy": e} for t, e in zip(positions, cut, strict=True)]
    levels = {"n_sites": 60, "width": 6, "ground_energy": GROUND, "triplet_energy": GROUND + GAP}
    return pd.DataFrame(rows).assign(energy=lambda t: t.delta_energy + GROUND, **levels)


def table_x3():
    """Two kernel sizes, two settings, three seeds; one run without forcing is stuck."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "runs.csv"
        equal_runs().to_csv(path, index=False)
        return equal_settings.figX3({"runs": [path]}, {})


TABLES = {
    "figS1": table_s1, "figS2": table_s2, "figX1": lambda: table_x1({}, {"sizes": [4, 6, 8, 10]}), "figX2": table_x2,
    "figX3": table_x3,
}  # fmt: skip


@cache
def table_of(name) -> pd.DataFrame:
    return TABLES[name]()


@cache
def figure_of(name) -> Figure:
    return FIGURES[name](table_of(name), PUBLISHED, "laptop scale")


def at(table, **cell):
    for column, value in cell.items():
        table = table[table[column] == value]
    return table


def curves(ax):
    return {line.get_label(): np.column_stack(line.get_data(orig=False)).astype(float) for line in ax.lines}


def small_print(name):
    return figure_of(name).get_supxlabel().replace("\n", " ")


def published_points(ax):
    return [
        tuple(float(value) for value in point)
        for line in ax.lines
        if line.get_label().startswith("published")
        for point in np.column_stack(line.get_data())
    ]


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_fits_its_page(name):
    fig = figure_of(name)
    FigureCanvasAgg(fig).draw()
    assert fig.get_figwidth() in (style.SINGLE_COLUMN, style.DOUBLE_COLUMN)
    for artist in (*fig.axes, *fig.legends, *(text for text in fig.texts if text.get_text())):
        box = artist.get_tightbbox()
        assert box is not None
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= fig.bbox.x1
        assert box.y1 <= fig.bbox.y1
    lettered = [ax.get_title("left") for ax in fig.axes]
    assert lettered == [chr(ord("a") + index) for index in range(len(lettered))]
    assert all(line.count("$") % 2 == 0 for line in fig.get_supxlabel().split("\n"))
    assert small_print(name).startswith("Laptop scale.")


@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_labelled(name):
    for ax in figure_of(name).axes:  # or share their axis with one that is
        assert any(other.get_xlabel() for other in ax.get_shared_x_axes().get_siblings(ax))
        assert any(other.get_ylabel() for other in ax.get_shared_y_axes().get_siblings(ax))


@pytest.mark.parametrize("name", FIGURES)
def test_each_missing_column_is_named(name):
    with pytest.raises(TableError, match="lacks columns") as all_missing:
        FIGURES[name](pd.DataFrame({"other": [1]}), PUBLISHED)
    for column in str(all_missing.value).split("lacks columns ")[1].split(", "):
        with pytest.raises(TableError, match=f"lacks columns {column}$"):
            FIGURES[name](table_of(name).drop(columns=column), PUBLISHED)
    with pytest.raises(TableError, match="no rows"):
        FIGURES[name](table_of(name).iloc[:0], PUBLISHED)


@pytest.mark.parametrize("name", ["figX1", "figX2"])
def test_a_published_value_that_is_not_there_is_an_error(name):
    with pytest.raises(TableError, match="published values lack"):
        FIGURES[name](table_of(name), {})


@pytest.mark.parametrize("name", FIGURES)
def test_a_table_read_from_a_file_draws_the_same(name, tmp_path):
    table_of(name).to_csv(tmp_path / "table.csv", index=False)
    again = FIGURES[name](pd.read_csv(tmp_path / "table.csv"), PUBLISHED, "laptop scale")
    for old, new in zip(figure_of(name).axes, again.axes, strict=True):
        assert len(old.lines) == len(new.lines)
        for before, after in zip(old.lines, new.lines, strict=True):
            assert_allclose(
                np.asarray(before.get_data(), float), np.asarray(after.get_data(), float), rtol=1e-12, equal_nan=True
            )


def test_figs1_compares_sources_class_by_class():
    ax = figure_of("figS1").axes[0]
    drawn = curves(ax)
    exact = at(table_of("figS1"), series="mev", source="exact", width=4).sort_values("probability", ascending=False)
    points = drawn["exact, $N=12$"]
    assert_allclose(points[np.argsort(points[:, 0]), 1], exact.probability)  # the likeliest first
    assert [label.get_text().replace("\n", "") for label in ax.get_xticklabels()] == [
        motif.replace("d", "\N{DOWNWARDS ARROW}").replace("u", "\N{UPWARDS ARROW}") for motif in exact.motif
    ]
    for label in ("CPS optimum, $N=60$", "CNN, lowest minimum, $N=60$", "trained CNN, $N=60$"):
        assert len(drawn[label]) == 6
        # Each marker stands in the column of its class.
        assert_allclose(np.round(drawn[label][:, 0]), drawn["exact, $N=12$"][:, 0])
    assert ax.get_yscale() == "log"


def test_figs1_draws_levels_of_the_same_width():
    _, levels, kept, conformal, numbers = figure_of("figS1").axes
    table = table_of("figS1")
    exact = at(table, series="level", source="exact", width=4)
    assert_allclose(curves(levels)["exact"], exact[["rank", "weight"]])
    assert_allclose(curves(levels)["CFT"][:, 1], at(table, series="level", source="cft", width=4).weight)
    assert_allclose(curves(kept)["weight left out"], exact[["rank", "weight_above"]].iloc[:-1])
    assert_allclose(curves(kept)["error of probabilities"], exact[["rank", "mev_error"]].iloc[:-1])
    assert_allclose(curves(kept)["$2K=8$"][:, 0], 8)
    for width in (3, 4):
        pairs = [at(table, series="level", source=source, width=width).level for source in ("cft", "exact")]
        assert_allclose(curves(conformal)[f"$K={width}$"], np.column_stack(pairs))
    assert_allclose(curves(numbers)["99 % of the weight"][:, 1], [4, 7, 6, 8])
    assert_allclose(curves(numbers)["all, $2^K$"][:, 1], [4, 8, 16, 32])
    assert "0.0079" in small_print("figS1")


def test_figs1_shows_classes_that_fit_side_by_side():
    table = table_of("figS1")
    alone = table[(table.source != "cps") & (table.source != "cnn") & (table.source != "trained")]
    wide = at(alone, series="mev", width=4)
    many = pd.concat([wide.assign(width=8, motif_class=wide.motif_class + 6 * copy) for copy in range(12)])
    fig = FIGURES["figS1"](pd.concat([alone, many], ignore_index=True), PUBLISHED)
    assert len(fig.axes[0].get_xticks()) == 6
    with pytest.raises(TableError, match="series mev"):
        FIGURES["figS1"](table[table.series != "mev"], PUBLISHED)


def test_figs2_draws_entropies_and_both_laws():
    left, right = figure_of("figS2").axes
    rows = at(table_of("figS2"), series="entropy", n_sites=12)
    assert_allclose(curves(left)["$N=12$"], rows[["length", "entropy"]])
    curve = at(table_of("figS2"), series="curve", n_sites=12)
    lines = [np.column_stack(line.get_data()) for line in left.lines if np.size(line.get_xdata()) == 9]
    assert_allclose(lines[-2], curve[["length", "entropy_fit"]])
    assert_allclose(lines[-1], curve[["length", "entropy_c1"]])
    assert any(np.array_equal(line.get_data()[1], rows.entropy) for line in right.lines)
    x, y = right.lines[-2].get_data()
    assert_allclose(np.diff(y) / np.diff(np.log(x)), 1.03 / 3)
    x, y = right.lines[-1].get_data()
    assert_allclose(np.diff(y) / np.diff(np.log(x)), 1 / 3)
    assert right.get_xscale() == "log"
    for charge in ("1.070", "1.040", "1.030"):
        assert charge in small_print("figS2")


def test_figs2_without_fits_draws_the_entropies():
    table = table_of("figS2")
    fig = FIGURES["figS2"](table[table.series != "fit"], PUBLISHED)
    assert "standard error" not in fig.get_supxlabel()


def test_figx1_draws_smallest_windows_and_the_bound():
    left, middle, right = figure_of("figX1").axes
    drawn = curves(left)
    assert_allclose(drawn["counts by class of motifs"], [[4, 2], [6, 2], [8, 4], [10, 4]])
    assert_allclose(drawn["counts of motifs"], [[4, 2], [6, 4], [8, 4], [10, 6]])
    assert_allclose(drawn[r"$\lfloor N/3\rfloor$"][:, 1], [1, 2, 2, 3])
    quoted = PUBLISHED["kernel_bound_for_unique_values"]["value"]
    assert published_points(left) == [(8, quoted["N8"]), (10, quoted["N10"])]
    shares = at(table_of("figX1"), series="share", n_sites=10, symmetrised=True)
    assert_allclose(curves(middle)["$10$"], shares[["length", "share"]])
    gauge = at(table_of("figX1"), series="gauge", symmetrised=False)
    assert any(np.array_equal(line.get_ydata(), gauge.gauge) for line in right.lines)


def test_figx2_draws_minima_runs_and_the_published_error():
    left, _, _ = figure_of("figX2").axes
    drawn = curves(left)
    assert_allclose(drawn["CNN, random starts"][:, 1], [0.384, 0.441, 0.475])
    assert_allclose(drawn["CNN, not converged"], [[0.7, 2.9]])
    assert_allclose(drawn["CNN, constant state"], [[0.9, 22.2]])
    assert_allclose(drawn["CPS optimum"][:, 1], 0.366)
    assert_allclose(drawn["gap $E_1-E_0$"][:, 1], GAP, rtol=1e-6)
    bars = [container for container in left.containers if isinstance(container, ErrorbarContainer)]
    assert [one.get_label() for one in bars] == ["trained, original", "trained, SymForce-Traj"]
    ends = bars[1].lines[2][0].get_segments()
    assert_allclose(ends[1][:, 1], [0.46, 0.50])
    ((_, level),) = published_points(left)
    assert_allclose(level, 0.0227 * -GROUND)
    assert "5, of which 3 found one of 3 minima and 1 a constant state" in small_print("figX2")
    assert "constant states: 1" in small_print("figX2")
    assert "standard error" in small_print("figX2")


def test_figx2_marks_both_ends_of_the_cut():
    _, right, _ = figure_of("figX2").axes
    cut = at(table_of("figX2"), series="cut")
    curve, ends = right.lines[-2:]
    assert_allclose(np.column_stack(curve.get_data()), cut[["position", "delta_energy"]])
    assert_allclose(np.column_stack(ends.get_data()), [[0, 0.384], [1, 0.441]])


def test_figx2_compares_the_regression_at_every_minimum_with_the_printed_one():
    last = figure_of("figX2").axes[2]
    drawn = curves(last)
    minima = at(table_of("figX2"), series="minimum", family="cnn")
    minima = minima[minima.delta_energy < -0.2 * GROUND]
    x = 100 * minima.delta_energy / -GROUND
    assert_allclose(drawn["_intercept"], np.column_stack([x, minima.intercept / 8.95]))
    assert_allclose(drawn["_interaction"][:3, 1], 1.05 / 1.25)
    assert published_points(last) == [(2.27, 1.0)]
    assert "3 distinct minima below 20 %, $R^2$ 0.811, printed 0.786" in small_print("figX2")


def test_figx2_without_runs_and_cut_says_so():
    table = table_of("figX2")
    fig = FIGURES["figX2"](table[table.series == "minimum"].drop(columns="energy_error"), PUBLISHED)
    assert "one minimum only" in [text.get_text() for text in fig.axes[1].texts]
    assert "Trained runs" not in fig.get_supxlabel()


def test_figx2_of_another_ring_shows_nothing_published():
    fig = FIGURES["figX2"](table_of("figX2").assign(n_sites=12), PUBLISHED)
    assert not published_points(fig.axes[0])
    assert "published" not in fig.get_supxlabel()


@pytest.mark.parametrize(
    ("charge", "error", "words"),
    [
        (1.03, 0.005, "$c$ is 3.0 % above what a critical chain with $c=1$ has"),
        (0.95, 0.01, "$c$ is 5.0 % below what"),
        (1.01, 0.02, "$c$ is as a critical chain"),
        (0.03, 0.02, "no growth of the entropy with the block is resolved"),
    ],
)
def test_figs2_concludes_from_its_fit(charge, error, words):
    table = table_s2()
    pooled = (table.series == "fit") & table.n_sites.isna()
    table.loc[pooled, ["central_charge", "central_charge_error"]] = charge, error
    assert words in FIGURES["figS2"](table).get_supxlabel().replace("\n", " ")


def test_figs1_gives_the_range_of_local_powers():
    assert "$K^{0.90}$ (99 %; from one $K$ to the next 0.00 to 1.40)" in small_print("figS1")


def test_figx3_draws_runs_that_moved_and_counts_the_stuck():
    top = figure_of("figX3").axes[0]
    words = [text.get_text() for text in top.texts]
    assert words.count("1/3") == 2  # one setting each
    bars = [container for container in top.containers if isinstance(container, ErrorbarContainer)]
    rows = at(table_of("figX3"), series="mean", width=3, network="original")
    shown = [np.asarray(bar.lines[0].get_ydata(), dtype=float)[0] for bar in bars if bar.get_label() == "_original"]
    assert_allclose(shown, rows.t_cv_5_moving)
    savings = figure_of("figX3").axes[-2]
    assert [label.get_text() for label in savings.get_yticklabels()] == ["3", "6", "all"]
    assert "$33$ to $50" in small_print("figX3")
