"""A finished smoke run for drills, copies of it, and its jobs as single calls."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from support import measured
from support.job_calls import PROJECT, SmokeCalls
from support.reliability import Drill
from support.smoke_runs import snakemake

from nqs.workflow import fork_server as forks
from nqs.workflow.studies import found_studies


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished smoke run of everything: the one that NQS_SMOKE_RUN names, or a new one."""
    if given := os.environ.get("NQS_SMOKE_RUN"):
        return Path(given)
    folder = tmp_path_factory.mktemp("smoke")
    done = snakemake(folder, "all")
    assert done.returncode == 0, done.stdout[-3000:]
    return folder


@pytest.fixture
def tree(smoke: Path, tmp_path: Path) -> Path:
    """A copy of the smoke run by links; damage writes files anew, so that the run itself stays."""
    shutil.copytree(smoke, tmp_path / "run", copy_function=os.link, symlinks=True)
    return tmp_path / "run"


@pytest.fixture(scope="session")
def calls() -> SmokeCalls:
    """The jobs of the smoke configuration."""
    return SmokeCalls()


@pytest.fixture(scope="session")
def server() -> Iterator[None]:
    """A server that forks into jobs, as a run of many jobs has one."""
    process = forks.start()
    yield
    if process:
        forks.stop(process)


Run = Callable[[Path, Sequence[str]], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def nqs(server: None) -> Run:
    """Calls `python -m nqs` in a folder; output and errors in `stdout`."""

    def call(folder: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "nqs", *arguments],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip

    return call


DRILL = Drill()


@pytest.fixture
def drill() -> Callable[[str, str], None]:
    """Counts what became of a fault: drill(kind of fault, how it ended)."""
    begin = time.monotonic()

    def ended(fault: str, outcome: str) -> None:
        DRILL.add(fault, outcome, time.monotonic() - begin)

    return ended


KILLED: list[dict[str, object]] = []


@pytest.fixture
def killed() -> list[dict[str, object]]:
    """Rows of the page about killed runs."""
    return KILLED


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write what was counted into docs/reliability.md, if every drill passed and the whole of its kind ran."""
    page = PROJECT / "docs" / "reliability.md"
    if exitstatus == 0 and DRILL.whole:
        measured.write(page, "drill of files", DRILL.table())
    if exitstatus == 0 and len(KILLED) == len(found_studies()):
        measured.write(page, "drill of kills", measured.table(KILLED))
