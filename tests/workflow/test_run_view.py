"""The view of a run, on small runs of a real Snakemake with and without a terminal, and its sums on made events."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.interrupts import heed_signals

from nqs.workflow.run_state import RunningJob, RunState, job_of, last_lines, stage_of
from nqs.workflow.run_view import running_line

SOURCES = Path(__file__).parents[2] / "src"
WORKFLOW = """
rule all:
    default_target: True
    input: "results/smoke/figures/demo.pdf", "results/smoke/other"
    localrule: True

rule dataset:
    output: "results/smoke/dataset/{path}.h5"
    log: "results/smoke/logs/dataset/{path}.log"
    benchmark: "results/smoke/benchmarks/dataset/{path}.tsv"
    shell: "echo 'dataset: 3 of 8 finished' > {log}; SLEEP; touch {output}"

rule ju2025_fig1:
    input: "results/smoke/dataset/ring8.h5", "results/smoke/dataset/ring10.h5"
    output: "results/smoke/figures/demo.pdf"
    log: "results/smoke/logs/figures/ju2025_fig1.log"
    shell: "DRAW"

rule other:
    output: "results/smoke/other"
    shell: "touch {output}"
"""


def snakemake(folder: Path, sleep: str = "true", draw: str = "touch {output}", *options: str) -> list[str]:
    """Write the workflow and return the command that runs it in our view."""
    (folder / "Snakefile").write_text(WORKFLOW.replace("SLEEP", sleep).replace("DRAW", draw))
    return [sys.executable, "-m", "snakemake", "--logger=nqs", "--cores", "2", *options]


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCES), **changes}


def run(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)


def on_terminal(folder: Path, command: list[str]) -> tuple[int, str]:
    """Exit code and what a terminal gets to see, escapes included."""
    main, other = pty.openpty()
    process = subprocess.Popen(
        command, cwd=folder, env=environment(TERM="xterm", COLUMNS="100"), stdout=other, stderr=other
    )
    os.close(other)
    seen = b""
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:  # how Linux says that nobody writes any more
            break
        if not part:
            break
        seen += part
    os.close(main)
    return process.wait(), seen.decode()


def test_without_a_terminal_there_is_a_line_per_figure_and_no_word_of_snakemake(tmp_path):
    done = run(tmp_path, snakemake(tmp_path))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert re.match(r"figures and tables 0 of 1 · jobs 0 of 4 · .* so far · time left unknown", lines[0])
    assert "ju2025_fig1 (1 of 1)" in lines
    assert re.match(r"4 of 4 jobs done in ", lines[-1])
    assert "\x1b" not in done.stdout
    assert done.stderr == ""
    (log,) = (tmp_path / ".snakemake/log").glob("*.log")
    assert "4 of 5 steps" in log.read_text() or "5 of 5 steps" in log.read_text()
    again = run(tmp_path, snakemake(tmp_path))
    assert (again.returncode, again.stdout) == (0, "Nothing to do: every output is there and up to date.\n")


def test_a_terminal_shows_bars_and_the_last_line_of_a_running_job_and_gets_its_cursor_back(tmp_path):
    code, seen = on_terminal(tmp_path, snakemake(tmp_path, sleep="sleep 4"))
    assert code == 0
    assert "dataset ring8: 3 of 8 finished" in seen
    assert "2 of 2" in seen
    assert "figures and tables 1 of 1 · jobs 4 of 4" in seen
    assert seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l")
    assert "Finished jobid" not in seen


@pytest.mark.parametrize("terminal", [False, True])
def test_a_failed_job_is_shown_once_with_the_end_of_its_log(tmp_path, terminal):
    draw = "(seq 40; echo 'error: no such table') > {log}; exit 3"
    command = snakemake(tmp_path, "true", draw, "--keep-going")
    if terminal:
        code, seen = on_terminal(tmp_path, command)
    else:
        done = run(tmp_path, command)
        code, seen = done.returncode, done.stdout + done.stderr
    assert code == 1
    assert seen.count("failed: ju2025_fig1") == 1
    assert seen.count("| error: no such table") == 1
    assert "| 27" in seen
    assert "| 26" not in seen  # the last 15 lines
    assert "its log: results/smoke/logs/figures/ju2025_fig1.log" in seen
    assert "3 of 4 jobs done" in seen
    assert "1 failed; what is done is kept" in seen
    assert re.search(r"Snakemake's log: .*\.snakemake\.log", seen)


def test_an_error_before_the_first_job_is_snakemakes_own(tmp_path):
    done = run(tmp_path, [*snakemake(tmp_path), "no_such_target"])
    assert done.returncode == 1
    assert "no_such_target" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_its_jobs_and_the_view(tmp_path, number):
    command = snakemake(tmp_path, sleep="sleep 60")
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
        preexec_fn=heed_signals,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while len(list((tmp_path / "results/smoke/logs/dataset").glob("*.log"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, number)
    seen, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "jobs done in" in seen
    assert "Traceback" not in seen


def test_rules_are_counted_by_stage():
    state = RunState()
    state.plan({"all": 1, "ju2025": 1, "total": 9, "supervised": 4, "rows_ju2025_fig1": 1, "ju2025_fig1": 1, "x": 1})
    assert state.jobs() == (0, 7)
    assert state.stages() == {"supervised": (0, 4), "rows": (0, 1), "figures": (0, 1), "x": (0, 1)}
    assert [stage_of(rule) for rule in ("ju2025_table1", "ju2025_claims")] == ["tables", "claims"]
    state.start(1, job("supervised", 0.0))
    assert state.finish(1, 7.0)
    assert state.stages()["supervised"] == (1, 4)


def job(rule: str, begin: float, threads: int = 1) -> RunningJob:
    return RunningJob(rule, rule, (), threads, begin)


def test_time_left_is_work_over_cores_and_at_least_the_longest_job():
    state = RunState(cores=2)
    state.plan({"supervised": 5, "overlaps": 1})
    times = {"supervised": 10.0, "overlaps": 4.0}
    assert state.seconds_left(0.0, times.get) == (27.0, True)
    assert state.seconds_left(0.0, {"overlaps": 4.0}.get) == (4.0, False)
    state.start(1, job("supervised", 0.0))
    assert state.seconds_left(6.0, times.get) == (24.0, True)
    state.finish(1, 20.0)  # what this run took counts, no longer what earlier ones did
    assert state.seconds_left(20.0, times.get) == (42.0, True)
    state.fail(2, job("supervised", 20.0))
    assert state.seconds_left(20.0, times.get) == (32.0, True)
    state.plan({"supervised": 2, "overlaps": 0})
    state.failed.clear()
    state.start(3, job("supervised", 20.0))
    assert state.seconds_left(25.0, times.get) == (15.0, True)  # one job on two cores


def test_jobs_are_named_by_rule_and_path():
    found = job_of({"rule_name": "dataset", "wildcards": {"path": "ring8/j2_0"}, "log": ["a.log"], "threads": 2}, 1.0)
    assert found == RunningJob("dataset", "dataset ring8/j2_0", (Path("a.log"),), 2, 1.0)


def test_last_lines_are_those_that_say_something(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("one\n\ntwo\r50 %\r100 %\n\n")
    assert last_lines(log, 2) == ["50 %", "100 %"]
    log.write_bytes(b"x" * 100_000 + b"\nlast \xff\n")
    assert last_lines(log, 1) == ["last \ufffd"]
    assert last_lines(tmp_path / "none.log", 3) == []


def test_a_long_name_keeps_its_end_beside_the_last_line_of_the_log(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("dataset: 3 of 8 finished\n")
    short = RunningJob("dataset", "dataset ring8", (log,), 1, 0.0)
    assert running_line(short, 80) == "dataset ring8: 3 of 8 finished"
    long = RunningJob("dataset", f"dataset {'x' * 100}/seed7", (log,), 1, 0.0)
    line = running_line(long, 80)
    assert line.startswith("…")
    assert "/seed7: 3 of 8 finished" in line
    assert len(line) < 80
    log.write_text("y" * 200)
    assert len(running_line(long, 80)) < 80
