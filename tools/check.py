"""Run every check of the repository: `./nqs test`.

All of them run, whatever fails; then a table, then pytest's own last line.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

CHECKS = {
    "ruff check": ["ruff", "check", ".", "nqs"],
    "ruff format": ["ruff", "format", "--check", ".", "nqs"],
    "mypy": ["mypy"],
    "snakefmt": ["snakefmt", "--check", "Snakefile", "rules"],
    "snakemake lint": ["snakemake", "--lint"],
    "pytest": [
        "pytest",
        "-n",
        "2",
        "--dist",
        "loadfile",
        "--no-loadscope-reorder",
        "-m",
        "not gpu and not long and not faults and not cluster",
    ],
}


def run(command: list[str]) -> tuple[int, str]:
    """Run a command, passing its output on; returns its exit code and its last line."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    assert child.stdout is not None
    last = ""
    for line in child.stdout:
        print(line, end="", flush=True)
        last = line.strip() or last
    return child.wait(), last


def main() -> int:
    """Exit code 0 if every check passed, 1 otherwise."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # two pytest workers share the cores
    if sys.stdout.isatty():
        os.environ.setdefault("FORCE_COLOR", "1")
    rows, last = [], ""
    for step, command in CHECKS.items():
        print(f"== {step}: {' '.join(command)}", flush=True)
        start = time.time()
        code, last = run(command)
        rows.append((step, "ok" if code == 0 else "FAILED", time.time() - start))
    print("\nstep             result   seconds")
    for step, result, seconds in rows:
        print(f"{step:16} {result:8} {seconds:7.1f}")
    print(last)
    return int(any(result != "ok" for _, result, _ in rows))


if __name__ == "__main__":
    sys.exit(main())
