"""Exchange of neighbouring spins between orbits: lists of neighbours for all sectors at once, and H times a vector.

psi(g s) = chi(g) psi(s), so H on the amplitudes c of the smallest members r is
    (H c)_r = sum_bonds J/2 chi(g) c_r' + diagonal,   r' = g (r with the bond's two spins exchanged).
An entry of the list is one uint32 word
    index of r' | parity of g | multiplicity - 1
from the highest bits down. The two lower fields select a coefficient chi(g) x multiplicity from a table, which is all
that differs between sectors. The columns are cut into tiles, so that the part of c that a tile reads stays in cache:
words are stored by piece of rows, within it by tile, within it by row.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba as nb
import numpy as np

from nqs.exact.kernel.orbits import LANES, Walk, smallest_images
from nqs.exact.soundness import require, within
from nqs.runtime.errors import InputError

PIECE = 1 << 14  # rows built and stored together
TILE_BITS = 22  # columns of a tile: 16 MB of float32
MOST_COUNT_BITS = 3
BUCKET_BITS = 24  # leading bits of a state that narrow down its place in the list


@dataclass(frozen=True)
class Layout:
    """Where the fields of a word are: widths in bits of parity and multiplicity; columns per tile, as a power of 2."""

    parity_bits: int
    count_bits: int
    tile_bits: int = TILE_BITS

    @property
    def flag_bits(self) -> int:
        """Bits below the index."""
        return self.parity_bits + self.count_bits

    def tiles(self, dimension: int) -> int:
        """Number of column tiles."""
        return -(-dimension >> self.tile_bits)

    def coefficients(self, odd: int, dtype: type) -> np.ndarray:
        """chi x multiplicity for each value of the flags (2^flag_bits,), where generators `odd` have the value -1."""
        flags = np.arange(1 << self.flag_bits)
        sign = 1 - 2 * (np.bitwise_count((flags >> self.count_bits) & odd) & 1).astype(int)
        return (sign * ((flags & ((1 << self.count_bits) - 1)) + 1)).astype(dtype)


def make_layout(dimension: int, parity_bits: int) -> Layout:
    """The layout for so many orbits; InputError if an index and a parity do not fit into 32 bits."""
    spare = 32 - (dimension - 1).bit_length() - parity_bits
    if spare < 0:
        raise InputError(
            f"{dimension} orbits are too many for words of 32 bits; more symmetries make fewer (for ground states: add "
            "'point' to ground_state.symmetries or lower ground_state.point_group_above)"
        )
    return Layout(parity_bits, min(spare, MOST_COUNT_BITS))


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Neighbour lists of one bond set: (H c)_r = 1/2 sum_words coefficient c_index + 1/4 aligned_r c_r at coupling 1.

    words (nnz,) uint32;  counts (tiles, d) uint8: words of each row;  starts (pieces, tiles): first word of a block;
    aligned (d,) int16: sum over bonds of s_i s_j, s = +-1.
    """

    layout: Layout
    words: np.ndarray
    counts: np.ndarray
    starts: np.ndarray
    aligned: np.ndarray

    def check(self, dimension: int) -> None:
        """Unsound for lists that do not belong to so many orbits."""
        shape = self.layout.tiles(dimension), dimension
        require(self.counts.shape == shape and len(self.aligned) == dimension, "lists of different lengths")
        starts = block_starts(self.counts)
        require(np.array_equal(self.starts, starts), "blocks that do not follow one another")
        require(int(self.counts.sum(dtype=np.int64)) == len(self.words), "more or fewer neighbours than counted")
        within(self.words.max(keepdims=True, initial=0) >> np.uint32(self.layout.flag_bits), dimension, "neighbours")

    def add_diagonal(self, coupling: float, x: np.ndarray, y: np.ndarray) -> None:
        """y += coupling/4 aligned x, all (d,)."""
        _add_diagonal(self.aligned, x.dtype.type(0.25 * coupling), x, y)

    def add(self, table: np.ndarray, coupling: float, x: np.ndarray, y: np.ndarray, threads: int = 1) -> None:
        """y += coupling/2 sum_words table[flags] x[index]:  x, y (d,), table (flags,)."""
        factors = (table * (0.5 * coupling)).astype(x.dtype)
        pieces = np.array_split(np.arange(len(self.starts)), threads)
        bits = np.uint32(self.layout.flag_bits)
        with ThreadPoolExecutor(threads) as pool:
            jobs = [
                pool.submit(_add, self.words, self.counts, self.starts, p[0], p[-1] + 1, bits, factors, x, y)
                for p in pieces
                if len(p)
            ]
            for job in jobs:
                job.result()


def aligned_sum(states: np.ndarray, bonds: np.ndarray) -> np.ndarray:
    """sum over bonds of s_i s_j, s = +-1, for each state: int16 (d,)."""
    total = np.full(len(states), len(bonds), dtype=np.int16)
    for i, j in bonds.astype(np.uint64):
        total -= 2 * ((states >> i ^ states >> j) & np.uint64(1)).astype(np.int16)
    return total


def find_neighbours(
    walk: Walk, representatives: np.ndarray, bonds: np.ndarray, layout: Layout, threads: int = 1
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Words and counts (tiles, rows) of one piece of rows after the other.

    RuntimeError if an exchange leads to no known orbit.
    """
    states = representatives.view(np.int64)
    shift = max(0, walk.n_sites - BUCKET_BITS)
    buckets = np.concatenate([[0], np.cumsum(np.bincount(states >> shift))]).astype(np.int32)
    pairs = np.array([(1 << i) | (1 << j) for i, j in bonds.tolist()], dtype=np.int64)
    field = layout.parity_bits, layout.count_bits, layout.tile_bits
    full = (1 << walk.n_sites) - 1

    def piece(first: int) -> tuple[np.ndarray, np.ndarray]:
        rows = states[first : first + PIECE]
        tiles = layout.tiles(len(states))
        return _neighbours(rows, states, buckets, shift, pairs, *field, tiles, full, walk.flip_parity, walk.moves)

    with ThreadPoolExecutor(threads) as pool:
        window = 4 * threads * PIECE  # so that finished pieces do not pile up
        for begin in range(0, len(states), window):
            for words, counts in pool.map(piece, range(begin, min(begin + window, len(states)), PIECE)):
                if not len(words) and len(pairs) and counts[0, 0] == 255:
                    raise RuntimeError("an exchange of two spins leads to no known orbit")
                yield words, counts


@nb.njit(cache=True, nogil=True)
def _neighbours(
    rows, states, buckets, shift, pairs, parity_bits, count_bits, tile_bits, tiles, full, flip_parity, moves
):  # fmt: skip
    """Sorted and merged words of these rows, by tile, and their counts."""
    exchanged = np.empty(len(rows) * len(pairs), dtype=np.int64)
    lengths = np.empty(len(rows), dtype=np.int64)
    total = 0
    for r in range(len(rows)):
        before = total
        for pair in pairs:
            both = rows[r] & pair
            if both != 0 and both != pair:
                exchanged[total] = rows[r] ^ pair
                total += 1
        lengths[r] = total - before
    words = np.empty(total, dtype=np.uint32)
    u, low, high = np.empty(LANES, np.int64), np.empty(LANES, np.int64), np.empty(LANES, np.int64)
    for begin in range(0, total, LANES):
        n = min(LANES, total - begin)
        t = exchanged[begin : begin + n]
        smallest_images(t, u, low, high, n, parity_bits, full, flip_parity, moves)
        if not _look_up(low, n, states, buckets, shift, parity_bits, count_bits, words[begin : begin + n]):
            return words[:0], np.full((tiles, len(rows)), 255, dtype=np.uint8)
    return _merge(words, lengths, parity_bits, count_bits, tile_bits, tiles)


@nb.njit(cache=True, nogil=True)
def _look_up(keys, n, states, buckets, shift, parity_bits, count_bits, words):
    """Words of the keys state << parity_bits | parity; False if a state is not in the sorted list."""
    found = True
    mask = (np.int64(1) << parity_bits) - 1
    for i in range(n):
        state = keys[i] >> parity_bits
        bucket = state >> shift
        base = np.int64(buckets[bucket])
        length = np.int64(buckets[bucket + 1]) - base
        while length > 1:  # without a branch on the data
            half = length >> 1
            base += half * (states[base + half] <= state)
            length -= half
        found &= length == 1 and states[base] == state
        words[i] = (base << parity_bits | keys[i] & mask) << count_bits
    return found


@nb.njit(cache=True, nogil=True)
def _merge(words, lengths, parity_bits, count_bits, tile_bits, tiles):
    """Equal words of a row become one with a multiplicity; then the words of all rows in order of tiles."""
    most = np.uint32((1 << count_bits) - 1)
    counts = np.zeros((tiles, len(lengths)), dtype=np.uint8)
    tile_shift = parity_bits + count_bits + tile_bits
    begin = end = 0
    for r in range(len(lengths)):
        row = words[begin : begin + lengths[r]]
        begin += lengths[r]
        row.sort()
        first = end
        for word in row:
            if end > first and words[end - 1] >> count_bits == word >> count_bits and words[end - 1] & most < most:
                words[end - 1] += np.uint32(1)
            else:
                words[end] = word
                counts[np.int64(word) >> tile_shift, r] += 1
                end += 1
    return (words[:end].copy() if tiles == 1 else _by_tile(words[:end], counts)), counts


@nb.njit(cache=True, nogil=True)
def _by_tile(words, counts):
    """Words ordered by row, then tile, brought into order of tiles, then rows."""
    ordered = np.empty_like(words)
    position = np.zeros(counts.shape[0], dtype=np.int64)
    for tile in range(1, counts.shape[0]):
        position[tile] = position[tile - 1] + counts[tile - 1].astype(np.int64).sum()
    n = 0
    for r in range(counts.shape[1]):
        for tile in range(counts.shape[0]):
            for _ in range(counts[tile, r]):
                ordered[position[tile]] = words[n]
                position[tile] += 1
                n += 1
    return ordered


def block_starts(counts: np.ndarray) -> np.ndarray:
    """First word of each block (pieces, tiles), from the counts (tiles, d)."""
    edges = np.arange(0, counts.shape[1], PIECE)
    sizes = np.add.reduceat(counts, edges, axis=1, dtype=np.int64).T  # (pieces, tiles)
    return (np.cumsum(sizes) - sizes.ravel()).reshape(sizes.shape)


@nb.njit(cache=True, nogil=True)
def _add_diagonal(aligned, factor, x, y):
    for r in range(len(y)):
        y[r] += factor * aligned[r] * x[r]


@nb.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _add(words, counts, starts, first, last, flag_bits, factors, x, y):
    """Rows of pieces first to last, one tile of columns after the other."""
    mask = (np.uint32(1) << flag_bits) - np.uint32(1)
    for tile in range(counts.shape[0]):
        for piece in range(first, last):
            n = np.uint64(starts[piece, tile])
            for r in range(piece * PIECE, min((piece + 1) * PIECE, len(y))):
                end = n + np.uint64(counts[tile, r])
                total = x.dtype.type(0)
                while n < end:
                    word = words[n]
                    total += factors[word & mask] * x[word >> flag_bits]
                    n += np.uint64(1)
                y[r] += total
