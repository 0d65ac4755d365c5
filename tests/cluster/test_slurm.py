"""The workflow on a real Slurm, through profiles/slurm: what jobs ask for, and that no fault changes a number."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest
from cluster.private_slurm import Slurm, asked, wait_until
from cluster.runs import CHAIN, SMOKE, TARGET, TRAINING, Run, assert_same_numbers, run, work

pytestmark = pytest.mark.cluster
Rows = dict[str, list[dict[str, object]]]
STAGES = {"hamiltonian", "ground_state", "dataset", "supervised", "overlaps"}


def submitted(jobs: list[dict[str, str]], stage: str) -> list[dict[str, str]]:
    """Jobs of a stage."""
    return [job for job in jobs if f"_{stage}" in job["Comment"]]


def test_a_study_and_a_chain_of_stages_give_the_numbers_of_a_local_run(slurm, local, tmp_path, rows):
    with run(slurm, tmp_path, "--logger=nqs", *SMOKE, "--", *CHAIN) as one:  # as ./nqs run shows it
        seconds = one.finish()
    jobs = one.jobs()
    assert {job["State"] for job in jobs} == {"COMPLETED"}
    assert {job["Account"] for job in jobs} == {"lab"}
    assert {job["Partition"] for job in jobs} == {"cpu"}
    assert all(submitted(jobs, stage) for stage in (*STAGES, "rows"))
    assert len(jobs) < 12
    (training,) = submitted(jobs, "supervised")  # four cells, side by side
    assert asked(training) | {"cpu": "4", "mem": "10000M"} == asked(training)
    assert training["TimelimitRaw"] == "5"
    files = assert_same_numbers(local(*CHAIN), tmp_path)
    benchmarks = [*(f"{stage}/**/*.tsv" for stage in STAGES), "rows/kufel2024*"]
    rows["cluster jobs"].append(
        {"targets": ", ".join(CHAIN), "jobs of the workflow": count(one), "Slurm jobs": len(jobs),
         "core seconds held": sum(int(job["ElapsedRaw"]) * int(job["AllocCPUS"]) for job in jobs),
         "seconds of work in them": round(work(tmp_path, *benchmarks)),
         "files of numbers, all equal": files, "seconds": f"{seconds:.0f}"}
    )  # fmt: skip


def count(one: Run) -> int:
    """Jobs that Snakemake finished."""
    (log,) = (one.folder / ".snakemake/log").glob("*.snakemake.log")
    return log.read_text().count("Finished jobid:")


@pytest.mark.parametrize("way", ["gpu=1", "gres='gpu:1'"])
def test_gpus_are_asked_for_in_both_ways(slurm, local, tmp_path, way):
    gpu = ("--set-resources", f"{TRAINING}:{way}", f"{TRAINING}:slots=4")
    with run(slurm, tmp_path, *gpu, *SMOKE, "--", TARGET) as one:
        one.finish()
    (job,) = one.jobs()
    assert job["Partition"] == "gpu"
    assert job["NodeList"] == "n0"
    assert asked(job)["gres/gpu"] == "1"
    assert_same_numbers(local(TARGET), tmp_path)


def cancel(slurm: Slurm, number: str, node: str) -> None:
    slurm.call("scancel", number)


def lose_node(slurm: Slurm, number: str, node: str) -> None:
    slurm.call("scontrol", "update", f"nodename={node}", "state=down", "reason=drill")
    time.sleep(5)
    slurm.output("scontrol", "update", f"nodename={node}", "state=resume")  # refused if it came back by itself


def kill_daemon(slurm: Slurm, number: str, node: str) -> None:
    slurm.end(node, signal.SIGKILL)
    wait_until(lambda: any(state.startswith("down") for state in slurm.states()), "a node that is down")
    slurm.start_node(node)


def restart_controller(slurm: Slurm, number: str, node: str) -> None:
    slurm.end("slurmctld", signal.SIGTERM)
    time.sleep(10)
    slurm.start_controller()


def restart_accounting(slurm: Slurm, number: str, node: str) -> None:
    slurm.end("slurmdbd", signal.SIGTERM)
    time.sleep(10)
    slurm.launch("slurmdbd", "slurmdbd", "-D")


Fault = tuple[Callable[[Slurm, str, str], None], int, list[str]]
FAULTS: dict[str, Fault] = {  # what happens, how long a training is held until then, how jobs end
    "scancel": (cancel, 120, ["CANCELLED", "COMPLETED"]),
    "node down and back": (lose_node, 120, ["NODE_FAIL", "COMPLETED"]),
    "slurmd killed": (kill_daemon, 120, ["NODE_FAIL", "COMPLETED"]),
    "controller away for 10 s": (restart_controller, 15, ["COMPLETED"]),
    "accounting away for 10 s": (restart_accounting, 15, ["COMPLETED"]),
}
HELD = {  # what the first training does before it begins, and Slurm's word for its end; without cgroups, FAILED
    "run time exceeded": ("sleep 300", "TIMEOUT"),
    "memory exceeded": ("python3 -c \"import time; held = b'x' * (3 << 30); time.sleep(60)\"", "FAILED"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_while_a_bundle_is_computed_changes_no_number(slurm, local, tmp_path, rows, fault):
    inject, held, ends = FAULTS[fault]
    slurm.hold(f"stage {TRAINING}", f"sleep {held}")
    with run(slurm, tmp_path, *SMOKE, "--", TARGET) as one:
        inject(slurm, *one.training())
        seconds = one.finish()
    jobs = one.jobs()
    assert [job["State"].split()[0] for job in jobs] == ends
    note(rows, fault, jobs, seconds, assert_same_numbers(local(TARGET), tmp_path))
    wait_until(lambda: slurm.states() == ["idle", "idle"], "idle nodes")


@pytest.mark.parametrize("fault", HELD)
def test_a_job_that_exceeds_its_limits_gets_twice_as_much(slurm, local, tmp_path, rows, fault):
    held, end = HELD[fault]
    slurm.hold(f"stage {TRAINING}", held)
    with run(slurm, tmp_path, *SMOKE, "--", TARGET) as one:
        number, _ = one.training()
        if end == "TIMEOUT":
            slurm.call("scontrol", "update", f"jobid={number}", "TimeLimit=1")
        seconds = one.finish()
    first, second = one.jobs()
    assert first["State"].startswith(end)
    assert second["State"] == "COMPLETED"
    assert ("exceeded memory limit" in one.log.read_text()) == (fault == "memory exceeded")
    assert (asked(first)["mem"], asked(second)["mem"]) == ("2000M", "4000M")
    assert second["TimelimitRaw"] == "10"
    note(rows, fault, [first, second], seconds, assert_same_numbers(local(TARGET), tmp_path))


def test_jobs_outlive_a_killed_snakemake_and_the_next_run_takes_their_results(slurm, local, tmp_path, rows):
    slurm.hold(f"stage {TRAINING}", "sleep 5")
    with run(slurm, tmp_path, *SMOKE, "--", TARGET) as killed:
        killed.training()
        killed.child.kill()
        killed.child.wait()
        assert [job["State"] for job in killed.jobs()] == ["COMPLETED"]
    with run(slurm, tmp_path, "--unlock", *SMOKE, "--", TARGET) as one:
        one.finish()
    with run(slurm, tmp_path, *SMOKE, "--", TARGET) as one:
        one.finish()
    assert slurm.jobs(since=one.before) == []
    seconds = time.monotonic() - killed.start
    note(
        rows,
        "kill -9 of Snakemake, then a new run",
        killed.jobs(),
        seconds,
        assert_same_numbers(local(TARGET), tmp_path),
    )


def test_an_interrupt_takes_the_jobs_from_the_queue_and_the_next_run_goes_on(slurm, local, tmp_path, rows):
    slurm.hold(f"stage {TRAINING}", "sleep 120")
    with run(slurm, tmp_path, *SMOKE, "--", TARGET) as stopped:
        stopped.training()
        os.killpg(stopped.child.pid, signal.SIGINT)
        assert stopped.child.wait(120) != 0
    with run(slurm, tmp_path, *SMOKE, "--", TARGET) as one:
        one.finish()
    jobs = stopped.jobs()
    assert [job["State"].split()[0] for job in jobs] == ["CANCELLED", "COMPLETED"]
    seconds = time.monotonic() - stopped.start
    note(rows, "Ctrl-C, then a new run", jobs, seconds, assert_same_numbers(local(TARGET), tmp_path))


def note(rows: Rows, fault: str, jobs: list[dict[str, str]], seconds: float, files: int) -> None:
    """A line for the page."""
    ends = ", ".join(job["State"].split()[0].lower().replace("_", " ") for job in jobs)
    rows["cluster faults"].append(
        {"fault": fault, "Slurm jobs ended": ends, "files of numbers, all equal": files, "seconds": f"{seconds:.0f}"}
    )
