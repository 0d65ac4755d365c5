"""The graph of rules of a study: stages by layer, then rows, then figures and tables, as boxes and curves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from nqs.studies.protocol import Study, shown_name
from nqs.workflow.report.costs import Cells, cells_behind
from nqs.workflow.work import Work, files_in

WIDTH, HEIGHT, GAP, COLUMN = 124, 26, 10, 162  # pixels: box, space below it, distance of columns
MARGIN = 8
LIFT = 22  # of an arrow for every column that it passes


@dataclass(frozen=True)
class Box:
    """A rule: its key, what stands in it, its place, and the key of what it leads to on the page."""

    key: str
    label: str
    column: int
    y: float
    count: int = 0
    link: str = ""

    @property
    def x(self) -> float:
        """Left edge."""
        return MARGIN + COLUMN * self.column


@dataclass(frozen=True)
class Graph:
    """Boxes by key and arrows between keys."""

    boxes: Mapping[str, Box]
    arrows: frozenset[tuple[str, str]]

    @property
    def width(self) -> float:
        """Pixels from edge to edge."""
        return max((box.x for box in self.boxes.values()), default=0) + WIDTH + MARGIN

    @property
    def height(self) -> float:
        """Pixels from top to bottom."""
        return max((box.y for box in self.boxes.values()), default=0) + HEIGHT + MARGIN

    def curve(self, arrow: tuple[str, str]) -> str:
        """Path of an arrow as SVG writes it."""
        one, two = self.boxes[arrow[0]], self.boxes[arrow[1]]
        x0, y0, x1, y1 = one.x + WIDTH, one.y + HEIGHT / 2, two.x, two.y + HEIGHT / 2
        bend, lift = (x1 - x0) / 2, 0 if two.link else LIFT * (two.column - one.column - 1)  # over boxes between
        return f"M{x0:g} {y0:g}C{x0 + bend:g} {y0 - lift:g} {x1 - bend:g} {y1 - lift:g} {x1:g} {y1:g}"


def graph(work: Work, study: Study) -> Graph:
    """The rules behind all figures and tables of a study."""
    shown = [name for name, target in study.targets.items() if target.kind != "rows"]
    makers = [name for name, target in study.targets.items() if not target.shows]
    cells = set().union(*(cells_behind(work, study, name) for name in makers))
    arrows = stage_arrows(work, cells) | row_arrows(work, study, makers)
    arrows |= {(f"rows {study.targets[name].shows or name}", f"shown {name}") for name in shown}
    layers = layers_of({stage for stage, _ in cells}, arrows)
    names = {f"rows {name}": f"rows of {spoken(name)}" for name in makers}
    names |= {f"shown {name}": spoken(name) for name in shown}
    return placed(layers, names, arrows, Counter(stage for stage, _ in cells), study)


def spoken(name: str) -> str:
    """A target as a reader would call it; tables between stages and figures keep their name."""
    return shown_name(name) if name.startswith(("fig", "table")) else name


def stage_arrows(work: Work, cells: Cells) -> set[tuple[str, str]]:
    """Which stage hands files to which."""
    inputs = ((stage, file) for stage, path in cells for file in files_in(work.cell(stage, path).inputs))
    found = {(work.origin(file)[0], stage) for stage, file in inputs}
    return {(one, two) for one, two in found if one != two}  # some cells of a stage need others of it


def row_arrows(work: Work, study: Study, makers: list[str]) -> set[tuple[str, str]]:
    """Which stages, and rows of which other targets, rows are made from."""
    found = set()
    for name in makers:
        for file in files_in(work.inputs(study, study.targets[name])):
            stage, path = work.origin(file)
            source = f"rows {work.maker(study, path.split('/')[-1])}" if stage == "analysis" else stage
            found.add((source, f"rows {name}"))
    return found


def layers_of(keys: set[str], arrows: set[tuple[str, str]]) -> dict[str, int]:
    """Column of every key among its like: one more than the last of those before it."""
    layers = dict.fromkeys(keys, 0)
    for _ in keys:
        for one, two in arrows:
            if one in layers and two in layers:
                layers[two] = max(layers[two], layers[one] + 1)
    return layers


def placed(
    layers: dict[str, int], names: dict[str, str], arrows: set[tuple[str, str]], cells: Counter[str], study: Study
) -> Graph:
    """The boxes at their places: stages in columns, rows and what is shown in the last two, level with one another."""
    last = max(layers.values(), default=-1) + 1
    makers = [key for key in names if key.startswith("rows ")]
    columns = {key: last + column for key, column in layers_of({*makers}, arrows).items()}
    lines = max([len(makers), *Counter(layers.values()).values()])
    boxes: dict[str, Box] = {}
    for place, key in enumerate(makers):
        boxes[key] = Box(key, names[key], columns[key], level(place))
    for column in reversed(range(last)):
        inside = sorted(
            (stage for stage, at in layers.items() if at == column), key=lambda one: mean_y(one, arrows, boxes)
        )
        for place, stage in enumerate(inside):
            boxes[stage] = Box(stage, stage.replace("_", " "), column, spread(place, len(inside), lines), cells[stage])
    end = max(columns.values(), default=last) + 1
    for one, two in sorted(arrows):
        if two.startswith("shown "):
            name = two.removeprefix("shown ")
            boxes[two] = Box(two, names[two], end, boxes[one].y, link=f"{study.name}_{name}")
    return Graph(apart(boxes, end), frozenset(arrows))


def level(place: float) -> float:
    """Top of the box at a place of its column."""
    return MARGIN + place * (HEIGHT + GAP)


def spread(place: int, number: int, lines: int) -> float:
    """Top of a box of a column with few, over the height of the column with most."""
    return level((place + 0.5) * lines / number - 0.5)


def mean_y(key: str, arrows: set[tuple[str, str]], boxes: Mapping[str, Box]) -> float:
    """Mean height of the boxes that a box leads to, so that arrows cross less."""
    heights = [boxes[two].y for one, two in arrows if one == key and two in boxes]
    return sum(heights) / len(heights) if heights else 0.0


def apart(boxes: dict[str, Box], column: int) -> dict[str, Box]:
    """The boxes with those of one column moved down where they would cover each other."""
    lowest = -1e9
    for key, box in sorted(boxes.items(), key=lambda item: item[1].y):
        if box.column == column:
            y = max(box.y, lowest + HEIGHT + GAP)
            boxes[key], lowest = Box(box.key, box.label, box.column, y, box.count, box.link), y
    return boxes
