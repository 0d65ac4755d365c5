"""How many threads libraries take, and tasks in threads that end soon and cleanly when the process is interrupted."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor


def set_threads(threads: int) -> None:
    """Fix the threads of BLAS, OpenMP and PyTorch before they are imported."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)


def in_threads(tasks: Sequence[Callable[[], None]], threads: int, stop: threading.Event) -> None:
    """Run the tasks, some at a time. An interruption sets `stop`: running ones end soon, waiting ones never start."""
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(task) for task in tasks]
        try:
            for future in futures:
                future.result()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
