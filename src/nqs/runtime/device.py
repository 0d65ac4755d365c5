"""Where networks train: CUDA if there is a usable GPU, else the CPU; which GPU; and what to do when one is full."""

from __future__ import annotations

import ctypes.util
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from nqs.runtime import gpu_lease
from nqs.runtime.errors import InputError

T = TypeVar("T")


def choose(device: str) -> str:
    """'cpu' or 'cuda' for 'auto', 'cpu' or 'cuda'; raises InputError if CUDA is asked for but absent.

    'cuda' then means the GPU with the fewest jobs, for as long as this process lives. PyTorch is imported only if a
    CUDA driver is installed, so that CPU stages start fast.
    """
    if device == "cpu" or (device == "auto" and not driver_present()):
        return "cpu"
    import torch

    if torch.cuda.is_available():
        gpus = [str(torch.cuda.get_device_properties(index).uuid) for index in range(torch.cuda.device_count())]
        torch.cuda.set_device(gpu_lease.take(gpus))
        return "cuda"
    if device == "auto":
        return "cpu"
    reason = "no CUDA driver is installed" if not driver_present() else "PyTorch finds no usable GPU"
    raise InputError(
        f"device: cuda was asked for, but {reason} (PyTorch {torch.__version__}); set device: auto or cpu, or install "
        "a CUDA build of PyTorch"
    )


def driver_present() -> bool:
    """True if this machine has the CUDA driver library or an NVIDIA device."""
    return ctypes.util.find_library("cuda") is not None or Path("/dev/nvidia0").exists()


def count_gpus(device: str) -> int:
    """How many GPUs a run with this setting of `device` has on this machine, without importing PyTorch.

    CUDA_VISIBLE_DEVICES says which there are, as for CUDA: the list ends at the first that is none.
    """
    if device == "cpu" or (device == "auto" and not (driver_present() and built_for_cuda())):
        return 0
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    if shown is None:
        return len(list(Path("/dev").glob("nvidia[0-9]*")))
    names = [name.strip() for name in shown.split(",")]
    wrong = (place for place, name in enumerate(names) if not name or name.startswith("-"))
    return next(wrong, len(names))


def built_for_cuda() -> bool:
    """Whether the installed PyTorch is a build for CUDA, as its version file says."""
    found = find_spec("torch")
    if found is None or found.origin is None:
        return False
    version = Path(found.origin).with_name("version.py").read_text(encoding="utf-8")
    return re.search(r"^cuda\b.*= *['\"]", version, re.MULTILINE) is not None


def halving(function: Callable[[Sequence[int]], None], items: Sequence[int], noun: str) -> None:
    """Call the function with all items, or with halves of them one after the other where the GPU's memory is too small.

    The function starts anew with the items it is given. noun: what an item is, in messages.
    """
    if not ran_out(partial(function, items)):
        return
    half = halved(len(items), noun)
    halving(function, items[:half], noun)
    halving(function, items[half:], noun)


def by_chunks(function: Callable[..., T], size: int, *columns: Any) -> list[T]:
    """Results of the function for chunks of the columns, in order; smaller chunks where the GPU's memory is full."""
    results: list[T] = []
    start = 0
    while start < len(columns[0]):
        chunk = [column[start : start + size] for column in columns]
        if ran_out(lambda chunk=chunk: results.append(function(*chunk))):  # type: ignore[misc]
            size = halved(len(chunk[0]), "state")
        else:
            start += size
    return results


def halved(number: int, noun: str) -> int:
    """Half as many at once, after saying so; InputError if there is but one."""
    if number == 1:
        raise InputError(f"device: cuda: the GPU's memory is too small for one {noun}; set device: cpu")
    print(f"device: cuda: the GPU's memory is full: {number // 2} {noun}s at once, not {number}", file=sys.stderr)
    return number // 2


def ran_out(call: Callable[[], None]) -> bool:
    """Make the call; whether the GPU had too little memory for it."""
    import torch

    try:
        call()
    except torch.OutOfMemoryError:
        pass
    else:
        return False
    if torch.cuda.is_available():  # after the exception, which holds on to tensors
        torch.cuda.empty_cache()
    return True
