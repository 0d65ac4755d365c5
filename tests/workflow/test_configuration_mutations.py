"""Configurations changed at random: each one that cannot be computed is refused with its key, each other one plans."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nqs.runtime.errors import ConfigError
from nqs.workflow.configuration import load, merge, read_yaml
from nqs.workflow.work import Work

ROOT = Path(__file__).parents[2]
VALID = merge(read_yaml(ROOT / "config.yaml"), read_yaml(ROOT / "presets/smoke.yaml"))
Place = tuple[Any, ...]


def places(value: Any, here: Place = ()) -> list[Place]:
    """Where every value of a configuration stands: keys of blocks, numbers of entries."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(place for name, part in inner for place in places(part, (*here, name)))]


PLACES = [place for place in places(VALID) if place and place != ("scale",)]
WRONG: list[Any] = [
    *(None, True, False, [], [[]], [None], [1, 1], {}, {"": 1}, {"x": {}}, [{}], list(range(5))),
    *(0, -1, 1, 2, 3, 7, 10**9, 10**18, 10**400, 0.5, -0.0, 1e-300, 1e6, 1e308, float("nan"), float("inf")),
    *("", "yes", "1:30", "010", "dense1", "square24", "Schrödinger", "x" * 300, "../x", "a/b", "{path}", "%s", "\x00"),
]
values = st.sampled_from(WRONG) | st.integers() | st.floats() | st.text(max_size=8)


@st.composite
def mutations(draw: Any) -> tuple[Place, dict[str, Any]]:
    """A place of the configuration, and the configuration with something else there."""
    changed, place = copy.deepcopy(VALID), draw(st.sampled_from(PLACES))
    parent = changed
    for name in place[:-1]:
        parent = parent[name]
    last = place[-1]
    kind = draw(st.sampled_from(["replace", "replace", "remove", "add", "nest", "double"]))
    if kind == "remove":
        del parent[last]
    elif kind == "add" and isinstance(parent, dict):
        new = draw(st.text(max_size=6)) if draw(st.booleans()) else f"{last}s"
        parent[new] = draw(values)
        return (*place[:-1], new), changed
    elif kind == "nest":
        parent[last] = draw(st.sampled_from([[parent[last]], {"x": parent[last]}]))
    elif kind == "double" and isinstance(parent[last], list):
        parent[last] = parent[last] * 2
    else:
        parent[last] = draw(values)
    return place, changed


def is_named(place: Place, message: str) -> bool:
    """Whether an error names the place, a place it lies in below the study's block, or what it refers to."""
    words = [str(part) for part in place if isinstance(part, str)]
    return any(word in message for word in words[-2:])


def plans_or_is_refused(place: Place, changed: dict[str, Any]) -> None:
    """A configuration has all its jobs with settings and files, or is refused with the key in one line each."""
    try:
        config, refusal = load(ROOT, changed), ""
    except ConfigError as error:
        refusal = str(error)
    if refusal:
        assert is_named(place, refusal), f"{place}: {refusal}"
        assert "Traceback" not in refusal
        return
    work = Work(config)
    for cell in work.cells.values():
        assert cell.settings()
        for part in cell.path.split("/"):
            assert 0 < len(part) < 200
            assert not {*part} & {*"{}\x00"}
    for study, _, target in work.targets():
        work.inputs(study, target)
        work.settings(study, target)
    for file in work.ground_states:
        assert work.cell(*work.origin(file)).settings()["j2"] is not None


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(mutations())
def test_a_changed_configuration_plans_or_is_refused_with_its_key(mutation):
    plans_or_is_refused(*mutation)


@pytest.mark.long
@settings(
    max_examples=5000,
    derandomize=False,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(mutations())
def test_many_changed_configurations_plan_or_are_refused_with_their_keys(mutation):
    plans_or_is_refused(*mutation)


@pytest.mark.parametrize("place", [("mummaneni2026", "small", "alpha"), ("networks", "dense1", "hidden", 0), ("seed",)])
def test_an_integer_too_large_for_a_float_is_refused_with_its_key(place):
    changed = copy.deepcopy(VALID)
    parent = changed
    for name in place[:-1]:
        parent = parent[name]
    parent[place[-1]] = 10**400
    with pytest.raises(ConfigError, match=re.escape(".".join(map(str, place)) + ": an integer of 1329 bits")):
        load(ROOT, changed)
