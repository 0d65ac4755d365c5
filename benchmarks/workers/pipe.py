"""A worker process that does one command after another: one JSON object per line in, one out.

Holds nothing but the standard library, so that workers of different environments can share it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

SINGLE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"),
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


class WorkerError(Exception):
    """A worker ended before it answered; the message holds the end of what it printed."""


class Worker:
    """A running worker; use it in a `with` statement. Its processor cores are those of this process."""

    def __init__(self, python: Path, script: Path, log: Path, *arguments: str) -> None:
        self.log = log
        with open(log, "w") as errors:
            self.process = subprocess.Popen(
                [python, script, *arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ | SINGLE_THREAD,
            )  # fmt: skip

    def __call__(self, command: str, **options: Any) -> dict[str, Any]:
        """Have a command done; raises WorkerError."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # if it died, no answer will come
            print(json.dumps({"command": command, **options}), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise WorkerError(f"{command}: the worker ended; it printed\n{self.log.read_text()[-3000:]}")
        return json.loads(line)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def serve(commands: Mapping[str, Callable[..., dict[str, Any]]]) -> None:
    """Answer commands until the input ends; what libraries print goes to the error output."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        options = json.loads(line)
        answer = commands[options.pop("command")](**options)
        print(json.dumps(answer), file=answers, flush=True)


def timed(repeat: Callable[[int], object], iterations: int) -> dict[str, Any]:
    """CPU and wall seconds per iteration, over all threads of this process."""
    cpu, wall = time.process_time(), time.perf_counter()
    repeat(iterations)
    return {
        "cpu_s": (time.process_time() - cpu) / iterations,
        "wall_s": (time.perf_counter() - wall) / iterations,
    }


def peak_memory() -> dict[str, Any]:
    """Largest resident memory so far, MB. Linux's own counter: that of `resource` starts from the parent's memory."""
    status = Path("/proc/self/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return {"memory_mb": int(kilobytes) / 1024}
