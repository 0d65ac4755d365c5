"""Where networks train: CUDA if there is a usable GPU, else the CPU."""

from __future__ import annotations

import ctypes.util
from pathlib import Path

from nqs.runtime.errors import InputError


def choose(device: str) -> str:
    """'cpu' or 'cuda' for 'auto', 'cpu' or 'cuda'; raises InputError if CUDA is asked for but absent.

    PyTorch is imported only if a CUDA driver is installed, so that CPU stages start fast.
    """
    if device == "cpu" or (device == "auto" and not driver_present()):
        return "cpu"
    import torch

    if torch.cuda.is_available():
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
