"""Links between orbits: what exchanges of two spins make of their smallest members, and the symmetry that leads back.

A link is an exchange that leads from a smallest member r to a state s' with the smallest member r' = g s', so that
psi(s') = D(g)^T psi(r') for a function of the representation D. One list of links, each with its r' and g, serves all
representations (nqs.exact.kernel.representations): only the matrices differ.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numba as nb
import numpy as np

from nqs.exact.irreps import Irrep
from nqs.exact.kernel.neighbours import BUCKET_BITS, PIECE, _look_up, aligned_sum
from nqs.exact.kernel.orbits import LANES, Orbits, Walk, find_orbits, make_walk, movers_in_order, smallest_images
from nqs.exact.kernel.representations import Space
from nqs.model.symmetry import Generator, Group

MAPPED = 1 << 30  # bytes above which links are in a file


@dataclass(frozen=True, eq=False)
class Links:
    """Links of one bond set: targets (nnz,) uint32, elements (nnz,) uint16, starts (d + 1,), aligned (d,) int16."""

    targets: np.ndarray
    elements: np.ndarray
    starts: np.ndarray
    aligned: np.ndarray


@dataclass(frozen=True, eq=False)
class LinkedOrbits:
    """Orbits of the Sz = 0 states under a group, and the links between them.

    generators: those of the group in the order of the walk, the spin flip last.
    """

    generators: Sequence[Generator]
    walk: Walk
    orbits: Orbits
    links: Mapping[str, Links]
    threads: int = 1

    @cached_property
    def stabilisers(self) -> tuple[np.ndarray, np.ndarray]:
        """First entry of each small orbit in a list of elements that leave its smallest member alone, and the list."""
        group = Group(np.concatenate([self.walk.elements] * 2), np.repeat([False, True], len(self.walk.elements)))
        labels = np.concatenate([np.arange(len(self.walk.elements)) + flip for flip in (0, _flip_label(self.walk))])
        states = self.orbits.representatives[self.orbits.fixed]
        found = []
        for begin in range(0, len(states), 4096):
            own = states[begin : begin + 4096]
            rows, elements = np.nonzero(group.orbits(own) == own[:, None])
            found.append((rows + begin, labels[elements]))
        rows, elements = (np.concatenate([part[n] for part in found] or [np.zeros(0, int)]) for n in (0, 1))
        return np.searchsorted(rows, np.arange(len(states))), elements

    def matrices(self, irrep: Irrep) -> np.ndarray:
        """D of every element, by its label: (labels, n, n)."""
        movers = [irrep.matrices[g.name] for g in self.generators if not g.flip]
        result = np.zeros((2 * _flip_label(self.walk), irrep.dimension, irrep.dimension))
        matrix, element = np.eye(irrep.dimension), 0
        result[0] = matrix
        for step, new in zip(self.walk.steps, self.walk.new, strict=True):
            matrix = movers[step] @ matrix
            element += new
            if new:
                result[element] = matrix
        result[_flip_label(self.walk) :] = irrep.spin_flip * result[: _flip_label(self.walk)]
        return result

    def space(self, irreps: Sequence[Irrep], dtype: type) -> Space:
        """The functions of some representations that share vectors."""
        return Space(self, irreps, dtype)


def link_orbits(
    generators: Sequence[Generator],
    n_sites: int,
    bonds: Mapping[str, np.ndarray],
    folder: Path,
    threads: int = 1,
) -> LinkedOrbits:
    """Orbits under the generators, of which the spin flip is the last, and their links; long lists are in `folder`."""
    walk = make_walk(generators, n_sites)
    orbits = find_orbits(walk, threads)
    found = {key: find_links(walk, orbits, pairs, folder / f"links_{key}", threads) for key, pairs in bonds.items()}
    return LinkedOrbits([*movers_in_order(generators, n_sites), generators[-1]], walk, orbits, found, threads)


def _flip_label(walk: Walk) -> int:
    """Label of the spin flip; below are the elements without it, in the order of the walk."""
    return 1 << max(len(walk.elements) - 1, 1).bit_length()


def _labelled(walk: Walk) -> Walk:
    """The walk with the labels of its elements in place of their parities."""
    elements = np.cumsum(walk.new)
    reached = np.where(walk.new, elements, 0)
    parities = np.zeros(len(walk.steps), dtype=np.int64)
    steps = np.flatnonzero(walk.new)
    parities[steps] = reached[steps] ^ np.concatenate([[0], reached[steps][:-1]]).astype(np.int64)
    return replace(walk, parities=parities, flip_parity=_flip_label(walk), parity_bits=_flip_label(walk).bit_length())


def find_links(walk: Walk, orbits: Orbits, bonds: np.ndarray, name: Path, threads: int = 1) -> Links:
    """Links of one bond set; RuntimeError if an exchange leads to no known orbit."""
    states = orbits.representatives.view(np.int64)
    aligned = aligned_sum(orbits.representatives, bonds)
    starts = np.concatenate([[0], np.cumsum((len(bonds) - aligned.astype(np.int64)) // 2)])
    targets, elements = (_array(name.with_suffix(f".{kind}"), int(starts[-1]), kind) for kind in ("u4", "u2"))
    shift = max(0, walk.n_sites - BUCKET_BITS)
    buckets = np.concatenate([[0], np.cumsum(np.bincount(states >> shift))]).astype(np.int32)
    pairs = np.array([(1 << i) | (1 << j) for i, j in bonds.tolist()], dtype=np.int64)
    named = _labelled(walk)
    rest = buckets, shift, pairs, named.parity_bits, (1 << walk.n_sites) - 1, named.flip_parity, named.moves

    def piece(first: int) -> bool:
        last = min(first + PIECE, len(states))
        own = slice(starts[first], starts[last])
        return _link(states[first:last], states, *rest, targets[own], elements[own])

    with ThreadPoolExecutor(threads) as pool:
        if not all(pool.map(piece, range(0, len(states), PIECE))):
            raise RuntimeError("an exchange of two spins leads to no known orbit")
    return Links(targets, elements, starts, aligned)


def _array(file: Path, length: int, kind: str) -> np.ndarray:
    """An array in memory, or in the file if it is long."""
    if length * np.dtype(kind).itemsize < MAPPED:
        return np.empty(length, dtype=kind)
    return np.asarray(np.memmap(file, dtype=kind, mode="w+", shape=(length,)))


@nb.njit(cache=True, nogil=True)
def _link(rows, states, buckets, shift, pairs, bits, full, flip_parity, moves, targets, elements):
    """Fill in targets and elements of these rows; False if an exchange leads to no known state."""
    u, low, high = np.empty(LANES, np.int64), np.empty(LANES, np.int64), np.empty(LANES, np.int64)
    t, words = np.empty(LANES, np.int64), np.empty(LANES, np.int64)
    mask = (np.int64(1) << bits) - 1
    done, n, found = 0, 0, True
    for r in range(len(rows)):
        for pair in pairs:
            both = rows[r] & pair
            if both != 0 and both != pair:
                t[n] = rows[r] ^ pair
                n += 1
            if n == LANES or (n and r == len(rows) - 1 and pair == pairs[-1]):
                smallest_images(t, u, low, high, n, bits, full, flip_parity, moves)
                found &= _look_up(low, n, states, buckets, shift, bits, 0, words)
                for i in range(n):
                    targets[done + i] = np.uint32(words[i] >> bits)
                    elements[done + i] = np.uint16(words[i] & mask)
                done += n
                n = 0
    return found
