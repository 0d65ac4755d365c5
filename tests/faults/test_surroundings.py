"""Full and read-only disks, clocks, odd paths, no home, other users: identical tables, or one line with the reason."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.reliability import IDENTICAL, REFUSED
from support.smoke_runs import snakemake

from nqs.workflow.compare_files import differences

pytestmark = pytest.mark.faults

CELL = "observables/mummaneni2026/ring4/rbm2-paper-sweep"
GOAL = f"results/smoke/{CELL}_states.csv"  # four jobs: Hamiltonian, ground state, training, observables
NOBODY = 65534
as_root = pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can mount and be others")


def made_as_before(folder: Path, smoke: Path) -> None:
    """Assert that the tables of the cell are those of the smoke run."""
    made = [path for path in (folder / "results/smoke").rglob("*") if path.suffix in (".csv", ".parquet", ".h5")]
    kept = [path for path in made if path.parts[-2] not in ("checkpoints", "benchmarks", "logs")]
    assert len(kept) >= 6
    for path in kept:
        assert [*differences(path, smoke / path.relative_to(folder))] == []


@contextlib.contextmanager
def small_disk(size: str) -> Iterator[Path]:
    """A file system in memory of a given size; skips where none may be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="nqs-disk-"))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "nqs", folder], check=False).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def remount(folder: Path, options: str) -> None:
    """Change a mounted file system."""
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def one_line(done, words: str) -> None:
    """Assert that a run failed and said why, without a traceback of ours."""
    assert done.returncode != 0
    assert re.search(words, done.stdout), done.stdout
    assert "Traceback" not in done.stdout, done.stdout


@as_root
@pytest.mark.parametrize("size", ["60k", "120k", "180k", "240k"])
def test_a_full_disk_is_named_and_room_is_all_it_takes(smoke, drill, size):
    with small_disk(size) as folder:
        one_line(snakemake(folder, GOAL), r"the disk is full|No space left on device")
        remount(folder, "size=64m")
        assert snakemake(folder, GOAL).returncode == 0
        made_as_before(folder, smoke)
        assert not [*folder.rglob("*.part")]
    drill("disk full, then room", IDENTICAL)


@as_root
def test_a_read_only_disk_is_named(smoke, drill):
    with small_disk("64m") as folder:
        remount(folder, "ro")
        one_line(snakemake(folder, GOAL), "the file system is read-only; mount it writable")
        remount(folder, "rw")
        assert snakemake(folder, GOAL).returncode == 0
        made_as_before(folder, smoke)
    drill("read-only disk, then writable", IDENTICAL)


LIMITED = [  # a job, what it reads, and how large its files may be, in units of 1 KiB
    ("ground_state", "hamiltonian", 1),
    ("dataset", "ground_state", 1),
    ("overlaps", "weights", 0),
    ("observables", "weights", 1),
    ("rows westerhout2020_fig2", "overlaps", 0),
]


@pytest.mark.parametrize(("consumer", "kind", "blocks"), LIMITED)
def test_a_job_called_directly_says_why_it_cannot_write(tree, calls, drill, consumer, kind, blocks):
    arguments = calls.reading(consumer, kind).arguments(tree / "out")
    shell = [f'ulimit -f {blocks} && exec "$@"', "job", sys.executable, "-m", "nqs", *arguments]
    done = subprocess.run(
        ["bash", "-c", *shell], cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.stdout.strip().splitlines()[-1].startswith("error: "), done.stdout
    one_line(done, r"cannot be written: larger than the system lets this process write \(ulimit -f\)")
    assert not [path for path in (tree / "out").rglob("*") if path.is_file()]
    drill("size of files limited", REFUSED)


def test_files_from_the_future(tree, smoke, drill):
    for path in (tree / "results/smoke/hamiltonian").glob("*.h5"):
        copy = path.read_bytes()
        path.unlink()
        path.write_bytes(copy)
        os.utime(path, (4e9, 4e9))
    assert snakemake(tree, GOAL).returncode == 0
    made_as_before(tree, smoke)
    drill("time stamps in the future", IDENTICAL)


@pytest.mark.parametrize("name", ["with spaces  and \u00fcml\u00e4uts", 'quote\'s "$HOME" {braces} (1)', "-dash; & #"])
def test_odd_paths(tmp_path, smoke, drill, name):
    folder = tmp_path / name
    folder.mkdir()
    done = snakemake(folder, GOAL)
    assert done.returncode == 0, done.stdout
    made_as_before(folder, smoke)
    drill("odd paths", IDENTICAL)


def test_results_behind_a_link(tmp_path, smoke, drill):
    (tmp_path / "elsewhere").mkdir()
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "results").symlink_to(tmp_path / "elsewhere")
    assert snakemake(folder, GOAL).returncode == 0
    made_as_before(folder, smoke)
    drill("results behind a symbolic link", IDENTICAL)


def homeless() -> dict[str, str]:
    """The environment without a home."""
    kept = {name: value for name, value in os.environ.items() if name != "HOME" and not name.startswith("XDG_")}
    return kept | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


@pytest.mark.parametrize("home", [None, "not/there"])
def test_no_home(tmp_path, smoke, drill, home):
    done = snakemake(tmp_path, GOAL, env=homeless() | ({"HOME": str(tmp_path / home)} if home else {}))
    assert done.returncode == 0, done.stdout
    made_as_before(tmp_path, smoke)
    drill("no home", IDENTICAL)


@pytest.fixture
def foreign() -> Iterator[Path]:
    """A folder of a user without rights."""
    folder = Path(tempfile.mkdtemp(prefix="nqs-nobody-"))
    os.chown(folder, NOBODY, NOBODY)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_nobody(folder: Path) -> subprocess.CompletedProcess[str]:
    """A run by a user who may write nowhere else, but read everything, such as a Python in root's home."""
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv")
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    reading = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    caches = {"HOME": "/nonexistent", "XDG_CACHE_HOME": str(folder / "cache")}  # as the launcher sets it
    return snakemake(folder, GOAL, before=[*user, *reading], env=homeless() | caches)


@as_root
def test_a_user_who_may_write_nowhere_else(foreign, smoke, drill):
    done = as_nobody(foreign)
    assert done.returncode == 0, done.stdout
    made_as_before(foreign, smoke)
    drill("unprivileged user, read-only installation", IDENTICAL)


@as_root
def test_a_folder_of_somebody_else(foreign, drill):
    (foreign / "cache").mkdir()
    os.chown(foreign / "cache", NOBODY, NOBODY)
    os.chown(foreign, 0, 0)
    one_line(as_nobody(foreign), "this user may not write there; change the folder's permissions")
    drill("folder of another user", REFUSED)
