"""Hamiltonian file of the fast kernel; nqs.exact.kernel.sectors reads it.

File (HDF5)
    attributes      backend "kernel", parity_bits, count_bits, tile_bits, piece; others as in nqs.exact.blocks
    orbits/         representatives (d,) uint64, sizes (d,) uint16, and of the orbits smaller than the group:
                    fixed (m,) their positions, parities (m,) uint64; see nqs.exact.kernel.orbits.Orbits
    <bond set>/     words (nnz,) uint32, counts (tiles, d) uint8, starts (pieces, tiles), aligned (d,) int16; see
                    nqs.exact.kernel.neighbours.Neighbours
    sector_<n>/     attributes signs (generators,) and dimension
The lists serve all sectors and couplings.
"""

from collections.abc import Sequence

import h5py
import numpy as np

from nqs.exact.kernel.neighbours import PIECE, Layout, aligned_sum, block_starts, find_neighbours, make_layout
from nqs.exact.kernel.orbits import Orbits, Walk, find_orbits, make_walk
from nqs.model.hamiltonians import heisenberg_j1j2
from nqs.model.lattices import Cluster
from nqs.model.symmetry import Generator
from nqs.runtime.hdf5 import store

MAPPED = 1 << 24  # bytes from which a list is mapped into memory instead of read; HDF5 has no checksums of such lists
WORD = 4  # bytes


def odd_parity(orders: Sequence[int], signs: Sequence[int]) -> int:
    """Parity bits of the generators with the value -1, in the order of the walk's bits."""
    even = [sign for order, sign in zip(orders, signs, strict=True) if order % 2 == 0]
    return sum(1 << bit for bit, sign in enumerate(even) if sign == -1)


def write(
    file: h5py.File, cluster: Cluster, generators: Sequence[Generator], sectors: Sequence[Sequence[int]], threads: int
) -> None:
    """Add orbits, neighbour lists and sectors (the values of the generators in each) to an open file."""
    walk = make_walk(generators, cluster.n_sites)
    orbits = find_orbits(walk, threads)
    layout = make_layout(len(orbits.sizes), walk.parity_bits)
    file.attrs["backend"] = "kernel"
    file.attrs["piece"] = PIECE
    file.attrs["orders"] = [g.order for g in generators]
    for name in ("parity_bits", "count_bits", "tile_bits"):
        file.attrs[name] = getattr(layout, name)
    for name, kind in (("representatives", np.uint64), ("sizes", np.uint16), ("fixed", np.int64), ("parities", "u8")):
        store(file, f"orbits/{name}", getattr(orbits, name).astype(kind))
    print(f"{cluster.name}: {len(orbits.sizes)} orbits under {walk.order} symmetries", flush=True)
    for key, (bonds, _) in heisenberg_j1j2(cluster, 1.0).items():
        _write_neighbours(file.create_group(key), walk, orbits, bonds, layout, threads)
        print(f"{cluster.name}: {len(file[key]['words'])} exchanges along {key} bonds", flush=True)
    for n, signs in enumerate(sectors):
        sector = file.create_group(f"sector_{n:02d}")
        sector.attrs["signs"] = signs
        sector.attrs["dimension"] = len(orbits.sizes) - len(orbits.absent(odd_parity(file.attrs["orders"], signs)))


def _write_neighbours(
    group: h5py.Group, walk: Walk, orbits: Orbits, bonds: np.ndarray, layout: Layout, threads: int
) -> None:
    found = list(find_neighbours(walk, orbits.representatives, bonds, layout, threads))
    counts = np.concatenate([part for _, part in found], axis=1)
    total = int(counts.sum(dtype=np.int64))
    words = group.create_dataset("words", (total,), np.uint32, fletcher32=0 < total * WORD < MAPPED)
    begin = 0
    for part, _ in found:
        words[begin : begin + len(part)] = part
        begin += len(part)
    lists = {"counts": counts, "starts": block_starts(counts), "aligned": aligned_sum(orbits.representatives, bonds)}
    for name, values in lists.items():
        if values.nbytes < MAPPED:
            store(group, name, values)
        else:
            group[name] = values
