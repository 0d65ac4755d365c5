"""Moves of stacked Markov chains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nqs.model import moves


@dataclass(frozen=True)
class Moves:
    """Single-spin flips or exchanges. first (B,): site whose spin decides the ratio; second (B,): exchanged with it;
    bits (B,): those that the move reverses."""

    first: Tensor
    second: Tensor | None
    bits: Tensor

    @classmethod
    def of(cls, listed: moves.Moves, device: str | torch.device) -> Moves:
        """From flips alone or exchanges alone; InputError for other moves."""
        first, *second = torch.as_tensor(listed.sites, device=device).unbind(1)
        bits = torch.as_tensor(listed.masks.astype(np.int64), device=device)
        return cls(first, second[0] if second else None, bits)
