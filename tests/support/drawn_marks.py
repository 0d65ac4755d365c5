"""What a figure shows, for the tests of the figures of Westerhout et al. (2020)."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure


def error_bars(ax: Axes) -> list[ErrorbarContainer]:
    """What `errorbar` drew, in order."""
    return [container for container in ax.containers if isinstance(container, ErrorbarContainer)]


def hollow(ax: Axes) -> dict[str, np.ndarray]:
    """Published points (x, y) of an axes by colour."""
    return {
        to_hex(line.get_color()).upper(): np.column_stack([np.asarray(line.get_xdata()), np.asarray(line.get_ydata())])
        for line in ax.lines
        if line.get_markerfacecolor() == "none"
    }


def drawn(ax: Axes) -> dict[str, np.ndarray]:
    """Curves (x, y) of an axes by label."""
    return {
        str(container.get_label()): np.column_stack(container.lines[0].get_data(orig=False))
        for container in error_bars(ax)
    }


def bar_ends(container: ErrorbarContainer) -> np.ndarray:
    """Lower and upper ends (point, end) of vertical error bars."""
    return np.array([segment[:, 1] for segment in container.lines[2][0].get_segments()])


def legend(fig: Figure) -> list[str]:
    return [text.get_text() for text in fig.legends[0].get_texts()]


def small_print(fig: Figure) -> str:
    return fig.get_supxlabel().replace("\n", " ")


def check_layout(fig: Figure) -> None:
    """Assert that nothing is clipped, no text lies on another, and no line of the small print breaks a formula."""
    FigureCanvasAgg(fig).draw()
    words = [text for text in fig.texts if text.get_text()]
    assert len(words) == 1
    for artist in (*fig.axes, *fig.legends, *words):
        box = artist.get_tightbbox()
        assert box is not None
        assert 0 <= box.x0 <= box.x1 <= fig.bbox.x1
        assert 0 <= box.y0 <= box.y1 <= fig.bbox.y1
    boxes = [legend.get_window_extent() for legend in fig.legends] + [words[0].get_window_extent()]
    for ax in fig.axes:
        boxes += _texts_of(ax)
        if (key := ax.get_legend()) is not None:
            boxes.append(key.get_window_extent())
    for one, other in combinations(boxes, 2):
        shrunk = one.padded(-0.5)  # neighbours may touch
        assert not shrunk.overlaps(other), (one, other)
    assert all(line.count("$") % 2 == 0 for line in fig.get_supxlabel().split("\n"))


def _texts_of(ax: Axes) -> list:
    """Boxes of titles, labels of axes and labels of ticks, also of a second axis above."""
    texts = [ax.title, ax._left_title]  # type: ignore[attr-defined]
    for part in (ax, *ax.child_axes):
        texts += [part.xaxis.label, part.yaxis.label]
        for axis in (part.xaxis, part.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if low <= tick.get_loc() <= high:
                    texts += [label for label in (tick.label1, tick.label2) if label.get_visible()]
    return [text.get_window_extent() for text in texts if text.get_visible() and text.get_text()]
