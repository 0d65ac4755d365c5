"""H on vectors of several sectors at once.

Vectors (d, k) float32 hold one sector per column, a lane. All sectors share the lists of neighbours and differ only in
the signs, so that each word and each row of the vectors is read once for all lanes.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numba as nb
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from nqs.exact.kernel.lane_vectors import in_pieces
from nqs.exact.kernel.neighbours import PIECE, Neighbours


@dataclass(frozen=True, eq=False)
class Lanes:
    """H in k sectors.

    terms: neighbour lists and, for each, coupling/2 x coefficients (flags, k) float32;  diagonal (d,) float32;
    fixed (m,): orbits smaller than the group, of length (m,) = sqrt(size / largest size);  absent: per lane the orbits
    that its sector does not have.
    """

    terms: Sequence[tuple[Neighbours, np.ndarray]]
    diagonal: np.ndarray
    fixed: np.ndarray
    length: np.ndarray
    absent: Sequence[np.ndarray]
    threads: int = 1

    def recur(self, x: np.ndarray, y: np.ndarray, beta: np.ndarray) -> None:
        """y <- H x - beta y in place:  x, y (d, k), beta (k,)."""
        own = x[self.fixed]
        x[self.fixed] = own / self.length[:, None]
        y[self.fixed] /= self.length[:, None]
        beta = beta.astype(np.float32)
        rows = len(self.diagonal)
        in_pieces(rows, self.threads, lambda first, last: _begin(self.diagonal, beta, x, y, first, last))
        like = (np.float32(0),) * x.shape[1]  # its type tells the compiler the number of lanes
        for lists, factors in self.terms:
            words, counts, starts, shift = lists.words, lists.counts, lists.starts, np.uint32(lists.layout.flag_bits)
            edges = np.linspace(0, len(starts), self.threads + 1).astype(int).tolist()
            with ThreadPoolExecutor(self.threads) as pool:
                jobs = [
                    pool.submit(_add, words, counts, starts, first, last, shift, factors, x, y, like)
                    for first, last in pairwise(edges)
                ]
                for job in jobs:
                    job.result()
        x[self.fixed] = own
        y[self.fixed] *= self.length[:, None]
        for lane, absent in enumerate(self.absent):
            y[absent, lane] = 0


@intrinsic
def _add_row(typing_context, words, begin, end, mask, shift, factors, x, y, row, like):
    """y[row] += sum over words[begin:end] of factors[word & mask] x[word >> shift], all lanes in one register.

    Written out because numba would store the row again after every word.
    """
    kinds = words, begin, end, mask, shift, factors, x, y, row, like
    lanes = ir.VectorType(ir.FloatType(), like.count)

    def generate(context, builder, signature, args):
        words, begin, end, mask, shift, factors, x, y, row, _ = args
        arrays = {"words": (kinds[0], words), "factors": (kinds[5], factors), "x": (kinds[6], x), "y": (kinds[7], y)}
        data = {name: context.make_array(kind)(context, builder, a).data for name, (kind, a) in arrays.items()}

        def place(name, n):
            pointer = builder.gep(data[name], [builder.mul(n, ir.Constant(n.type, like.count))])
            return builder.bitcast(pointer, lanes.as_pointer())

        total = cgutils.alloca_once(builder, lanes)
        builder.store(builder.load(place("y", row), align=4), total)
        with cgutils.for_range_slice(builder, begin, end, ir.Constant(begin.type, 1)) as (n, _):
            word = builder.load(builder.gep(data["words"], [n]))
            flags = builder.zext(builder.and_(word, mask), begin.type)
            column = builder.zext(builder.lshr(word, shift), begin.type)
            factor = builder.load(place("factors", flags), align=4)
            term = builder.fmul(factor, builder.load(place("x", column), align=4), flags=["contract"])
            builder.store(builder.fadd(builder.load(total), term, flags=["contract"]), total)
        builder.store(builder.load(total), place("y", row), align=4)
        return context.get_dummy_value()

    return types.void(*kinds), generate


@nb.njit(cache=True, nogil=True)
def _add(words, counts, starts, first, last, shift, factors, x, y, like):
    """Rows of pieces first to last, one tile of columns after the other."""
    mask = np.uint32((1 << shift) - 1)
    for tile in range(counts.shape[0]):
        for piece in range(first, last):
            n = starts[piece, tile]
            for r in range(piece * PIECE, min((piece + 1) * PIECE, len(y))):
                end = n + np.int64(counts[tile, r])
                _add_row(words, n, end, mask, shift, factors, x, y, np.int64(r), like)  # type: ignore[call-arg]
                n = end


@nb.njit(cache=True, nogil=True)
def _begin(diagonal, beta, x, y, first, last):
    for r in range(first, last):
        for lane in range(len(beta)):
            y[r, lane] = diagonal[r] * x[r, lane] - beta[lane] * y[r, lane]
