"""The tests for a GPU are collected where Snakemake, QuSpin, pydantic and hypothesis are not installed."""

import subprocess
import sys
from pathlib import Path

ABSENT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("snakemake", "quspin", "pydantic", "hypothesis"):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)

sys.meta_path.insert(0, Absent())
import pytest
without = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
sys.exit(pytest.main(["--collect-only", "-q", "-m", "gpu", *without, sys.argv[1]]))
"""


def test_collection_needs_no_workflow_and_no_quspin():
    file = Path(__file__).with_name("test_cuda.py")
    done = subprocess.run(
        [sys.executable, "-c", ABSENT, str(file)], capture_output=True, text=True, cwd=file.parents[3]
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tests collected" in done.stdout
