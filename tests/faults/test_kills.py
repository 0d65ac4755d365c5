"""kill -9 of a whole run at random moments, then the same command again: the tables are those of a run left alone."""

import random
import shutil
import time

import pytest
from support.killed_runs import differing, finish, kill_tree, start, unlock

from nqs.workflow.studies import found_studies

KILLS = 6  # of each study
SEED = 2026
BEGINS = 3.0  # seconds, before which a run has read its configuration only


@pytest.mark.faults
@pytest.mark.parametrize("study", found_studies())
def test_tables_of_a_run_that_was_killed_again_and_again_are_those_of_one_left_alone(tmp_path, study, killed):
    alone, again = tmp_path / "alone", tmp_path / "killed"
    alone.mkdir()
    again.mkdir()
    begin = time.monotonic()
    finish(alone, [study])
    whole = time.monotonic() - begin
    moments, ended = kills(again, study, whole)
    begin = time.monotonic()
    finish(again, [study])
    recovery = time.monotonic() - begin
    assert differing(alone / "results/smoke", again / "results/smoke") == []
    when = ", ".join(f"{moment:.1f}" for moment in moments)
    killed.append(
        {"study": study, "kills after seconds": when, "processes ended": ended, "seconds without kills": round(whole),
         "seconds for the rest after the last": round(recovery)}
    )  # fmt: skip


def kills(folder, study, whole):
    """Kill runs of a study after random times; the times, and how many processes that were."""
    rng, ended = random.Random(f"{SEED} {study}"), 0
    moments: list[float] = []
    while len(moments) < KILLS:
        run, moment = start(folder, [study]), rng.uniform(BEGINS, max(whole / 3, 2 * BEGINS))
        time.sleep(moment)
        if run.poll() is not None:  # all was done: begin anew
            assert run.returncode == 0, (folder / "log").read_text()[-5000:]
            shutil.rmtree(folder / "results")
            continue
        ended += kill_tree(run)
        moments.append(moment)
        unlock(folder)
    return moments, ended
