"""`./nqs plan`: jobs of a small workflow, with times from its earlier benchmarks."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from nqs.runtime.errors import InputError
from nqs.workflow import machine_speed
from nqs.workflow.configuration import load
from nqs.workflow.cost import Costs, read_timings
from nqs.workflow.plan import (
    Job,
    available_cores,
    costs_of,
    duration,
    expected_seconds,
    parse_jobs,
    plan,
    read_seconds,
    summary,
)
from nqs.workflow.work import Work

ROOT = Path(__file__).parents[2]

SNAKEFILE = """
rule all:
    input: expand("results/laptop/overlap/{i}.txt", i=range(3))
rule state:
    output: "results/{scale}/state/{i}.txt"
    benchmark: "results/{scale}/benchmarks/state/{i}.tsv"
    threads: 2
    shell: "echo {wildcards.i} > {output}"
rule overlap:
    input: "results/{scale}/state/{i}.txt"
    output: "results/{scale}/overlap/{i}.txt"
    benchmark: "results/{scale}/benchmarks/overlap/{i}.jsonl"
    shell: "cp {input} {output}"
"""


@pytest.fixture
def workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with the small workflow."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_benchmark(folder: Path, name: str, seconds: float) -> None:
    path = folder / "results/laptop/benchmarks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    table = f"s\th:m:s\n{seconds}\t0:00:00\n"
    path.write_text(f'{{"s": {seconds}}}\n' if path.suffix == ".jsonl" else table)


def test_jobs_and_unknown_times_of_a_first_run(workflow, capsys):
    assert plan([]) == 0
    printed = capsys.readouterr().out
    rows = {line.split()[0]: line.split()[1:] for line in printed.splitlines() if line}
    assert rows["state"] == ["3", "?", "?"]
    assert rows["overlap"] == ["3", "?", "?"]
    assert "all" not in rows
    assert "6 jobs; no earlier run" in printed


def test_times_come_from_earlier_jobs_of_the_rule(workflow, capsys):
    write_benchmark(workflow, "state/7.tsv", 100.0)
    write_benchmark(workflow, "state/8.tsv", 50.0)
    write_benchmark(workflow, "overlap/7.jsonl", 2.0)
    assert plan(["results/laptop/overlap/0.txt"], ["--cores", "2"]) == 0
    printed = capsys.readouterr().out
    assert "1 min 15 s" in printed  # the mean of 100 s and 50 s
    assert "2 jobs, about 1 min 16 s on 2 cores." in printed  # (75 s x 2 threads + 2 s) / 2


def test_another_scale_has_its_own_times(workflow, capsys):
    write_benchmark(workflow, "state/7.tsv", 100.0)
    assert plan(["results/paper/state/7.txt"]) == 0
    assert "no earlier run" in capsys.readouterr().out


def test_nothing_to_do_after_a_run(workflow, capsys):
    run = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"]
    subprocess.run(run, check=True, capture_output=True)
    assert plan([]) == 0
    assert "Nothing to do" in capsys.readouterr().out
    assert read_seconds(workflow / "results/laptop/benchmarks/overlap/0.jsonl")


def test_unknown_target_is_snakemakes_error(workflow, capsys):
    assert plan(["no_such_figure"]) == 1
    assert "No rule to produce no_such_figure" in capsys.readouterr().err


def test_jobs_of_a_dry_run_text():
    text = "\n[today]\nrule state:\n    output: a\n    benchmark: b/benchmarks/state/a.tsv\n"
    text += "    threads: 2\n[today]\nlocalrule all:\n    input: a\nJob stats:\n"
    assert list(parse_jobs(text)) == [Job("state", Path("b/benchmarks/state/a.tsv"), 2)]


@pytest.mark.parametrize("content", ["", "s\n", "cpu\n1\n", "s\nabc\n"])
def test_a_benchmark_file_that_was_cut_off_counts_as_none(tmp_path, content):
    path = tmp_path / "a.tsv"
    path.write_text(content)
    assert read_seconds(path) == []


def test_unknown_rules_are_said_not_counted(tmp_path):
    write_benchmark(tmp_path, "state/0.tsv", 4.0)
    benchmarks = tmp_path / "results/laptop/benchmarks"
    jobs = [Job(rule, benchmarks / rule / "0.tsv", 1) for rule in ("state", "vmc")]
    text = "2 jobs, about 4.0 s on 4 cores, not counting 1 whose rule has not run yet."
    assert summary(expected_seconds(jobs), 4) == text


@pytest.mark.parametrize(
    ("arguments", "cores"),
    [(["--cores", "3"], 3), (["-c5"], 5), (["x", "--cores=7"], 7), (["-j", "2"], 2)],
)
def test_cores_asked_for(arguments, cores):
    assert available_cores(arguments) == cores


def test_all_cores_by_default():
    assert available_cores([]) == available_cores(["--cores", "all"]) >= 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.25, "0.2 s"),
        (42, "42 s"),
        (59.7, "1 min 0 s"),
        (200, "3 min 20 s"),
        (18600, "5 h 10 min"),
    ],
)
def test_durations_as_people_read_them(seconds, text):
    assert duration(seconds) == text


@pytest.fixture
def costs():
    """The cost model of smoke scale."""
    return Costs(Work(load(ROOT, {"scale": "smoke"})), read_timings(ROOT))


def cells(costs, stage, folder):
    """Jobs of all cells of a stage, and their modelled seconds."""
    paths = [path for one, path in costs.work.cells if one == stage]
    jobs = [Job(stage, folder / f"results/smoke/benchmarks/{stage}/{path}.tsv", 1) for path in paths]
    return jobs, [costs.seconds(stage, path) for path in paths]


def test_a_first_run_is_estimated_from_reference_timings_and_this_machine(tmp_path, costs, monkeypatch):
    monkeypatch.setattr(machine_speed, "rounds_per_second", lambda: costs.timings["machine"].per_job / 2)
    jobs, modelled = cells(costs, "supervised", tmp_path)
    assert [seconds for _, seconds in expected_seconds(jobs, costs)] == pytest.approx([2 * one for one in modelled])


def test_own_benchmarks_scale_the_model(tmp_path, costs, monkeypatch):
    monkeypatch.setattr(machine_speed, "rounds_per_second", lambda: 1 / 0)  # not asked for
    jobs, modelled = cells(costs, "vmc", tmp_path)
    jobs[0].benchmark.parent.mkdir(parents=True)
    jobs[0].benchmark.write_text(f"s\th:m:s\n{3 * modelled[0]}\t0:00:00\n")
    assert [seconds for _, seconds in expected_seconds(jobs, costs)] == pytest.approx([3 * one for one in modelled])


def test_the_configuration_of_the_plan_is_that_of_the_call(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = costs_of(["all", "--cores", "2", "--config", "scale=smoke", "seed=4"])
    assert found is not None
    assert (found.work.config.scale, found.work.config.seed) == ("smoke", 4)


def test_outside_the_project_there_is_no_model(workflow):
    assert costs_of([]) is None


def test_the_speed_of_the_machine_is_that_of_all_cores_at_work(monkeypatch):
    calls: list[list[str]] = []
    start = machine_speed.subprocess.Popen

    def noted(command, **how):
        calls.append(command)
        return start(command, **how)

    monkeypatch.setattr(machine_speed.subprocess, "Popen", noted)
    monkeypatch.setattr(machine_speed.os, "cpu_count", lambda: 3)
    assert machine_speed.rounds_per_second(0.3) > 100
    assert len(calls) == 3


def test_reference_timings_are_fitted_to_a_run(tmp_path, costs):
    tool = SimpleNamespace(**runpy.run_path(str(ROOT / "tools/reference_timings.py")))
    per_job, per_unit = 2.0, 1e-9
    for job in cells(costs, "vmc", tmp_path)[0]:
        path = job.benchmark.relative_to(tmp_path / "results/smoke/benchmarks/vmc").with_suffix("").as_posix()
        job.benchmark.parent.mkdir(parents=True, exist_ok=True)
        seconds = per_job + per_unit * costs.units("vmc", path)
        job.benchmark.write_text(f"s\tmean_load\n{2 * seconds}\t50\n" if 2 * seconds > 5 else f"s\n{seconds}\n")
    (found,) = tool.timings(tmp_path / "results/smoke", costs).items()
    assert found[0] == "vmc"
    assert found[1] == pytest.approx((per_job, per_unit), rel=1e-3)
    with pytest.raises(InputError, match="no benchmarks"):
        tool.timings(tmp_path / "elsewhere", costs)


def test_jobs_of_a_group_are_found():
    printed = """\
group job dataset_3_1 (jobs in lexicogr. order):
    [Thu Nov 26 22:15:00 2026]
    rule dataset:
        output: a.h5
        benchmark: results/smoke/benchmarks/dataset/a.tsv
        resources: mem_mb=1000
    [Thu Nov 26 22:15:00 2026]
    rule dataset:
        benchmark: results/smoke/benchmarks/dataset/b.tsv
        threads: 2
[Thu Nov 26 22:15:00 2026]
rule all:
    input: a.h5
"""
    first, second = (Path(f"results/smoke/benchmarks/dataset/{name}.tsv") for name in "ab")
    assert [*parse_jobs(printed)] == [Job("dataset", first, 1), Job("dataset", second, 2)]
