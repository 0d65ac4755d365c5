"""The order of the wings: imports run down, studies do not know one another, no circles; the page of it is current."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONGEST_MODULE = 350


def load():
    spec = importlib.util.spec_from_file_location("architecture", ROOT / "tools" / "architecture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


architecture = load()
GRAPH = architecture.graph()
ORDER = list(architecture.WINGS)


def upward(graph):
    """Imports from a wing to one above it."""
    height = {name: -place for place, name in enumerate(ORDER)}
    wing = architecture.wing
    return [(one, two) for one, targets in graph.items() for two in targets if height[wing(one)] < height[wing(two)]]


def circles(graph):
    """Modules that import each other, directly or not."""

    def reached(start):
        seen, todo = set(), list(graph[start])
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += graph[name]
        return seen

    return sorted(name for name in graph if name in reached(name))


def test_every_module_has_a_wing():
    assert {architecture.wing(name) for name in GRAPH} == set(ORDER)
    assert len(GRAPH) > 90


def test_imports_run_down():
    assert upward(GRAPH) == []


def test_an_arrow_that_runs_up_is_found():
    assert upward({"runtime.files": {"vmc.loop"}, "vmc.loop": set()}) == [("runtime.files", "vmc.loop")]


def test_no_study_imports_another():
    def study(name):
        parts = name.split(".")
        return parts[1] if parts[0] == "studies" and len(parts) > 2 else None

    crossing = [
        (one, two) for one, targets in GRAPH.items() for two in targets
        if study(one) and study(two) and study(one) != study(two)
    ]  # fmt: skip
    assert crossing == []


def test_no_circles():
    assert circles({"a": {"b"}, "b": {"a"}, "c": {"a"}}) == ["a", "b"]
    assert circles(GRAPH) == []


def test_the_workflow_knows_studies_by_their_object_only():
    known = {two for one, targets in GRAPH.items() for two in targets if one.startswith("workflow.")}
    assert {name for name in known if name.startswith("studies.")} == {"studies.protocol"}


def test_modules_can_be_read_in_one_sitting():
    lengths = {name: len(path.read_text().splitlines()) for name, path in architecture.modules().items()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_the_page_of_the_architecture_is_current():
    assert architecture.PAGE.read_text() == architecture.page()
