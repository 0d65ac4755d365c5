"""Moves of stacked Markov chains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nqs.vmc.sampler import Chains


@dataclass(frozen=True)
class Moves:
    """Single-spin flips or exchanges. first (B,): site whose spin decides the ratio; second (B,): exchanged with it;
    bits (B,): those that the move reverses."""

    first: Tensor
    second: Tensor | None
    bits: Tensor

    @classmethod
    def of(cls, sampler: Chains, device: str) -> Moves:
        """Flips of all sites, or exchanges along the sampler's bonds."""
        if sampler.bonds is None:
            sites = torch.arange(sampler.n_sites, device=device)
            return cls(sites, None, 1 << sites)
        first, second = torch.as_tensor(sampler.bonds.astype(np.int64), device=device).unbind(1)
        return cls(first, second, (1 << first) | (1 << second))
