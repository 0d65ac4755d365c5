"""Samplers of |psi|^2: Markov chains that persist from one iteration to the next, and independent exact draws.

    Chains  Metropolis with single-spin flips, or other moves; exchanges along bonds conserve Sz
    Exact   independent draws from all 2^N states, or from those with Sz = 0

One sweep is N proposals of a random move, such as the Hamiltonian's own. Systems small enough keep |psi|^2 of
all states in a table, on which the same chains run by look-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numba import njit

from nqs.ansatz.by_evaluation import EvaluatedWave
from nqs.ansatz.protocol import Wave
from nqs.model.moves import Moves, flips
from nqs.model.states import zero_magnetisation_states
from nqs.runtime.errors import InputError, NqsError

TABLE_SITES = 14  # up to here a table of all states costs less than the chains' ratios
ENUMERABLE_SITES = 24


class NotFiniteError(NqsError):
    """|psi|^2 is no longer finite."""


@dataclass(frozen=True)
class Sample:
    """Distinct states (U,), ascending, their weights (U,) that add up to 1, and how they were drawn.

    drawn (sweep, chain): the states in the order of the chains, None if independent; n: number of draws;
    acceptance: accepted over proposed moves, 1 for independent draws.
    """

    states: np.ndarray
    weights: np.ndarray
    n: int
    acceptance: float = 1.0
    drawn: np.ndarray | None = None

    def along_chains(self, values: np.ndarray) -> np.ndarray | None:
        """Values (U,) of the distinct states in the order of the chains: (sweep, chain); None if independent."""
        return None if self.drawn is None else values[np.searchsorted(self.states, self.drawn)]


class Sampler(Protocol):
    """Draws samples; `chains` is the state it carries from draw to draw, changed in place."""

    def start(self, rng: np.random.Generator, wave: Wave | None = None) -> np.ndarray:
        """Initial chains (C,) uint64, empty for independent draws; wave: for samplers that burn in."""

    def draw(self, wave: Wave, chains: np.ndarray, rng: np.random.Generator) -> Sample:
        """A sample of |psi|^2."""


@dataclass(frozen=True, eq=False)
class Chains:
    """Metropolis chains. moves: what is proposed, None for all single-spin flips; exchanges alone stay at Sz = 0.

    chains run side by side; each discards `discard` sweeps per draw and keeps every `thinning`-th sweep after.
    """

    n_sites: int
    samples: int
    chains: int = 16
    discard: int = 5
    thinning: int = 1
    moves: Moves | None = None

    def __post_init__(self) -> None:
        if self.samples % self.chains:
            raise InputError(f"samples: {self.samples} is no multiple of the {self.chains} chains; change one of them")
        if self.proposals.conserve_magnetisation and self.n_sites % 2:
            raise InputError(f"{self.n_sites} sites: an odd number of spins has no Sz = 0 states")

    def start(self, rng: np.random.Generator, wave: Wave | None = None) -> np.ndarray:
        if not self.proposals.conserve_magnetisation:
            return rng.integers(1 << self.n_sites, size=self.chains, dtype=np.uint64)
        neel = np.tile([0, 1], self.n_sites // 2).astype(np.uint64)
        bits = rng.permuted(np.tile(neel, (self.chains, 1)), axis=1)
        return (bits << np.arange(self.n_sites, dtype=np.uint64)).sum(axis=1, dtype=np.uint64)

    def draw(self, wave: Wave, chains: np.ndarray, rng: np.random.Generator) -> Sample:
        sweeps = self.discard + self.thinning * (self.samples // self.chains)
        if self.n_sites <= TABLE_SITES:
            visited, accepted = self._by_table(wave, chains, sweeps, rng)
        else:
            visited, accepted = wave.sweeps(chains, self.proposals, sweeps, rng)
        drawn = visited[self.discard + self.thinning - 1 :: self.thinning]
        states, counts = np.unique(drawn, return_counts=True)
        acceptance = accepted / (sweeps * self.chains * self.n_sites)
        return Sample(states, counts / drawn.size, drawn.size, acceptance, drawn)

    def _by_table(
        self, wave: Wave, chains: np.ndarray, sweeps: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        table = relative_weights(wave.log_psi_all())
        visited = np.empty((sweeps, len(chains)), np.uint64)
        moves = self.proposals
        return visited, table_sweeps(table, chains, self.n_sites, moves.masks, moves.exchange, rng, visited)

    @cached_property
    def proposals(self) -> Moves:
        """The moves of the chains."""
        return flips(self.n_sites) if self.moves is None else self.moves


@dataclass(frozen=True, eq=False)
class Exact:
    """Independent draws by enumeration of all 2^N states, or of those with Sz = 0."""

    n_sites: int
    samples: int
    zero_magnetisation: bool = False

    def __post_init__(self) -> None:
        refuse_long_lists(self.n_sites)

    def start(self, rng: np.random.Generator, wave: Wave | None = None) -> np.ndarray:
        return np.empty(0, np.uint64)

    def draw(self, wave: Wave, chains: np.ndarray, rng: np.random.Generator) -> Sample:
        cumulative = np.cumsum(relative_weights(self._log_psi(wave)))
        if not np.isfinite(cumulative[-1]):
            raise NotFiniteError("|psi|^2 is no longer finite")
        places, counts = drawn(cumulative, self.samples, rng)
        states = self.sector[places] if self.zero_magnetisation else places.astype(np.uint64)
        return Sample(states, counts / self.samples, self.samples)

    def _log_psi(self, wave: Wave) -> np.ndarray:
        """ln psi of the enumerated states, or ln |psi| where that is cheaper."""
        if not self.zero_magnetisation:
            return wave.log_psi_all()
        return wave.log_modulus(self.sector) if isinstance(wave, EvaluatedWave) else wave.log_psi_all()[self.sector]

    @cached_property
    def sector(self) -> np.ndarray:
        """The Sz = 0 states, ascending."""
        return zero_magnetisation_states(self.n_sites)


def refuse_long_lists(n_sites: int) -> None:
    """InputError for more sites than those whose states are listed."""
    if n_sites > ENUMERABLE_SITES:
        raise InputError(f"{n_sites} sites: too many to enumerate; use a chain beyond {ENUMERABLE_SITES}")


def drawn(cumulative: np.ndarray, samples: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Places (U,) that independent draws hit, ascending, and how often, from a cumulative sum of weights."""
    uniform = np.sort(rng.random(samples)) * cumulative[-1]
    return np.unique(np.searchsorted(cumulative, uniform, side="right"), return_counts=True)


def relative_weights(log_psi: np.ndarray) -> np.ndarray:
    """|psi|^2 over its maximum; what would underflow keeps a tiny weight, so that no chain starts on nothing."""
    logs = log_psi.real
    with np.errstate(invalid="ignore"):  # of infinities: the sampler reports them
        return np.exp(np.maximum(2 * (logs - logs.max()), -700.0))


@njit(cache=True, nogil=True, error_model="numpy")
def table_sweeps(table, states, n_sites, masks, exchange, rng, out):
    """Metropolis chains on a table of weights, in place; returns the number of accepted moves.

    table (2^N,);  states (chain,);  masks, exchange (move,): as in `nqs.model.moves.Moves`;  out (sweep, chain).
    """
    accepted = 0
    for chain in range(len(states)):
        word = states[chain]
        for sweep in range(len(out)):
            for _ in range(n_sites):
                pick = int(rng.random() * len(masks))
                move = masks[pick]
                if exchange[pick] and ((word & move) == 0 or (word & move) == move):
                    continue
                if table[word ^ move] > rng.random() * table[word]:
                    word ^= move
                    accepted += 1
            out[sweep, chain] = word
        states[chain] = word
    return accepted
