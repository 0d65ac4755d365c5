"""Compiled arithmetic of wave functions that are products over the windows of a ring, by look-up.

A state is W = ceil(N / 64) packed words; site i is bit i % 64 of word i // 64, so up to 64 sites one word is the state
itself. A kernel unpacks it into a ring that repeats its first 2K sites at its end: any 2K sites in a row, a context,
are then two shifts away. Exchanging the two spins in the middle of a context changes the K + 1 windows inside it and
nothing else, so its ratio depends on the context alone. Sums over `group` windows in a row are kept in a table of their
own, and up to K = 8 so is the matrix element of each of the 4^K contexts.

Bit k of a window or context is its k-th site. Shapes: U states, C chains.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

ONE, WORD = np.uint64(1), np.uint64(63)


class Windows(NamedTuple):
    """Numbers of a ring of N sites and windows of K, for the kernels.

    group: windows summed in one table;  exchange, single: groups, and windows left over, that an exchange of neighbours
    and a flip change;  swap, flip: bits that an exchange in the middle of a context, and a flip of its site K - 1,
    reverse.
    """

    n_sites: int
    width: int
    group: int
    exchange: tuple[int, int]
    single: tuple[int, int]
    swap: np.uint64
    flip: np.uint64


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def ones(n):
    """The lowest n < 64 bits."""
    return (ONE << np.uint64(n)) - ONE


@njit(cache=True, nogil=True, error_model="numpy")
def new_ring(n_sites, width):
    """Room for a ring: its sites, the first 2K again, and a word that reading past the end may touch."""
    return np.empty((n_sites + 2 * width + 63) // 64 + 1, np.uint64)


@njit(cache=True, nogil=True, error_model="numpy")
def unpack(words, n_sites, width, ring):
    """Write one state (W,) into a ring."""
    ring[:] = np.uint64(0)
    for word in range(len(words)):
        ring[word] = words[word]
    for site in range(n_sites, n_sites + 2 * width):
        source = site - n_sites  # already written where the copies overlap
        bit = (ring[source >> 6] >> np.uint64(source & 63)) & ONE
        ring[site >> 6] |= bit << np.uint64(site & 63)


@njit(cache=True, nogil=True, error_model="numpy")
def pack(ring, n_sites, words):
    """Write a ring's state into (W,)."""
    for word in range(len(words)):
        words[word] = ring[word]
    if n_sites & 63:
        words[-1] &= ones(n_sites & 63)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def context(ring, start):
    """The sites from `start` on, as many as a word holds; a caller looks at 2K of them."""
    word, shift = start >> 6, np.uint64(start & 63)
    return (ring[word] >> shift) | ((ring[word + 1] << ONE) << (WORD - shift))


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def turn(ring, site, n_sites, end):
    """Flip one site and its copies, of which the last is before `end`."""
    while site < end:
        ring[site >> 6] ^= ONE << np.uint64(site & 63)
        site += n_sites


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def log_ratio(new, old, count, windows, motifs, groups):
    """Sum of lambda over the first windows of one context, less that of another; count: groups, and windows left."""
    step, total = np.uint64(windows.group), 0.0
    wide, narrow = ones(windows.width + windows.group - 1), ones(windows.width)
    for _ in range(count[0]):
        total += groups[new & wide] - groups[old & wide]
        new >>= step
        old >>= step
    for _ in range(count[1]):
        total += motifs[new & narrow] - motifs[old & narrow]
        new >>= ONE
        old >>= ONE
    return total


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def antiparallel(sites, width):
    """1 if the two spins in the middle of a context differ, else 0."""
    middle = sites >> np.uint64(width - 1)
    return (middle ^ (middle >> ONE)) & ONE


@njit(cache=True, nogil=True, error_model="numpy")
def all_elements(windows, motifs, groups, out):
    """Local energy of the bond in the middle of every context: 1, or -psi'/psi if its spins differ; out (4^K,)."""
    for number in range(len(out)):
        sites = np.uint64(number)
        out[number] = 1.0
        if antiparallel(sites, windows.width):
            out[number] = -np.exp(log_ratio(sites ^ windows.swap, sites, windows.exchange, windows, motifs, groups))


@njit(cache=True, nogil=True, error_model="numpy")
def neighbour_moves(words, windows, motifs, groups, elements, stride, rng, out):
    """Metropolis chains that exchange random neighbours, in place; returns the number of accepted moves.

    words (C, W);  motifs: lambda (2^K,);  groups: sums of lambda over `group` windows in a row (2^(K + group - 1),);
    elements: as `all_elements` gives them, or empty;  out (kept, C, W): the states after every `stride` proposals. One
    random number gives both the bond and, by its fraction, the number that decides.
    """
    n_sites, width, accepted = windows.n_sites, windows.width, 0
    ring, whole, end = new_ring(n_sites, width), ones(2 * width), n_sites + 2 * width
    for chain in range(len(words)):
        unpack(words[chain], n_sites, width, ring)
        for kept in range(len(out)):
            for _ in range(stride):
                draw = rng.random() * n_sites
                start = int(draw)
                sites = context(ring, start)
                if len(elements):
                    element = elements[sites & whole]
                elif antiparallel(sites, width):
                    element = -np.exp(log_ratio(sites ^ windows.swap, sites, windows.exchange, windows, motifs, groups))
                else:
                    continue
                if (element <= 0) & (element * element > draw - start):
                    first, second = start + width - 1, start + width
                    turn(ring, first - n_sites if first >= n_sites else first, n_sites, end)
                    turn(ring, second - n_sites if second >= n_sites else second, n_sites, end)
                    accepted += 1
            pack(ring, n_sites, out[kept, chain])
        words[chain] = out[-1, chain]
    return accepted


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def flip_log_ratio(ring, site, windows, motifs, groups):
    """ln psi'/psi of flipping one spin."""
    start = site - windows.width + 1
    sites = context(ring, start + windows.n_sites if start < 0 else start)
    return log_ratio(sites ^ windows.flip, sites, windows.single, windows, motifs, groups)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def random_pair(pairs, n_sites, rng):
    """A random one of the pairs (B, 2), or any two sites if there are none, and a number in [0, 1), from one draw."""
    if len(pairs):
        draw = rng.random() * len(pairs)
        place = int(draw)
        return int(pairs[place, 0]), int(pairs[place, 1]), draw - place
    draw = rng.random() * n_sites
    first = int(draw)
    draw = (draw - first) * n_sites  # 37 bits are left for the number at 240 sites
    second = int(draw)
    return first, second, draw - second


@njit(cache=True, nogil=True, error_model="numpy")
def pair_moves(words, windows, motifs, groups, pairs, stride, rng, out):
    """As `neighbour_moves`, exchanging the spins of random pairs (B, 2), or any two sites: two flips in a row."""
    n_sites, width, accepted = windows.n_sites, windows.width, 0
    ring, end = new_ring(n_sites, width), n_sites + 2 * width
    for chain in range(len(words)):
        unpack(words[chain], n_sites, width, ring)
        for kept in range(len(out)):
            for _ in range(stride):
                first, second, chance = random_pair(pairs, n_sites, rng)
                if (context(ring, first) ^ context(ring, second)) & ONE:
                    change = flip_log_ratio(ring, first, windows, motifs, groups)
                    turn(ring, first, n_sites, end)
                    change += flip_log_ratio(ring, second, windows, motifs, groups)
                    if np.exp(2 * change) > chance:
                        turn(ring, second, n_sites, end)
                        accepted += 1
                    else:
                        turn(ring, first, n_sites, end)
            pack(ring, n_sites, out[kept, chain])
        words[chain] = out[-1, chain]
    return accepted


@njit(cache=True, nogil=True, error_model="numpy")
def flip_moves(words, windows, motifs, groups, stride, rng, out):
    """As `neighbour_moves`, flipping random single spins."""
    n_sites, width, accepted = windows.n_sites, windows.width, 0
    ring, end = new_ring(n_sites, width), n_sites + 2 * width
    for chain in range(len(words)):
        unpack(words[chain], n_sites, width, ring)
        for kept in range(len(out)):
            for _ in range(stride):
                draw = rng.random() * n_sites
                site = int(draw)
                if np.exp(2 * flip_log_ratio(ring, site, windows, motifs, groups)) > draw - site:
                    turn(ring, site, n_sites, end)
                    accepted += 1
            pack(ring, n_sites, out[kept, chain])
        words[chain] = out[-1, chain]
    return accepted


@njit(cache=True, nogil=True, error_model="numpy")
def ring_energies(words, windows, motifs, groups, elements, out):
    """Local energies of H = sum P_{n,n+1} in the Marshall gauge: out (U,)."""
    n_sites, width = windows.n_sites, windows.width
    ring, whole, logs = new_ring(n_sites, width), ones(2 * width), np.empty(n_sites)
    for row in range(len(words)):
        unpack(words[row], n_sites, width, ring)
        energy = 0.0
        if len(elements):
            for start in range(n_sites):
                energy += elements[context(ring, start) & whole]
        else:
            unlike = 0  # all sums first, without a branch on the spins, is several times faster
            for start in range(n_sites):
                sites = context(ring, start)
                logs[unlike] = log_ratio(sites ^ windows.swap, sites, windows.exchange, windows, motifs, groups)
                unlike += int(antiparallel(sites, width))
            energy = float(n_sites - unlike)
            for place in range(unlike):
                energy -= np.exp(logs[place])
        out[row] = energy


@njit(cache=True, nogil=True, error_model="numpy")
def log_psi(words, n_sites, width, motifs, out):
    """ln psi: out (U,)."""
    ring, mask = new_ring(n_sites, width), ones(width)
    for row in range(len(words)):
        unpack(words[row], n_sites, width, ring)
        total = 0.0
        for start in range(n_sites):
            total += motifs[context(ring, start) & mask]
        out[row] = total


@njit(cache=True, nogil=True, error_model="numpy")
def add_counts(words, n_sites, width, weights, out):
    """Add the motif counts of each state times its weight: out (2^K,)."""
    ring, mask = new_ring(n_sites, width), ones(width)
    for row in range(len(words)):
        unpack(words[row], n_sites, width, ring)
        for start in range(n_sites):
            out[context(ring, start) & mask] += weights[row]


@njit(cache=True, nogil=True, error_model="numpy")
def swap_ratios(words, windows, motifs, groups, pairs, out):
    """psi'/psi for the exchange of each pair's spins: out (U, B), 0 where they are parallel."""
    n_sites, width = windows.n_sites, windows.width
    ring, end = new_ring(n_sites, width), n_sites + 2 * width
    for row in range(len(words)):
        unpack(words[row], n_sites, width, ring)
        for place in range(len(pairs)):
            first, second = pairs[place, 0], pairs[place, 1]
            out[row, place] = 0.0
            if (context(ring, first) ^ context(ring, second)) & ONE:
                change = flip_log_ratio(ring, first, windows, motifs, groups)
                turn(ring, first, n_sites, end)
                change += flip_log_ratio(ring, second, windows, motifs, groups)
                turn(ring, first, n_sites, end)
                out[row, place] = np.exp(change)
