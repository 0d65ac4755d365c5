"""H on functions of several components, psi(g s) = D(g) psi(s), for real representations D of the symmetry group.

Vectors (d n, k) hold psi sqrt(orbit size) at the smallest member of each orbit, its n components one after the other,
and k representations side by side, a lane each. Each matrix has one block, 1 x 1 or 2 x 2, in each of its rows of
blocks; representations share a vector if these blocks stand at the same places (the lanes of one star of momenta and
of its like). So each link and each row of the vectors is read once for all of them, in vector registers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba as nb
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from nqs.exact.irreps import Irrep
from nqs.exact.kernel.lane_vectors import zeros
from nqs.exact.kernel.neighbours import PIECE
from nqs.exact.lanczos import Apply

if TYPE_CHECKING:
    from nqs.exact.kernel.links import LinkedOrbits, Links

AHEAD = 32  # links whose rows of x are fetched beforehand
FEWEST_NUMBERS = 1 << 12  # of a vector, below which compiling another width takes longer than it saves
MOST_NUMBERS = 16  # of a row of blocks in all lanes: one cache line of float32


@dataclass(frozen=True, eq=False)
class Blocks:
    """Where the matrices D(g)^T of one representation have their blocks, and these.

    sources (labels, n / size): in each row of blocks the column of the one that is not zero;  values (labels, n / size,
    size, size).
    """

    sources: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, matrices: np.ndarray, size: int) -> Blocks:
        """Those of D(g), by labels: (labels, n, n)."""
        rows = matrices.shape[1] // size
        blocks = np.swapaxes(matrices, 1, 2).reshape(-1, rows, size, rows, size).transpose(0, 1, 3, 2, 4)
        sources = np.abs(blocks).sum(axis=(3, 4)).argmax(axis=2)
        values = np.take_along_axis(blocks, sources[:, :, None, None, None], axis=2)[:, :, 0]
        return cls(sources.astype(np.uint8), values)

    @property
    def pattern(self) -> bytes:
        """Equal for representations that share a vector."""
        return bytes([self.values.shape[3]]) + self.sources.tobytes()


def side_by_side(linked: LinkedOrbits, irreps: Sequence[Irrep], most_numbers: int) -> Iterator[list[Irrep]]:
    """Groups of 1, 2, 4, ... representations that share vectors of at most so many numbers, if one alone has fewer."""
    by_pattern: dict[bytes, list[Irrep]] = {}
    for irrep in irreps:
        by_pattern.setdefault(Blocks.of(linked.matrices(irrep), irrep.block).pattern, []).append(irrep)
    for alike in by_pattern.values():
        length = len(linked.orbits.sizes) * alike[0].dimension
        most = max(1, min(MOST_NUMBERS // alike[0].block, most_numbers // length)) if length > FEWEST_NUMBERS else 1
        while alike:
            width = 1 << (min(most, len(alike)).bit_length() - 1)
            yield alike[:width]
            alike = alike[width:]


class Space:
    """Functions of k representations that share vectors (d n, k); a smaller orbit's components in the space allowed.

    available (k,): dimension of each;  shape: d, n, k.
    """

    def __init__(self, linked: LinkedOrbits, irreps: Sequence[Irrep], dtype: type) -> None:
        self.linked, self.irreps, self.dtype = linked, list(irreps), dtype
        matrices = [linked.matrices(irrep) for irrep in irreps]
        self.blocks = [Blocks.of(own, irrep.block) for own, irrep in zip(matrices, irreps, strict=True)]
        if len({blocks.pattern for blocks in self.blocks}) > 1:
            raise ValueError(f"{', '.join(irrep.name for irrep in irreps)}: blocks at different places")
        first, elements = linked.stabilisers
        fixed = linked.orbits.fixed
        self.shape = len(linked.orbits.sizes), irreps[0].dimension, len(irreps)
        self.projectors: np.ndarray = np.zeros((len(irreps), len(fixed), *matrices[0].shape[1:]))
        if len(fixed):
            counts = np.diff(np.append(first, len(elements)))[:, None, None]
            self.projectors = np.array([np.add.reduceat(own[elements], first) / counts for own in matrices])
        allowed = np.rint(np.trace(self.projectors, axis1=2, axis2=3).sum(axis=1)).astype(int)
        self.available = (self.shape[0] - len(fixed)) * self.shape[1] + allowed
        self.projectors = self.projectors.astype(dtype)
        self.length = np.sqrt(linked.orbits.sizes[fixed] / linked.walk.order).astype(dtype)[:, None, None]

    def lanes(self, chosen: Sequence[int]) -> Space:
        """The same of some representations."""
        return Space(self.linked, [self.irreps[n] for n in chosen], self.dtype)

    def allowed(self, vectors: np.ndarray) -> np.ndarray:
        """The part of vectors (d n, k) that is in the space."""
        result = zeros(vectors.shape, self.dtype)
        result[...] = vectors
        self._project(result.reshape(self.shape))
        return result

    def start(self, seed: int) -> np.ndarray:
        """A random vector of each lane (d n, k)."""
        vector: np.ndarray = np.random.default_rng(seed).standard_normal(self.shape[:2]).astype(self.dtype)
        return self.allowed(np.repeat(vector.reshape(-1, 1), self.shape[2], axis=1))

    def _project(self, vectors: np.ndarray) -> None:
        fixed = self.linked.orbits.fixed
        vectors[fixed] = np.einsum("kmij,mjk->mik", self.projectors, vectors[fixed])

    def hamiltonian(self, couplings: Mapping[str, float]) -> Hamiltonian:
        """H of all lanes."""
        return Hamiltonian(self, couplings)

    def apply(self, couplings: Mapping[str, float]) -> Apply:
        """y = H x for vectors (d n,) or (d n, k)."""
        hamiltonian = self.hamiltonian(couplings)

        def apply(x: np.ndarray) -> np.ndarray:
            own, y = (zeros((self.shape[0] * self.shape[1], self.shape[2]), self.dtype) for _ in range(2))
            own[...] = x.reshape(own.shape)
            hamiltonian.recur(own, y, np.zeros(self.shape[2]))
            return y.reshape(x.shape)

        return apply


class Hamiltonian:
    """H in a space of representations."""

    def __init__(self, space: Space, couplings: Mapping[str, float]) -> None:
        self.space, links = space, space.linked.links
        aligned = [0.25 * couplings[key] * own.aligned for key, own in links.items()]
        self.diagonal: np.ndarray = np.asarray(sum(aligned), dtype=space.dtype)
        self.sources = space.blocks[0].sources
        values = np.stack([blocks.values for blocks in space.blocks], axis=-1)
        self.terms: list[tuple[Links, np.ndarray]] = [
            (own, (0.5 * couplings[key] * values).astype(space.dtype)) for key, own in links.items()
        ]

    def recur(self, x: np.ndarray, y: np.ndarray, beta: np.ndarray) -> None:
        """y <- H x - beta y in place:  x, y (d n, k) contiguous, beta (k,)."""
        assert x.flags.c_contiguous  # whose addresses the compiled part counts
        assert y.flags.c_contiguous
        fixed, length, threads = self.space.linked.orbits.fixed, self.space.length, self.space.linked.threads
        d, n, k = self.space.shape
        size = self.terms[0][1].shape[2] if self.terms else 1
        whole, result = x.reshape(d, n, k), y.reshape(d, n, k)
        own = whole[fixed]
        whole[fixed] = own / length
        result[fixed] /= length
        beta = beta.astype(self.space.dtype)
        like = (self.space.dtype(0),) * k, (0,) * size  # their types tell the compiler the numbers of lanes and rows

        def piece(first: int) -> None:
            last = min(first + PIECE, d)
            _begin(self.diagonal, beta, whole, result, first, last)
            for links, table in self.terms:
                arrays = links.targets, links.elements, links.starts
                _add(*arrays, first, last, self.sources, table, whole, result, *like)

        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(piece, range(0, d, PIECE)):
                pass
        whole[fixed] = own
        result[fixed] *= length
        self.space._project(result)


@nb.njit(cache=True, nogil=True)
def _begin(diagonal, beta, x, y, first, last):
    for r in range(first, last):
        for i in range(x.shape[1]):
            for lane in range(len(beta)):
                y[r, i, lane] = diagonal[r] * x[r, i, lane] - beta[lane] * y[r, i, lane]


@nb.njit(cache=True, nogil=True)
def _add(targets, elements, starts, first, last, sources, table, x, y, like, block):
    for r in range(first, last):
        for row in range(sources.shape[1]):
            _add_links(targets, elements, starts[r], starts[r + 1], sources, table, x, y, r, row, like, block)  # type: ignore[call-arg]


@intrinsic
def _add_links(typing_context, targets, elements, begin, end, sources, table, x, y, r, row, like, block):
    """One row of blocks of y[r] += sum over links of D^T x, all lanes in registers; written out as in many_sectors."""
    kinds = targets, elements, begin, end, sources, table, x, y, r, row, like, block
    lanes = ir.VectorType(ir.FloatType() if x.dtype == types.float32 else ir.DoubleType(), like.count)
    bytes_each, size = (4 if x.dtype == types.float32 else 8), block.count

    def generate(context, builder, signature, args):
        _, _, begin, end, _, _, _, _, r, row, _, _ = args
        names = {"targets": 0, "elements": 1, "sources": 4, "table": 5, "x": 6, "y": 7}
        arrays = {name: context.make_array(kinds[n])(context, builder, args[n]) for name, n in names.items()}
        data = {name: array.data for name, array in arrays.items()}
        rows = builder.extract_value(arrays["sources"].shape, 1)
        lane_count = ir.Constant(begin.type, like.count)
        count = builder.extract_value(arrays["targets"].shape, 0)
        byte, whole = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, whole, whole, whole])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")

        def number(name, n):
            return builder.zext(builder.load(builder.gep(data[name], [n])), begin.type)

        def place(name, n):
            pointer = builder.gep(data[name], [builder.mul(n, lane_count)])
            return builder.bitcast(pointer, lanes.as_pointer())

        def load(name, n):
            return builder.load(place(name, n), align=bytes_each)

        def entry(outer, inner, offset, stride):
            """(outer rows + inner) stride + offset."""
            n = builder.add(builder.mul(outer, rows), inner)
            return builder.add(builder.mul(n, ir.Constant(n.type, stride)), ir.Constant(n.type, offset))

        totals = [cgutils.alloca_once(builder, lanes) for _ in range(size)]
        for a, total in enumerate(totals):
            builder.store(load("y", entry(r, row, a, size)), total)
        with cgutils.for_range_slice(builder, begin, end, ir.Constant(begin.type, 1)) as (n, _):
            element, target = number("elements", n), number("targets", n)
            ahead = builder.add(n, ir.Constant(n.type, AHEAD))
            last = builder.sub(count, ir.Constant(n.type, 1))
            ahead = builder.select(builder.icmp_signed("<", ahead, count), ahead, last)
            line = builder.bitcast(
                place("x", entry(number("targets", ahead), row, 0, size)), ir.IntType(8).as_pointer()
            )
            builder.call(prefetch, [line, *(ir.Constant(ir.IntType(32), x) for x in (0, 3, 1))])
            source = number("sources", builder.add(builder.mul(element, rows), row))
            columns = [load("x", entry(target, source, b, size)) for b in range(size)]
            for a, total in enumerate(totals):
                added = builder.load(total)
                for b, column in enumerate(columns):
                    factor = load("table", entry(element, row, a * size + b, size * size))
                    added = builder.fadd(added, builder.fmul(factor, column, flags=["contract"]), flags=["contract"])
                builder.store(added, total)
        for a, total in enumerate(totals):
            builder.store(builder.load(total), place("y", entry(r, row, a, size)), align=bytes_each)
        return context.get_dummy_value()

    return types.void(*kinds), generate
