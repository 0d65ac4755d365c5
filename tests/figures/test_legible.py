"""Every figure that archived tables can redraw is legible: no text below 6 pt, none on another, no legend on data."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

from nqs.runtime.job import function
from nqs.workflow.studies import found_studies

ROOT = Path(__file__).parents[2]
ARCHIVE = ROOT / "archive/paper"
SMALLEST = 6.0  # points
FIGURES = [
    (study, name)
    for study, one in found_studies().items()
    for name, target in one.targets.items()
    if target.draw and (ARCHIVE / study / f"{target.shows or name}.csv").exists()
]


def drawn(study: str, name: str) -> Figure:
    """A figure of a study from its archived table, laid out."""
    one = found_studies()[study]
    target = one.targets[name]
    table = pd.read_csv(ARCHIVE / study / f"{target.shows or name}.csv")
    published = function(one.read)(ROOT / "reference" / one.published) if one.read else {}
    figure: Figure = function(target.draw)(table, published, "paper scale")
    figure.draw_without_rendering()
    return figure


def texts(artist: Artist) -> list[Text]:
    """Texts that are shown."""
    found = artist.findobj(lambda one: isinstance(one, Text) and one.get_visible() and bool(one.get_text().strip()))
    return [text for text in dict.fromkeys(found) if isinstance(text, Text)]


def tick_labels(axis: Axis) -> list[Text]:
    """Labels of the ticks within the axis."""
    low, high = sorted(axis.get_view_interval())
    ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    labels = [label for tick in ticks for label in (tick.label1, tick.label2)]
    return [label for label in labels if label.get_visible() and label.get_text()]


def overlapping(one: Text, other: Text) -> bool:
    first, second = one.get_window_extent(), other.get_window_extent()
    return bool(first.padded(-0.5).overlaps(second))


def marks(ax: Axes) -> np.ndarray:
    """Places (point, xy) of all data points of an axes, in pixels."""
    inside = [line for line in ax.lines if line.get_transform() == ax.transData]
    points = [ax.transData.transform(line.get_xydata()) for line in inside]
    found = np.concatenate([np.empty((0, 2)), *points])
    return found[np.isfinite(found).all(axis=1)]


def test_figures_of_every_study_are_looked_at():
    assert {study for study, _ in FIGURES} == {*found_studies()}
    assert len(FIGURES) >= 35


@pytest.mark.parametrize(("study", "name"), FIGURES)
def test_figure_is_legible(study, name):
    figure = drawn(study, name)
    assert not {text.get_text(): text.get_fontsize() for text in texts(figure) if float(text.get_fontsize()) < SMALLEST}
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            pairs = combinations(tick_labels(axis), 2)
            assert not [(one.get_text(), other.get_text()) for one, other in pairs if overlapping(one, other)]
        assert not covered(figure, ax).any()


def covered(figure: Figure, ax: Axes) -> np.ndarray:
    """For each data point of an axes and each legend, whether it lies below the legend."""
    legends = [legend for legend in (*figure.legends, ax.get_legend()) if legend]
    points, boxes = marks(ax), [legend.get_window_extent() for legend in legends]
    return np.array([(points > box.min).all(axis=1) & (points < box.max).all(axis=1) for box in boxes])


def test_a_small_text_would_be_found():
    figure = Figure()
    figure.text(0.5, 0.5, "tiny", fontsize=5.5)
    assert [text.get_fontsize() for text in texts(figure)] == [5.5]


def test_a_legend_on_data_and_overlapping_ticks_would_be_found():
    figure = Figure()
    ax = figure.subplots()
    ax.plot(np.linspace(0, 1, 200), np.linspace(0, 1, 200), label="line")
    ax.legend(loc="center")
    ax.set_xticks([0.5, 0.505])
    figure.draw_without_rendering()
    assert covered(figure, ax).any()
    assert overlapping(*tick_labels(ax.xaxis))
