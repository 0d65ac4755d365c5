"""Metropolis chains on a ring, at zero magnetisation; states are words (`nqs.ansatz.window_table`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nqs.ansatz.ring_protocol import RingWave
from nqs.ansatz.window_table import pack_spins
from nqs.runtime.errors import InputError
from nqs.vmc.sampler import Sample

PROPOSALS = ("neighbour", "pair")


@dataclass(frozen=True)
class RingSample(Sample):
    """All drawn states (U, W) in the order of the chains, of equal weight; shape: (draw, chain)."""

    shape: tuple[int, int] = (0, 0)

    def along_chains(self, values: np.ndarray) -> np.ndarray:
        """Values (U,) of the states in the order of the chains: (draw, chain)."""
        return values.reshape(self.shape)


@dataclass(frozen=True)
class RingSampler:
    """Metropolis chains at zero magnetisation that persist from one iteration to the next.

    proposals: "neighbour" exchanges random neighbours, "pair" the spins of any two sites, which is less often accepted
    but moves magnetisation as far as it likes;  stride: proposals between two kept states, None: a sweep of N / 2, each
    of which touches two sites;  discard: states passed over at each draw;  burn_in: sweeps before the first, by pairs.
    The chain of Yang et al. is samples=20000, chains=1, proposals="pair", stride=1, burn_in=0.
    """

    n_sites: int
    samples: int = 20_000
    chains: int = 500
    proposals: str = "pair"
    stride: int | None = None
    discard: int = 0
    burn_in: int = 100

    def __post_init__(self) -> None:
        if self.n_sites % 2:
            raise InputError(f"{self.n_sites} sites: an odd number of spins has no zero-magnetisation states")
        if self.samples < 2 or self.samples % self.chains:
            raise InputError(f"samples: {self.samples} is no multiple of the {self.chains} chains; change one of them")
        if self.proposals not in PROPOSALS:
            raise InputError(f"proposals: {self.proposals!r} is none of {', '.join(PROPOSALS)}")

    def start(self, rng: np.random.Generator, wave: RingWave) -> np.ndarray:
        """Chains (C, W) from random states, after the burn-in."""
        neel = np.tile(np.array([1, -1], np.int8), (self.chains, self.n_sites // 2))
        words = pack_spins(rng.permuted(neel, axis=1))
        if self.burn_in:
            wave.pair_moves(words, None, 1, self.burn_in * self.n_sites // 2, rng)
        return words

    def draw(self, wave: RingWave, words: np.ndarray, rng: np.random.Generator) -> RingSample:
        """A sample of |psi|^2; the chains (C, W) move on in place."""
        kept, stride = self.discard + self.samples // self.chains, self.stride or self.n_sites // 2
        if self.proposals == "neighbour":
            states, accepted = wave.neighbour_moves(words, kept, stride, rng)
        else:
            states, accepted = wave.pair_moves(words, None, kept, stride, rng)
        drawn = states[self.discard :]
        flat = drawn.reshape(-1, drawn.shape[-1])
        weights = np.full(len(flat), 1 / len(flat))
        acceptance = accepted / (kept * stride * self.chains)
        return RingSample(flat, weights, len(flat), acceptance, shape=drawn.shape[:2])
