"""Trained networks on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nqs.runtime.file_faults import damaged
from nqs.runtime.files import atomic
from nqs.runtime.tensors import read_with_header, refuse_absurd
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
    tensors, header = read_with_header(path, ["theta"], ["settings", "device", "wall_s", "diverged"])
    try:
        settings, wall, diverged = (json.loads(header[key]) for key in ("settings", "wall_s", "diverged"))
    except ValueError as error:
        raise damaged(path, error) from None
    theta = tensors["theta"]
    if not len(theta) == len(diverged) == len(settings["members"]):
        raise damaged(path, f"{len(theta)} networks instead of {len(settings['members'])}")
    refuse_absurd(path, theta, diverged)
    return Weights(theta, settings, header["device"], float(wall), diverged)
