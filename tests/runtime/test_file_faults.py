"""Each error of the system says its own cause, and only damage asks for a file to be deleted."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from nqs.runtime import file_faults
from nqs.runtime.errors import BrokenFileError
from nqs.runtime.file_faults import cause, unreadable, unwritable
from nqs.runtime.files import HOST, atomic, remove_leftovers
from nqs.runtime.hdf5 import open_hdf5

STATE = Path("results/smoke/ground_state/square36/j2_0.5.h5")


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EACCES, errno.ENOLCK, errno.EIO, errno.ESTALE])
def test_a_sound_file_out_of_reach_is_kept(number):
    message = str(unreadable(STATE, OSError(number, os.strerror(number))))
    assert message.startswith(f"{STATE}: ")
    assert "delete" not in message
    assert "keep it" in message


def test_hdf5_names_its_cause_in_words():
    said = "Unable to synchronously open file (unable to lock file, errno = 11, error message = 'Resource ...')"
    assert cause(OSError(said)) == errno.EAGAIN
    assert "locked by another program" in str(unreadable(STATE, OSError(said)))
    assert "HDF5_USE_FILE_LOCKING=FALSE" in str(unreadable(STATE, OSError("unable to lock file, errno = 37, error")))


def test_damage_says_delete_and_the_command():
    message = str(unreadable(STATE, OSError("Unable to open file (truncated file:\n eof = 7)")))
    assert "\n" not in message
    assert message.endswith(f"delete it and build it again with ./nqs run {STATE} --config scale=smoke")


def test_a_file_of_the_project_is_restored():
    assert "git checkout" in str(file_faults.damaged(Path("archive/paper/x/fig1.csv"), "cut off"))


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EFBIG, "ulimit -f")]
)
def test_what_cannot_be_written_says_why(number, words, tmp_path):
    with pytest.raises(BrokenFileError, match=rf"x\.csv: cannot be written: .*{words}"), atomic(tmp_path / "x.csv"):
        raise OSError(number, os.strerror(number))
    assert words in str(unwritable(tmp_path, ValueError(f"I/O error: (os error {number})")))


def test_a_locked_file_is_read(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["a"] = np.arange(3)
    with open(path, "rb+") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="errno = 11"):
            h5py.File(path, "r", locking=True)
        with open_hdf5(path) as file:
            assert file["a"][2] == 2


def test_what_a_killed_job_left_is_removed(tmp_path):
    killed = (
        "import os, signal\nfrom pathlib import Path\nfrom nqs.runtime.files import atomic\n"
        f"with atomic(Path({str(tmp_path / 'x.csv')!r})) as part:\n"
        "    part.write_text('half')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", killed], check=False).returncode == -9
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    with atomic(tmp_path / "x.csv") as part:
        part.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_unfinished_files_of_the_living_stay(tmp_path):
    ours = tmp_path / f".a.csv.{HOST}-{os.getpid()}.part"
    elsewhere, forgotten = tmp_path / ".a.csv.01234567-1.part", tmp_path / ".b.csv.01234567-1.part"
    for path in (ours, elsewhere, forgotten):
        path.touch()
    os.utime(forgotten, (0, 0))
    remove_leftovers(tmp_path.glob("*.part"))
    assert {*tmp_path.iterdir()} == {ours, elsewhere}


@pytest.mark.skipif(os.name == "nt", reason="needs limits of POSIX")
def test_hdf5_that_cannot_be_written_ends_in_one_line(tmp_path):
    writing = (
        "import resource, sys\nfrom pathlib import Path\nimport numpy as np\n"
        "from nqs.runtime.hdf5 import create_hdf5, store\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))\n"
        "try:\n"
        f"    with create_hdf5(Path({str(tmp_path / 'x.h5')!r})) as file:\n"
        "        for n in range(20):\n"
        "            store(file.create_group(f'sector_{n}'), 'a', np.arange(5000))\n"
        "except Exception as error:\n    print(error, file=sys.stderr)\n    sys.exit(1)\n"
    )
    done = subprocess.run([sys.executable, "-c", writing], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path / 'x.h5'}: cannot be written: larger than the system lets")
    assert done.stderr.count("\n") == 1
    assert [*tmp_path.iterdir()] == []
