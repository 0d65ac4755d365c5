"""Run every check of the repository: `./nqs test`.

All of them run, whatever fails; then a table, then pytest's own last line. The check of types runs beside the tests,
which leave the processors idle now and then; its output follows theirs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

TYPES = ["mypy"]
QUICK = {
    "ruff check": ["ruff", "check", ".", "nqs"],
    "ruff format": ["ruff", "format", "--check", ".", "nqs"],
    "snakefmt": ["snakefmt", "--check", "Snakefile", "rules"],
    "snakemake lint": ["snakemake", "--lint"],
}
TESTS = [
    "pytest",
    "-n",
    "2",
    "--dist",
    "loadfile",
    "--no-loadscope-reorder",
    "-m",
    "not gpu and not long and not faults and not cluster",
]


def shown(command: list[str]) -> tuple[int, str]:
    """Run a command, passing its output on; returns its exit code and its last line."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    assert child.stdout is not None
    last = ""
    for line in child.stdout:
        print(line, end="", flush=True)
        last = line.strip() or last
    return child.wait(), last


def kept(command: list[str]) -> tuple[int, str]:
    """Run a command quietly; returns its exit code and its output."""
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False).returncode
        output.seek(0)
        return code, output.read()


def timed(run: Callable[[list[str]], tuple[int, str]], command: list[str]) -> tuple[int, str, float]:
    """What `run` returns for a command, and its seconds."""
    start = time.monotonic()
    return *run(command), time.monotonic() - start


def main() -> int:
    """Exit code 0 if every check passed, 1 otherwise."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # two pytest workers share the cores
    if sys.stdout.isatty():
        os.environ.setdefault("FORCE_COLOR", "1")
    rows: dict[str, tuple[int, float]] = {}

    def heading(step: str, command: list[str]) -> None:
        print(f"== {step}: {' '.join(command)}", flush=True)

    for step, command in QUICK.items():
        heading(step, command)
        code, _, seconds = timed(shown, command)
        rows[step] = code, seconds
    with ThreadPoolExecutor(1) as pool:
        types = pool.submit(timed, kept, TYPES)
        heading("pytest", TESTS)
        code, last, seconds = timed(shown, TESTS)
        rows["pytest"] = code, seconds
        heading("mypy", TYPES)
        code, output, seconds = types.result()
        print(output, end="", flush=True)
        rows["mypy"] = code, seconds
    print("\nstep             result   seconds")
    for step, (code, seconds) in rows.items():
        print(f"{step:16} {'ok' if code == 0 else 'FAILED':8} {seconds:7.1f}")
    print(last)
    return int(any(code for code, _ in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
