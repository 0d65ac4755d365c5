"""A private Slurm for the tests of this folder, a local run to compare with, and the page with what was measured."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from cluster.private_slurm import Slurm, missing
from cluster.runs import SMOKE, snakemake
from support import measured

PAGE = Path(__file__).parents[2] / "docs/reliability.md"
DEBIAN = (
    "slurmctld slurmd slurm-client slurm-wlm-basic-plugins slurmdbd slurm-wlm-mysql-plugin munge mariadb-server-core"
)
ROWS: dict[str, list[dict[str, object]]] = {"cluster jobs": [], "cluster faults": []}
COMPLETE = {"cluster jobs": 1, "cluster faults": 9}  # rows


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    """A running Slurm, or a skip that says what is not installed."""
    if absent := missing():
        pytest.skip(f"no Slurm here: {', '.join(absent)} not found. On Debian: apt install {DEBIAN}; "
                    "the plugin: pip install -e '.[slurm]' -c requirements.lock")  # fmt: skip
    root = Path(tempfile.mkdtemp(prefix="slurm"))  # short, for sockets lie there
    server = Slurm(root)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def local(slurm: Slurm, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Folder of a run of the same targets on this machine alone."""

    @cache
    def folder_of(*targets: str) -> Path:
        folder = tmp_path_factory.mktemp("local")
        command = [*snakemake(sys.executable, "-m", "snakemake"), "--cores", "2", *SMOKE, "--", *targets]
        subprocess.run(command, cwd=folder, env=slurm.environment, check=True, capture_output=True)
        return folder

    return folder_of


@pytest.fixture(scope="session")
def rows() -> dict[str, list[dict[str, object]]]:
    """What the tests measured, by the name of the place on the page."""
    return ROWS


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write what was measured, whole tables only, if all that ran passed."""
    for name, lines in ROWS.items():
        if exitstatus == 0 and len(lines) == COMPLETE[name]:
            measured.write(PAGE, name, measured.table(lines))
