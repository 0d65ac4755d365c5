"""Motifs: the windows of K neighbouring spins of a ring, how often each occurs in a state, and their symmetry classes.

A state is a uint64, bit i = site i, 1 = up, with as many spins up as down. The motif at site i is the integer whose
bit k is site i + k around the ring, so a motif reads like a short state. Every list of states, motifs or classes here
ascends; a class is called by its smallest member, and classes ascend by that.

Motifs are equivalent under reflection and the exchange of up and down, states also under translation.
[Ju 2025, sec. II and III]
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numba import njit

from nqs.model.states import zero_magnetisation_states
from nqs.model.symmetry import Group, make_generator, make_group
from nqs.runtime.errors import InputError

LONGEST_RING = 64  # sites: a state is one machine word
ENUMERABLE_SITES = 24
TABULATED = 16  # motif length up to which all 2^K motifs are listed


@dataclass(frozen=True, eq=False)
class Classes:
    """Equivalence classes of states or motifs, ascending by their smallest members.

    codes (n,): all members of all classes, ascending;  labels (n,): the class of each;  representatives (C,): the
    smallest member of each class.
    """

    codes: np.ndarray
    labels: np.ndarray
    representatives: np.ndarray

    def __len__(self) -> int:
        return len(self.representatives)

    @cached_property
    def sizes(self) -> np.ndarray:
        """Number of members of each class: (C,)."""
        return np.bincount(self.labels, minlength=len(self))

    @cached_property
    def order(self) -> np.ndarray:
        """Positions that list the members class by class, ascending within each: (n,)."""
        return np.argsort(self.labels, kind="stable")

    def members(self, number: int) -> np.ndarray:
        """The members of one class, ascending."""
        return self.codes[self.labels == number]

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sums over the members of each class: (..., n) to (..., C)."""
        values = np.asarray(values)[..., self.order]
        return np.add.reduceat(values, np.cumsum(self.sizes) - self.sizes, axis=-1)

    def means(self, values: np.ndarray) -> np.ndarray:
        """Averages over the members of each class: (..., n) to (..., C)."""
        return self.sums(values) / self.sizes

    def spread(self, values: np.ndarray) -> np.ndarray:
        """The value of its class for each member: (..., C) to (..., n)."""
        return np.asarray(values)[..., self.labels]


@lru_cache(maxsize=32)
def motif_classes(length: int) -> Classes:
    """Classes of all 2^K motifs under reflection and the exchange of up and down."""
    _check_tabulated(length)
    sites = np.arange(length)
    group, _ = make_group(
        [make_generator("reflection", sites[::-1].copy()), make_generator("flip", sites, flip=True)], length
    )
    return _classes(np.arange(1 << length, dtype=np.uint64), group)


@lru_cache(maxsize=8)
def state_classes(n_sites: int, translations_only: bool = False) -> Classes:
    """Classes of all states of a ring of up to 24 sites under translation and, unless told not, reflection and flip."""
    _check_enumerable(n_sites)
    return _classes(zero_magnetisation_states(n_sites), ring_group(n_sites, translations_only))


def ring_group(n_sites: int, translations_only: bool = False) -> Group:
    """Translations of a ring, with reflections and the exchange of up and down unless told not; InputError if odd."""
    _check_ring(n_sites)
    sites = np.arange(n_sites)
    generators = [make_generator("translation", np.roll(sites, -1))]
    if not translations_only:
        generators += [make_generator("reflection", sites[::-1].copy()), make_generator("flip", sites, flip=True)]
    return make_group(generators, n_sites)[0]


def _classes(codes: np.ndarray, group: Group) -> Classes:
    canonical, _ = group.canonical(codes)
    representatives, labels = np.unique(canonical, return_inverse=True)
    return Classes(codes, labels, representatives)


def bits(codes: np.ndarray, length: int) -> np.ndarray:
    """Spins of states or motifs, 1 = up: (n,) to (n, length) uint8."""
    places = np.arange(length, dtype=np.uint64)
    return ((np.asarray(codes, np.uint64)[:, None] >> places) & np.uint64(1)).astype(np.uint8)


def spell(code: int, length: int) -> str:
    """A state or motif as letters u and d, site 0 first."""
    return "".join("du"[bit] for bit in bits(np.array([code], np.uint64), length)[0])


def window_codes(states: np.ndarray, n_sites: int, length: int) -> np.ndarray:
    """The motif at each site of each state: (U,) to (U, N) uint64.

    InputError if N is odd or above 64, K above N, or a state is magnetised.
    """
    states = _checked(states, n_sites, length)
    codes = np.empty((len(states), n_sites), np.uint64)
    _fill_codes(states, _mask(length), codes)
    return codes


def motif_counts(states: np.ndarray, n_sites: int, length: int) -> np.ndarray:
    """m_s'(s), how often each motif s' occurs in each state: (U,) to (U, 2^K) int32.  [Ju 2025, sec. III]

    InputError as for `window_codes`, or if K is above 16.
    """
    _check_tabulated(length)
    return _counts(states, n_sites, length, np.arange(1 << length))


def class_counts(states: np.ndarray, n_sites: int, length: int) -> np.ndarray:
    """m_e(s), the counts summed over each class of motifs: (U,) to (U, C) int32.  [Ju 2025, eq. 4]"""
    return _counts(states, n_sites, length, motif_classes(length).labels)


def distinct_counts(n_sites: int, length: int, symmetrised: bool = True) -> np.ndarray:
    """Counts of one state per class of states.

    Symmetrised: counts by class of motifs, of states distinct under translation, reflection and flip (states, C).
    Otherwise: counts of motifs, of states distinct under translation (states, 2^K).
    """
    representatives = state_classes(n_sites, not symmetrised).representatives
    return (class_counts if symmetrised else motif_counts)(representatives, n_sites, length)


def row_space(n_sites: int, length: int, symmetrised: bool = True) -> np.ndarray:
    """Orthonormal combinations of multipliers that change ln psi: (rank, C) or, not symmetrised, (rank, 2^K).

    The rank is that of the counts over all states; one direction of it only multiplies psi by a constant.
    """
    counts = distinct_counts(n_sites, length, symmetrised)
    _, singular, directions = np.linalg.svd(counts.astype(float), full_matrices=False)
    return directions[singular > singular[0] * max(counts.shape) * np.finfo(float).eps]


def gauge_dimension(n_sites: int, length: int, symmetrised: bool = True) -> int:
    """Number of independent combinations of multipliers that change no ln psi(s): columns of the counts less rank."""
    rank, columns = row_space(n_sites, length, symmetrised).shape
    return columns - rank


def neel_distances(length: int) -> np.ndarray:
    """d_Neel: Levenshtein distance of each motif to the nearer of the two Neel motifs: (2^K,).  [Ju 2025, sec. V]"""
    spins = bits(motif_classes(length).codes, length).astype(np.int64)
    neel = np.arange(length) % 2
    return np.minimum(_edit_distances(spins, neel), _edit_distances(spins, 1 - neel))


def like_pairs(length: int) -> np.ndarray:
    """n_like: equal neighbours among the K - 1 pairs inside each motif: (2^K,).  [Ju 2025, sec. V]"""
    spins = bits(motif_classes(length).codes, length)
    return (spins[:, 1:] == spins[:, :-1]).sum(axis=1)


def design_matrix(length: int) -> np.ndarray:
    """Regressors 1, d_Neel, n_like and d_Neel n_like of each motif: (2^K, 4).  [Ju 2025, table II]"""
    distance, pairs = neel_distances(length), like_pairs(length)
    return np.column_stack([np.ones(len(pairs)), distance, pairs, distance * pairs])


def _edit_distances(words: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Levenshtein distances (insert, delete, replace) of each row of words (n, K) to the target (L,): (n,)."""
    # row[j]: distance between the letters read so far and the first j of the target, for all words at once
    row = [np.full(len(words), j) for j in range(len(target) + 1)]
    for read in range(words.shape[1]):
        above, row = row, [np.full(len(words), read + 1)]
        for j, letter in enumerate(target):
            replaced = above[j] + (words[:, read] != letter)
            row.append(np.minimum(replaced, np.minimum(above[j + 1], row[j]) + 1))
    return row[-1]


def _counts(states: np.ndarray, n_sites: int, length: int, labels: np.ndarray) -> np.ndarray:
    states = _checked(states, n_sites, length)
    counts = np.zeros((len(states), int(labels.max()) + 1), np.int32)
    _fill_counts(states, n_sites, _mask(length), labels, counts)
    return counts


def _mask(length: int) -> np.uint64:
    return np.uint64((1 << length) - 1)


def _check_ring(n_sites: int) -> None:
    if n_sites % 2 or not 4 <= n_sites <= LONGEST_RING:
        raise InputError(
            f"a ring of {n_sites} sites: states of zero magnetisation in one machine word need an even number of "
            f"sites from 4 to {LONGEST_RING}"
        )


def _check_enumerable(n_sites: int) -> None:
    _check_ring(n_sites)
    if n_sites > ENUMERABLE_SITES:
        raise InputError(
            f"{n_sites} sites: too many states to list all; give `motif_counts` a sample beyond {ENUMERABLE_SITES}"
        )


def _check_tabulated(length: int) -> None:
    if not 1 <= length <= TABULATED:
        raise InputError(
            f"motifs of {length} sites: all 2^K are listed for K = 1 to {TABULATED} only; use `window_codes` beyond"
        )


def _checked(states: np.ndarray, n_sites: int, length: int) -> np.ndarray:
    """The states as contiguous uint64, if ring, motif length and magnetisation are in order."""
    _check_ring(n_sites)
    if not 1 <= length <= n_sites:
        raise InputError(f"motifs of K = {length} sites on a ring of N = {n_sites}: choose 1 <= K <= N")
    states = np.ascontiguousarray(states, dtype=np.uint64)
    outside = states > _mask(n_sites)
    if outside.any():
        raise InputError(f"state {states[outside][0]} has bits beyond the {n_sites} sites of the ring")
    magnetised = np.bitwise_count(states) != n_sites // 2
    if magnetised.any():
        spins = spell(int(states[magnetised][0]), n_sites)
        raise InputError(
            f"state {spins} (site 0 first) has {spins.count('u')} of {n_sites} spins up; keep states with N/2 up, as "
            f"`zero_magnetisation_states` lists them"
        )
    return states


@njit(cache=True, nogil=True)
def _fill_codes(states, mask, codes):
    n_sites = codes.shape[1]
    last = np.uint64(n_sites - 1)
    for row in range(len(states)):
        word = states[row]
        for site in range(n_sites):
            codes[row, site] = word & mask
            word = (word >> np.uint64(1)) | ((word & np.uint64(1)) << last)


@njit(cache=True, nogil=True)
def _fill_counts(states, n_sites, mask, labels, counts):
    last = np.uint64(n_sites - 1)
    for row in range(len(states)):
        word = states[row]
        for _ in range(n_sites):
            counts[row, labels[word & mask]] += 1
            word = (word >> np.uint64(1)) | ((word & np.uint64(1)) << last)
