"""Moves of basis states: what a Hamiltonian does to a state, and what a Markov chain proposes.

A move reverses the spins of one mask, a word whose set bits are the sites. A flip always applies; an exchange reverses
two spins and applies only where they differ, so it conserves the magnetisation.

Shapes: U states, m moves. States are uint64, bit i = site i, 1 = up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from nqs.runtime.errors import InputError

Kind = Literal["flips", "exchanges", "other"]
WORD = np.arange(64, dtype=np.uint64)


@dataclass(frozen=True, eq=False)
class Moves:
    """masks (m,) uint64: the spins that each move reverses;  exchange (m,) bool: it applies only where its two differ.

    InputError for an exchange of other than two spins.
    """

    masks: np.ndarray
    exchange: np.ndarray

    def __post_init__(self) -> None:
        if (np.bitwise_count(self.masks[self.exchange]) != 2).any():
            raise InputError("an exchange moves two spins; make other moves flips, which always apply")

    def __len__(self) -> int:
        return len(self.masks)

    def applies(self, states: np.ndarray, move: np.ndarray) -> np.ndarray:
        """Whether moves with these numbers apply to states, broadcast against each other: bool."""
        mask = self.masks[move]
        reversed_ups = states & mask
        return ~self.exchange[move] | ((reversed_ups != 0) & (reversed_ups != mask))

    @property
    def conserve_magnetisation(self) -> bool:
        """True if every move is an exchange."""
        return bool(self.exchange.all())

    @cached_property
    def kind(self) -> Kind:
        """Single-spin flips alone, exchanges alone, or neither: what compiled arithmetic can be chosen by."""
        if self.exchange.all():
            return "exchanges"
        single = (np.bitwise_count(self.masks) == 1).all() and not self.exchange.any()
        return "flips" if single else "other"

    def are_all_flips(self, n_sites: int) -> bool:
        """True if move i is the flip of site i, for all sites."""
        return self.kind == "flips" and np.array_equal(self.sites[:, 0], np.arange(n_sites))

    @cached_property
    def sites(self) -> np.ndarray:
        """Sites of each move, ascending: (m, 1) of flips, (m, 2) of exchanges; InputError for other moves."""
        if self.kind == "other":
            raise InputError("moves: only single-spin flips alone or exchanges alone can be taken here")
        places = np.nonzero(self.masks[:, None] >> WORD & np.uint64(1))[1]
        return places.reshape(len(self), -1)


def flips(n_sites: int) -> Moves:
    """Of every single spin."""
    masks = np.uint64(1) << np.arange(n_sites, dtype=np.uint64)
    return Moves(masks, np.zeros(n_sites, bool))


def exchanges(bonds: np.ndarray) -> Moves:
    """Of the two spins of each bond (m, 2)."""
    first, second = np.asarray(bonds).T.astype(np.uint64)
    one = np.uint64(1)
    return Moves((one << first) | (one << second), np.ones(len(bonds), bool))


def together(*parts: Moves) -> Moves:
    """All moves of several kinds."""
    return Moves(np.concatenate([part.masks for part in parts]), np.concatenate([part.exchange for part in parts]))
