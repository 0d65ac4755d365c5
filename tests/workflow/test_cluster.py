"""What a cluster's queue is asked for: few jobs, held little longer than they work, with limits that retries raise."""

from __future__ import annotations

import heapq
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml
from support import measured

from nqs.workflow.cluster import LEAST, MOST, WORK, Bundles, jobs_given, minutes
from nqs.workflow.configuration import load
from nqs.workflow.cost import Costs, read_timings
from nqs.workflow.order import Order
from nqs.workflow.stages import STAGES
from nqs.workflow.work import Work as WorkOf

ROOT = Path(__file__).parents[2]
PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
START = 10.0  # seconds until a job of a cluster has read the workflow twice
SCALES = ("smoke", "laptop", "paper")


@cache
def bundles_of(scale: str) -> Bundles:
    return Bundles(Order(Costs(WorkOf(load(ROOT, {"scale": scale})), read_timings(ROOT))))


def test_a_laptop_run_needs_at_most_a_hundred_jobs_of_a_cluster():
    bundles = bundles_of("laptop")
    assert len(bundles.submitted) > 500
    assert len(bundles.jobs()) <= 100


def test_the_page_says_how_many_jobs_there_are():
    page = (ROOT / "docs/cluster.md").read_text()
    table = {
        scale: (int(cells), int(jobs)) for scale, cells, jobs in re.findall(r"\| (\w+) \| (\d+) \| (\d+) \|", page)
    }
    assert table == {scale: (len(bundles_of(scale).submitted), len(bundles_of(scale).jobs())) for scale in SCALES}


def held(seconds: list[float], slots: int) -> float:
    """Core seconds of a job that runs cells of so many seconds on at most so many cores, the longest first."""
    ends = [START] * min(slots, len(seconds))
    for one in sorted(seconds, reverse=True):
        heapq.heapreplace(ends, ends[0] + one)
    return max(ends) * len(ends)


@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_nodes_are_held_for_at_most_twice_the_work(scale):
    bundles = bundles_of(scale)
    times = [[bundles.seconds(*job) for job in jobs] for jobs in bundles.jobs()]
    assert sum(held(one, PROFILE["resources"]["slots"]) for one in times) <= 2 * sum(map(sum, times))


@pytest.mark.parametrize("scale", SCALES)
def test_bundles_are_small_and_never_wait_for_themselves(scale):
    bundles = bundles_of(scale)
    for jobs in bundles.jobs():
        if len(jobs) > 1:
            assert len({(stage, bundles.level(stage, path)) for stage, path in jobs}) == 1
            assert sum(bundles.seconds(*job) for job in jobs) <= WORK
            assert len(jobs) <= MOST


def test_each_submitted_cell_is_in_one_job_and_long_ones_are_alone():
    bundles = bundles_of("paper")
    jobs = bundles.jobs()
    assert sorted(job for one in jobs for job in one) == sorted(bundles.submitted)
    alone = {one[0] for one in jobs if len(one) == 1}
    assert {job for job in bundles.submitted if bundles.seconds(*job) >= WORK} <= alone


def test_only_rows_that_compute_are_submitted():
    rows = {path.split("_")[0] for stage, path in bundles_of("laptop").submitted if stage == "rows"}
    assert rows == {"kufel2024"}


def test_run_time_follows_the_expected_time_and_doubles_on_retries():
    assert minutes(1.0, most=720) == LEAST
    assert minutes(600.0, most=720) == 100
    assert minutes(1e6, most=720) == 720
    assert [minutes(600.0, 720, attempt) for attempt in (1, 2, 3)] == [100, 200, 400]


def test_jobs_are_counted_from_the_command_line_of_a_node():
    line = "-m snakemake --target-jobs vmc:path=a vmc:path=b rows: --allowed-rules vmc --cores all"
    assert jobs_given(line.split()) == 3
    assert jobs_given(["-m", "snakemake", "all"]) == 0


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> dict[str, list[dict[str, str]]]:
    """Rule -> resources of its jobs in a dry run of everything, with what the profile sets but the executor."""
    options = [f"--{key}" for key in ("default-resources", "resources", "set-resource-scopes")]
    given = [[f"{name}={value}" for name, value in PROFILE[option[2:]].items()] for option in options]
    settings = [word for option, words in zip(options, given, strict=True) for word in (option, *words)]
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--dry-run", "--cores", "8"]
    done = subprocess.run([*command, *settings, "--config", "scale=smoke"], text=True, check=True,
                          cwd=tmp_path_factory.mktemp("dry"), capture_output=True)  # fmt: skip
    found: dict[str, list[dict[str, str]]] = {}
    for _, rule, body in re.findall(r"^( *)(?:local)?rule (\w+):\n((?:\1 {4}.*\n)+)", done.stdout + done.stderr, re.M):
        (line,) = re.findall(r"resources: (.*)", body)
        found.setdefault(rule, []).append(dict(part.split("=", 1) for part in line.split(", ")))
    return found


def test_every_job_states_memory_run_time_and_little_disk(asked):
    jobs = [job for jobs in asked.values() for job in jobs]
    assert len(jobs) > 200
    assert all(0 < int(job["runtime"]) <= 240 for job in jobs)
    assert all(0 < int(job["mem_mb"]) <= 4000 for job in jobs)
    assert all(0 < int(job["disk_mb"]) <= 1000 for job in jobs)


def test_trainings_of_seconds_ask_for_minutes(asked):
    trainings = [job for stage in ("supervised", "vmc", "motif_vmc", "reconfiguration") for job in asked[stage]]
    assert {job["runtime"] for job in trainings} == {str(LEAST)}


def test_every_stage_has_a_share_of_a_bundle(asked):
    assert all("slots" in job for stage in STAGES.keys() & asked.keys() for job in asked[stage])


def test_the_profile_names_partitions_that_its_file_describes():
    pytest.importorskip("snakemake_executor_plugin_slurm")
    from snakemake_executor_plugin_slurm.partitions import read_partition_file

    partitions = read_partition_file(ROOT / "profiles/slurm" / PROFILE["slurm-partition-config"])
    assert [one.name for one in partitions if one.limits.max_gpu] == ["gpu"]
    assert [one.name for one in partitions if not one.limits.max_gpu] == ["cpu"]


def test_every_setting_of_the_profile_is_known():
    fields = pytest.importorskip("snakemake_executor_plugin_slurm").ExecutorSettings.__dataclass_fields__
    ours = {key.removeprefix("slurm-").replace("-", "_") for key in PROFILE if key.startswith("slurm-")}
    assert ours
    assert ours <= fields.keys()


def test_what_tests_measure_replaces_what_a_page_says_between_its_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- measured: one -->\nold\n<!-- end -->\nb\n<!-- measured: two -->\nkept\n<!-- end -->\n")
    measured.write(page, "one", measured.table([{"fault": "scancel", "seconds": 7}]))
    assert "old" not in page.read_text()
    assert "| fault | seconds |\n| --- | --- |\n| scancel | 7 |\n\n<!-- end -->\nb\n" in page.read_text()
    assert "kept" in page.read_text()
    with pytest.raises(ValueError, match="no marker 'measured: three'"):
        measured.write(page, "three", "")
