"""A job says why it failed where it can still be read, and never uses inputs other than those that were written."""

import os
import subprocess
import sys

import pytest

from nqs.runtime import checksums
from nqs.runtime.errors import BrokenFileError
from nqs.runtime.job import Job
from nqs.workflow.fork_client import STDERR

WRONG = ["stage", "hamiltonian", "--settings", "{", "--output=hamiltonian=x.h5"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("by_server", [False, True])
def test_the_reason_reaches_the_terminal_if_the_log_is_full(tmp_path, request, by_server):
    if by_server:
        request.getfixturevalue("fork_server")
    command = f'exec 9>&2; export {STDERR}=9; "$@" &> /dev/full'
    done = subprocess.run(
        ["bash", "-c", command, "job", sys.executable, "-m", "nqs", *WRONG],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error: --settings: not JSON")
    assert done.stderr.count("\n") == 1


def test_a_job_notes_what_it_made_and_refuses_what_has_changed(tmp_path):
    made = Job({}, {}, {"table": tmp_path / "a.csv"})
    with checksums.guarded(made):
        (tmp_path / "a.csv").write_text("x\n1\n")
    reading = Job({}, {"table": [tmp_path / "a.csv"], "other": [tmp_path / "missing.csv"]}, {})
    with checksums.guarded(reading):
        pass
    (tmp_path / "a.csv").write_text("x\n2\n")
    with pytest.raises(BrokenFileError, match=r"a\.csv: damaged"), checksums.guarded(reading):
        pass


def test_a_job_that_begins_takes_back_the_checksums_of_what_it_makes(tmp_path):
    job = Job({}, {}, {"table": tmp_path / "a.csv"})
    (tmp_path / "a.csv").write_text("x\n1\n")
    checksums.note(job.outputs.values())
    with checksums.guarded(job):
        assert not checksums.place(tmp_path / "a.csv").exists()
        (tmp_path / "a.csv").write_text("x\n2\n")
    checksums.compare(job.outputs.values())
