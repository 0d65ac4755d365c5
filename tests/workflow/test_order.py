"""Cheap figures come first: what cells are expected to cost, and the priorities made of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from nqs.runtime.errors import ConfigError
from nqs.workflow.configuration import load
from nqs.workflow.cost import FILE, Costs, Timing, read_timings
from nqs.workflow.order import Order
from nqs.workflow.stages import STAGES
from nqs.workflow.work import Work

ROOT = Path(__file__).parents[2]


def order_of(scale, **changes):
    return Order(Costs(Work(load(ROOT, {"scale": scale, **changes})), read_timings(ROOT)))


@pytest.fixture(scope="module")
def order():
    return order_of("laptop")


def behind(order):
    """Every target with all jobs before its drawing."""
    return {(study.name, name): order._behind(study, name) for study, name, _ in order.work.targets()}


def test_the_next_target_is_always_the_one_that_costs_least_besides_what_is_shared(order):
    jobs = behind(order)
    done: set[tuple[str, str]] = set()
    for place, target in enumerate(order.targets):
        price = {other: sum(order.seconds[job] for job in jobs[other] - done) for other in order.targets[place:]}
        assert price[target] <= min(price.values()) + 1e-9
        done |= jobs[target]


def test_a_job_has_the_place_of_the_first_target_that_needs_it(order):
    jobs = behind(order)
    place = {target: number for number, target in enumerate(order.targets)}
    for job, rank in order.rank.items():
        assert rank == min(place[target] for target, needed in jobs.items() if job in needed)


def test_every_cell_of_a_target_is_before_its_rows_and_goes_before_dearer_targets(order):
    study = order.work.studies["westerhout2020"]
    for name in ("fig1", "fig2"):
        assert order.priority("rows", f"westerhout2020_{name}") >= order.of_target(study, name)
    assert order.of_target(study, "fig1") > order.of_target(study, "fig2")
    assert order.priority("momentum_check", "square24") == 0


def test_all_stages_but_the_check_on_request_have_timings():
    assert {*STAGES, "rows", "figures", "tables", "claims"} - read_timings(ROOT).keys() == {"momentum_check"}


@pytest.mark.parametrize("scale", ["smoke", "laptop", "paper"])
def test_every_cell_has_a_cost(scale):
    order = order_of(scale)
    timings = read_timings(ROOT)
    assert all(order.seconds[job] > timings[job[0]].per_job for job in order.rank if job[0] != "rows")


def test_paper_scale_costs_more_and_more_repeats_too(order):
    total = sum(order.seconds.values())
    assert sum(order_of("paper").seconds.values()) > 10 * total
    more = order_of("laptop", mummaneni2026={"sweep": {"repeats": 8}})
    assert (
        more.seconds["vmc", "mummaneni2026/ring16/rbm2-paper-sweep"]
        > 2 * (order.seconds["vmc", "mummaneni2026/ring16/rbm2-paper-sweep"])
    )


def test_snakemake_sees_the_priorities(tmp_path, order):
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(tmp_path)]
    options = ["--cores", "1", "--dry-run", "--config", "scale=laptop", "--", "westerhout2020_fig1", "ju2025_table1"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    text = done.stdout + done.stderr
    found = dict(re.findall(r"^rule (\w+):\n(?:    .*\n)*?    priority: (\d+)", text, re.M))
    study = order.work.studies["ju2025"]
    assert int(found["ju2025_table1"]) == order.of_target(study, "table1")
    assert int(found["hamiltonian"]) == order.priority("hamiltonian", "ring8")
    assert int(found["rows_westerhout2020_fig1"]) == order.priority("rows", "westerhout2020_fig1")


@pytest.mark.parametrize("text", ["", "stage,per_job\nvmc,1\n", "stage,per_job,per_unit\nvmc,1,fast\n"])
def test_a_damaged_table_of_timings_is_named(tmp_path, text):
    file = tmp_path / FILE
    if text:
        file.parent.mkdir()
        file.write_text(text)
    with pytest.raises(ConfigError, match=r"timings\.csv: cannot be read"):
        read_timings(tmp_path)


def test_timings_are_seconds_of_a_job_and_of_what_drives_it(tmp_path):
    (tmp_path / "reference").mkdir()
    (tmp_path / FILE).write_text("# a comment\nstage,per_job,per_unit\nvmc,1.5,2e-9\n")
    assert read_timings(tmp_path) == {"vmc": Timing(1.5, 2e-9)}
