"""Trained networks on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nqs.runtime.errors import BrokenFileError
from nqs.runtime.files import atomic, command_for
from nqs.supervised.members import Trajectory


def write_weights(
    out: Path,
    settings: Mapping[str, Any],
    trajectories: Sequence[Trajectory],
    device: str,
    wall: float,
) -> None:
    """Best parameters of all members, stacked, NaN for a network that diverged before its first check; wall in seconds.

    The file's header has the cell's settings.
    """
    from safetensors.numpy import save_file

    best = np.stack([trajectory.usable for trajectory in trajectories])
    with atomic(out) as temporary:
        diverged = json.dumps([trajectory.diverged for trajectory in trajectories])
        header = {
            "settings": json.dumps(settings), "device": device, "wall_s": f"{wall:.2f}", "diverged": diverged,
        }  # fmt: skip
        save_file({"theta": best}, temporary, header)


@dataclass(frozen=True)
class Weights:
    """Trained parameters (member, parameter) of a cell, its settings, and how they were trained."""

    theta: np.ndarray
    settings: dict[str, Any]
    device: str
    wall_s: float
    diverged: list[bool]


def read_weights(path: Path) -> Weights:
    """Weights of a cell; a missing or damaged file raises BrokenFileError."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            header = file.metadata()
            settings, wall = json.loads(header["settings"]), float(header["wall_s"])
            diverged = json.loads(header["diverged"])
            return Weights(file.get_tensor("theta"), settings, header["device"], wall, diverged)
    except (OSError, SafetensorError, KeyError) as error:
        raise BrokenFileError(
            f"{path}: missing or damaged ({error}); delete it and build it again with {command_for(path)}"
        ) from None
