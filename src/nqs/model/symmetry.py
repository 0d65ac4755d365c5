"""Groups of site permutations and spin flips acting on basis states.

A basis state is an unsigned integer, bit i = site i, 1 = up. A group element g moves the spin of
site i to site permutation[i] and then, if it flips, reverses all spins. One-dimensional real
representations only: psi(g s) = character(g) psi(s) with character +-1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numba as nb
import numpy as np

from nqs.model.states import next_state


@dataclass(frozen=True, eq=False)
class Generator:
    """One generator: its permutation (n_sites,), whether it flips all spins, and its order."""

    name: str
    permutation: np.ndarray
    flip: bool
    order: int


@dataclass(frozen=True, eq=False)
class Group:
    """Group elements: permutations (G, n_sites), flips (G,)."""

    permutations: np.ndarray
    flips: np.ndarray

    @property
    def n_sites(self) -> int:
        return self.permutations.shape[1]

    @cached_property
    def tables(self) -> np.ndarray:
        """Images of each byte of a state: (G, bytes, 256) uint64."""
        n_bytes = -(-self.n_sites // 8)
        tables = np.zeros((len(self.permutations), n_bytes, 256), dtype=np.uint64)
        byte = np.arange(256, dtype=np.uint64)
        for site in range(self.n_sites):
            bit = (byte >> np.uint64(site % 8)) & np.uint64(1)
            target = self.permutations[:, site].astype(np.uint64)
            tables[:, site // 8] |= bit << target[:, None]
        return tables

    @cached_property
    def masks(self) -> np.ndarray:
        """Bits that each element inverts after permuting: (G,) uint64."""
        full = np.uint64((1 << self.n_sites) - 1)
        return np.where(self.flips, full, np.uint64(0))

    def images(self, states: np.ndarray, elements: np.ndarray) -> np.ndarray:
        """g s for paired arrays of states and element numbers."""
        return _images(self.tables, self.masks, states.astype(np.uint64), elements)

    def orbits(self, states: np.ndarray) -> np.ndarray:
        """All images (states, G) of each state; members of a small orbit are repeated."""
        return _all_images(self.tables, self.masks, states.astype(np.uint64))

    def canonical(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Smallest member of each state's orbit, and an element g with g s = that member."""
        return _canonical(self.tables, self.masks, states.astype(np.uint64))

    def orbit_sizes(self, states: np.ndarray) -> np.ndarray:
        """Number of distinct images of each state."""
        fixed = _stabilisers(self.tables, self.masks, states.astype(np.uint64))
        return len(self.permutations) // fixed

    def representatives(self) -> np.ndarray:
        """Smallest member of every orbit of the Sz = 0 states, ascending."""
        return _representatives(self.tables, self.masks, self.n_sites)


def make_generator(name: str, permutation: np.ndarray, flip: bool = False) -> Generator:
    """A generator with its order computed."""
    identity = np.arange(len(permutation))
    power, order = permutation, 1
    while not np.array_equal(power, identity):
        power, order = permutation[power], order + 1
    return Generator(name, permutation, flip, 2 * order if flip and order % 2 else order)


def make_group(generators: Sequence[Generator], n_sites: int) -> tuple[Group, np.ndarray]:
    """All products of powers of the generators, and their exponents (G, generators).

    ValueError if two products coincide: then the generators do not label the elements.
    """
    permutations = np.arange(n_sites)[None]
    flips = np.zeros(1, dtype=bool)
    exponents = np.zeros((1, 0), dtype=int)
    for generator in generators:
        blocks = []
        for power in range(generator.order):
            powers = np.full((len(permutations), 1), power)
            flipped = flips ^ bool(generator.flip and power % 2)
            blocks.append((permutations, flipped, np.hstack([exponents, powers])))
            permutations = generator.permutation[permutations]
        permutations, flips, exponents = map(np.concatenate, zip(*blocks, strict=True))
    if len(np.unique(np.column_stack([permutations, flips]), axis=0)) < len(permutations):
        names = ", ".join(g.name for g in generators)
        raise ValueError(f"products of {names} name some symmetry twice")
    return Group(permutations, flips), exponents


def characters(exponents: np.ndarray, signs: Sequence[int]) -> np.ndarray:
    """Characters (G,) of the representation that gives generator i the value signs[i] = +-1."""
    return np.prod(np.asarray(signs) ** (exponents % 2), axis=1).astype(np.int8)


def is_representation(group: Group, values: np.ndarray, generators: Sequence[Generator]) -> bool:
    """Whether characters (G,) multiply like the group: chi(h g) = chi(h) chi(g)."""
    keys = {(tuple(p), bool(f)): x for p, f, x in zip(group.permutations, group.flips, values, strict=True)}
    for generator in generators:
        sign = keys[tuple(generator.permutation), generator.flip]
        products = generator.permutation[group.permutations]
        flips = group.flips ^ generator.flip
        for product, flip, value in zip(products, flips, values, strict=True):
            if keys.get((tuple(product), bool(flip))) != sign * value:
                return False
    return True


@nb.njit(cache=True)
def _image(table: np.ndarray, mask: np.uint64, state: np.uint64) -> np.uint64:
    result = mask
    for byte in range(table.shape[0]):
        result ^= table[byte, (state >> np.uint64(8 * byte)) & np.uint64(255)]
    return result


@nb.njit(cache=True)
def _images(tables: np.ndarray, masks: np.ndarray, states: np.ndarray, elements: np.ndarray):
    out = np.empty_like(states)
    for n in range(len(states)):
        out[n] = _image(tables[elements[n]], masks[elements[n]], states[n])
    return out


@nb.njit(cache=True)
def _all_images(tables: np.ndarray, masks: np.ndarray, states: np.ndarray):
    out = np.empty((len(states), len(masks)), dtype=np.uint64)
    for n in range(len(states)):
        for g in range(len(masks)):
            out[n, g] = _image(tables[g], masks[g], states[n])
    return out


@nb.njit(cache=True)
def _canonical(tables: np.ndarray, masks: np.ndarray, states: np.ndarray):
    smallest = states.copy()
    elements = np.zeros(len(states), dtype=np.int64)  # element 0 is the identity
    for n in range(len(states)):
        for g in range(1, len(masks)):
            image = _image(tables[g], masks[g], states[n])
            if image < smallest[n]:
                smallest[n] = image
                elements[n] = g
    return smallest, elements


@nb.njit(cache=True)
def _stabilisers(tables: np.ndarray, masks: np.ndarray, states: np.ndarray):
    fixed = np.zeros(len(states), dtype=np.int64)
    for n in range(len(states)):
        for g in range(len(masks)):
            fixed[n] += _image(tables[g], masks[g], states[n]) == states[n]
    return fixed


@nb.njit(cache=True)
def _representatives(tables: np.ndarray, masks: np.ndarray, n_sites: int):
    found = [np.uint64(0) for _ in range(0)]
    state = (np.uint64(1) << np.uint64(n_sites // 2)) - np.uint64(1)
    while state >> np.uint64(n_sites) == 0:
        smallest = True
        for g in range(1, len(masks)):
            if _image(tables[g], masks[g], state) < state:
                smallest = False
                break
        if smallest:
            found.append(state)
        state = next_state(state)
    return np.array(found)
