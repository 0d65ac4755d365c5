"""Exact sums over the spin states of a ring: energy, variance, correlations and magnetisation of any psi.

A state of N spins is a pair of halves, (upper, lower), and psi a matrix of shape (2^(N/2), 2^(N/2)). The states of a
half are sorted by their number of up spins, so that in each row the states with Sz = 0 are neighbours: a sector is a
range of columns for every row, the same compiled loops serve both, and each half conserves its range under exchanges.

In the Marshall-rotated basis, S.S units, with s_i = +-1,

    <psi|H|psi> = sum_s psi(s)^2 (1/4) sum_i s_i s_i+1  -  sum_bonds sum_pairs psi(s) psi(s'),

where the pairs are the unordered pairs of states that differ by exchanging the antiparallel spins of a bond. No
amplitude is divided by another, so amplitudes may span any range.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit

from nqs.runtime.compiled import COMPILED, dot
from nqs.runtime.errors import InputError

ALL, ZERO = "all", "zero"  # sectors: all 2^N states, and those with Sz = 0


SECTORS = (ALL, ZERO)


LARGEST = 24  # sites; psi takes 128 MB there


@dataclass(frozen=True, eq=False)
class Exchanges:
    """Pairs of half-states that an exchange connects; each list is sorted by its first member.

    pairs (pair, 2) uint32: positions;  first (2^(N/2) + 1,): number of pairs whose first member lies before a position.
    """

    pairs: np.ndarray
    first: np.ndarray


@dataclass(frozen=True, eq=False)
class Ring:
    """Tables of the half-states of a ring of N sites; site i is bit i of the lower half, site N/2 + i of the upper.

    words (K,) uint64, sorted by number of up spins, K = 2^(N/2);  spins (N/2, K) float64, +-1;  ups (K,) int64
    inside: exchanges on the bonds within a half
    ends: for the two bonds between the halves, (exchanges of the upper end's spin, of the lower end's): a pair holds
        the half-state with that spin (up, down) in the upper, (down, up) in the lower half.
    """

    n_sites: int
    words: np.ndarray
    spins: np.ndarray
    ups: np.ndarray
    inside: Exchanges
    ends: tuple[tuple[Exchanges, Exchanges], tuple[Exchanges, Exchanges]]

    def columns(self, sector: str) -> tuple[np.ndarray, np.ndarray]:
        """First column and column past the last of every row in a sector, each (K,) int64."""
        if sector == ALL:
            return np.zeros_like(self.ups), np.full_like(self.ups, len(self.ups))
        needed = self.n_sites // 2 - self.ups
        return np.searchsorted(self.ups, needed, "left"), np.searchsorted(self.ups, needed, "right")

    def mask(self, sector: str) -> np.ndarray:
        """Which elements of psi belong to a sector: bool (K, K)."""
        start, stop = self.columns(sector)
        column = np.arange(len(self.words))
        return (column >= start[:, None]) & (column < stop[:, None])

    def states(self) -> np.ndarray:
        """The integer of every element of psi, bit i = site i: uint64 (K, K)."""
        return (self.words[:, None] << np.uint64(self.n_sites // 2)) | self.words[None, :]


@lru_cache(maxsize=8)
def ring(n_sites: int) -> Ring:
    """The tables of one size; InputError unless N is even and 4 <= N <= 24."""
    if n_sites % 2 or not 4 <= n_sites <= LARGEST:
        raise InputError(f"exact sums need an even ring of 4 to {LARGEST} sites, not {n_sites}")
    half = n_sites // 2
    words = np.arange(1 << half, dtype=np.uint64)
    words = words[np.argsort(np.bitwise_count(words), kind="stable")]
    bits = (words >> np.arange(half, dtype=np.uint64)[:, None]) & np.uint64(1)  # (site, K)
    down_up = [(np.uint64(1) << np.uint64(i)) * np.uint64(3) for i in range(half - 1)]
    inside = np.concatenate(
        [_moved(words, (bits[i] == 1) & (bits[i + 1] == 0), mask) for i, mask in enumerate(down_up)]
    )
    top = np.uint64(1) << np.uint64(half - 1)
    ends = (
        (_turned(words, bits[0] == 1, np.uint64(1)), _turned(words, bits[-1] == 0, top)),
        (_turned(words, bits[-1] == 1, top), _turned(words, bits[0] == 0, np.uint64(1))),
    )
    ups = np.bitwise_count(words).astype(np.int64)
    return Ring(n_sites, words, bits.astype(np.float64) * 2 - 1, ups, _sorted(inside, len(words)), ends)


def _moved(words: np.ndarray, chosen: np.ndarray, mask: np.uint64) -> np.ndarray:
    """Positions of the chosen half-states and of what they become when the bits of `mask` are turned."""
    place = np.empty(len(words), dtype=np.int64)
    place[words] = np.arange(len(words))
    source = np.flatnonzero(chosen)
    return np.column_stack([source, place[words[source] ^ mask]])


def _sorted(pairs: np.ndarray, size: int) -> Exchanges:
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    return Exchanges(pairs.astype(np.uint32, order="C"), np.searchsorted(pairs[:, 0], np.arange(size + 1)))


def _turned(words: np.ndarray, chosen: np.ndarray, mask: np.uint64) -> Exchanges:
    return _sorted(_moved(words, chosen, mask), len(words))


@dataclass(frozen=True, eq=False)
class Sums:
    """Energy (S.S, total) and C_zz(r) = (1/N) sum_i <S^z_i S^z_i+r>, r = 0..N/2, of one state in one sector."""

    energy: float
    czz: np.ndarray


def measure(size: Ring, sector: str, psi: np.ndarray) -> Sums:
    """Energy and correlations of psi (K, K), summed over a sector; psi elsewhere is not read. NaN for psi = 0."""
    start, stop = size.columns(sector)
    products = np.zeros((size.n_sites, size.n_sites))
    norm = _two_site(psi, start, stop, size.spins, products)
    with np.errstate(invalid="ignore", divide="ignore"):
        czz = correlations(products / norm)
        exchange = _exchange(psi, start, stop, *_tables(size)) / norm
    return Sums(float(size.n_sites * czz[1] - exchange), czz)


def correlations(products: np.ndarray) -> np.ndarray:
    """C_zz(r), r = 0..N/2, from the averages of s_i s_k (N, N)."""
    sites = np.arange(len(products))
    distances = np.arange(len(products) // 2 + 1)
    return products[sites, (sites + distances[:, None]) % len(products)].mean(axis=1) / 4


def energy_and_variance(size: Ring, sector: str, psi: np.ndarray) -> tuple[float, float]:
    """<H> and <H^2> - <H>^2 within a sector, from H psi.  [Mummaneni 2026, eq. 5]"""
    start, stop = size.columns(sector)
    image = np.zeros_like(psi)
    _apply(psi, start, stop, size.spins, *_tables(size), image)
    psi = np.where(size.mask(sector), psi, 0.0)
    norm = float((psi * psi).sum())
    if not norm > 0:
        return np.nan, np.nan
    energy = float((psi * image).sum()) / norm
    return energy, float(((image - energy * psi) ** 2).sum()) / norm


def apply_hamiltonian(size: Ring, psi: np.ndarray) -> np.ndarray:
    """H psi in the Marshall-rotated basis, (K, K)."""
    image = np.zeros_like(psi)
    _apply(psi, *size.columns(ALL), size.spins, *_tables(size), image)
    return image


def magnetisation(size: Ring, psi: np.ndarray) -> np.ndarray:
    """Weight of |Sz| = m, m = 0..N/2, in psi over all 2^N states."""
    weight = psi * psi
    sz = np.abs(size.ups[:, None] + size.ups[None, :] - size.n_sites // 2)
    total = np.bincount(sz.ravel(), weights=weight.ravel(), minlength=size.n_sites // 2 + 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return total / total.sum()


def state_correlations(n_sites: int, states: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """C_zz(r), r = 0..N/2, of a state given as integers (n,) and amplitudes (n,)."""
    words, weight = states.astype(np.uint64), psi**2 / (psi**2).sum()
    everything = np.uint64((1 << n_sites) - 1)
    result = []
    for distance in range(n_sites // 2 + 1):
        shift = np.uint64(distance)
        turned = ((words << shift) | (words >> np.uint64(n_sites - distance))) & everything if distance else words
        result.append(0.25 - 0.5 * float(weight @ np.bitwise_count(words ^ turned)) / n_sites)
    return np.array(result)


def _tables(size: Ring) -> tuple[np.ndarray, ...]:
    (upper1, lower1), (upper2, lower2) = size.ends
    return (
        size.inside.pairs, size.inside.first, upper1.pairs, lower1.pairs, lower1.first,
        upper2.pairs, lower2.pairs, lower2.first,
    )  # fmt: skip


@njit(**COMPILED)
def _two_site(psi, start, stop, spins, products):
    """Add sum psi^2 s_i s_k to `products` (N, N) and return sum psi^2."""
    half, size = spins.shape
    lower, upper = np.zeros(size), np.zeros(size)
    for row in range(size):
        # Slices, here and below: their indices are never negative, so the loops need no checks and vectorise.
        values, marginal = psi[row, start[row] : stop[row]], lower[start[row] : stop[row]]
        squares = values * values
        for column in range(len(squares)):
            marginal[column] += squares[column]
        upper[row] = squares.sum()
        for site in range(half):
            mixed = dot(squares, spins[site, start[row] : stop[row]])
            for other in range(half):
                products[site, half + other] += mixed * spins[other, row]
    for one in range(half):
        for two in range(half):
            products[half + two, one] = products[one, half + two]
            for place in range(size):
                both = spins[one, place] * spins[two, place]
                products[one, two] += lower[place] * both
                products[half + one, half + two] += upper[place] * both
    return upper.sum()


@njit(**COMPILED)
def _exchange(psi, start, stop, pairs, first, rows1, columns1, first1, rows2, columns2, first2):
    """Sum over bonds and over pairs of states of psi psi'."""
    total = 0.0
    for row in range(len(start)):  # bonds within the lower half
        total += _gathered(psi[row], psi[row], pairs[first[start[row]] : first[stop[row]]])
    for pair in range(len(pairs)):  # within the upper half: whole rows, which have the same columns
        one, two = pairs[pair, 0], pairs[pair, 1]
        total += dot(psi[one, start[one] : stop[one]], psi[two, start[one] : stop[one]])
    for pair in range(len(rows1)):  # the two bonds between the halves
        one, two = rows1[pair, 0], rows1[pair, 1]
        total += _gathered(psi[one], psi[two], columns1[first1[start[one]] : first1[stop[one]]])
    for pair in range(len(rows2)):
        one, two = rows2[pair, 0], rows2[pair, 1]
        total += _gathered(psi[one], psi[two], columns2[first2[start[one]] : first2[stop[one]]])
    return total


@njit(**COMPILED)
def _gathered(one, two, columns):
    """Sum over the listed pairs of columns of the products of two rows."""
    total = 0.0
    for pair in range(len(columns)):
        total += one[columns[pair, 0]] * two[columns[pair, 1]]
    return total


@njit(**COMPILED)
def _apply(psi, start, stop, spins, pairs, first, rows1, columns1, first1, rows2, columns2, first2, image):
    """Write H psi into `image`, which must be zero."""
    half, size = spins.shape
    inside = np.zeros(size)  # sum of s_i s_i+1 within a half
    for place in range(size):
        for site in range(half - 1):
            inside[place] += spins[site, place] * spins[site + 1, place]
    for row in range(size):
        for column in range(start[row], stop[row]):
            joined = spins[half - 1, column] * spins[0, row] + spins[half - 1, row] * spins[0, column]
            image[row, column] += 0.25 * (inside[row] + inside[column] + joined) * psi[row, column]
        for pair in range(first[start[row]], first[stop[row]]):
            one, two = pairs[pair, 0], pairs[pair, 1]
            image[row, one] -= 0.5 * psi[row, two]
            image[row, two] -= 0.5 * psi[row, one]
    for pair in range(len(pairs)):
        one, two = pairs[pair, 0], pairs[pair, 1]
        for column in range(start[one], stop[one]):
            image[one, column] -= 0.5 * psi[two, column]
            image[two, column] -= 0.5 * psi[one, column]
    _apply_between(psi, start, stop, rows1, columns1, first1, image)
    _apply_between(psi, start, stop, rows2, columns2, first2, image)


@njit(**COMPILED)
def _apply_between(psi, start, stop, rows, columns, first, image):
    """The part of `_apply` of one bond that joins the halves."""
    for pair in range(len(rows)):
        one, two = rows[pair, 0], rows[pair, 1]
        for other in range(first[start[one]], first[stop[one]]):
            here, there = columns[other, 0], columns[other, 1]
            image[one, here] -= 0.5 * psi[two, there]
            image[two, there] -= 0.5 * psi[one, here]
