"""Hamiltonian blocks of a cluster, one per symmetry sector, built with QuSpin or by the fast kernel.

File (HDF5) of QuSpin; nqs.exact.kernel.file says what differs with the kernel
    attributes      cluster, lattice, shape (2,), n_sites, generators (names)
    bonds/j1, j2    (n, 2): the pairs of sites of each coupling
    permutations    (G, n_sites), flips (G,), exponents (G, generators)
    space_group/    translations/<name>, point/<name> (n_sites,): generators, also those the sectors do not use
    sector_<n>/     attribute signs (generators,): the value +-1 of each generator
        representatives (d,) uint64, one state of each orbit, in the bit convention of the package
        root_orbit      (d,) float64, square root of the orbit size
        <bond set>/     off-diagonal part as rows: indptr (d + 1,), indices (nnz,), counts (nnz,)
                        int8, and diagonal (d,) int16 = sum over bonds of s_i s_j, s = +-1
Between normalised basis vectors r and s, with m = root_orbit,
    <r| sum S.S |s> = diagonal_r delta_rs / 4 + counts_rs m_r / (2 m_s).
The coupling of each bond set enters only when the blocks are used.
"""

import warnings
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import h5py
import numpy as np
from quspin.basis import spin_basis_general
from quspin.operators import hamiltonian as quspin_hamiltonian

from nqs.exact.irreps import write_space_group
from nqs.exact.kernel import file as kernel_file
from nqs.exact.kernel.neighbours import aligned_sum
from nqs.model.clusters import BY_BONDS, QUSPIN_SITES
from nqs.model.hamiltonians import heisenberg_j1j2
from nqs.model.lattices import Cluster, cluster_of
from nqs.model.symmetry import Generator, Group, characters, is_representation, make_generator, make_group
from nqs.runtime.errors import InputError
from nqs.runtime.hdf5 import create_hdf5, store
from nqs.runtime.job import Job

SYMMETRIES = ("translations", "spin_flip", "point")


def build(
    cluster: Cluster,
    out: Path,
    symmetries: Sequence[str] = SYMMETRIES[:2],
    backend: str = "auto",
    threads: int = 1,
) -> None:
    """Write the blocks of all sectors with real characters of the chosen symmetries.

    backend: `quspin`, `kernel`, or `auto`, which takes the kernel above QUSPIN_SITES and for clusters given by their
    bonds, whose many sectors share its lists. Only the kernel uses threads.

    ValueError for an odd number of sites, an unknown symmetry, or a choice without translations
    and spin flip, which label the ground state.
    """
    unknown = set(symmetries) - set(SYMMETRIES)
    if unknown:
        raise InputError(f"unknown symmetry '{min(unknown)}'; known: {', '.join(SYMMETRIES)}")
    if not {"translations", "spin_flip"} <= set(symmetries):
        raise InputError("symmetries must include 'translations' and 'spin_flip'")
    generators = [make_generator(key, p) for key, p in cluster.translations.items()]
    generators = [g for g in generators if g.order > 1]
    generators.append(_spin_flip(cluster.n_sites))
    if "point" in symmetries or not cluster.translations:  # all that a missing bond leaves
        generators += [make_generator(key, p) for key, p in cluster.point_group.items()]
    build_sectors(cluster, generators, out, backend, threads)


def build_sectors(
    cluster: Cluster, generators: Sequence[Generator], out: Path, backend: str = "auto", threads: int = 1
) -> None:
    """Write the blocks of all real one-dimensional representations; ValueError for an unknown backend."""
    if backend not in ("auto", "quspin", "kernel"):
        raise InputError(f"unknown backend '{backend}'; known: auto, quspin, kernel")
    if cluster.n_sites % 2:
        raise InputError(f"{cluster.name}: Sz = 0 needs an even number of sites")
    group, exponents = make_group(generators, cluster.n_sites)
    with create_hdf5(Path(out)) as file:
        file.attrs["cluster"] = cluster.name
        file.attrs["lattice"] = cluster.lattice
        file.attrs["shape"] = cluster.shape
        file.attrs["n_sites"] = cluster.n_sites
        file.attrs["generators"] = [g.name for g in generators]
        for key, bonds in (("j1", cluster.j1), ("j2", cluster.j2)):
            store(file, f"bonds/{key}", bonds)
        store(file, "permutations", group.permutations)
        store(file, "flips", group.flips)
        store(file, "exponents", exponents)
        write_space_group(file, cluster.translations, cluster.point_group)
        sectors = list(_sector_signs(group, exponents, generators))
        many = cluster.n_sites > QUSPIN_SITES or cluster.lattice == BY_BONDS
        if backend == "kernel" or (backend == "auto" and many):
            kernel_file.write(file, cluster, generators, sectors, threads)
            return
        for n, signs in enumerate(sectors):
            _write_sector(file.create_group(f"sector_{n:02d}"), cluster, group, generators, signs)


def covering_generators(cluster: Cluster) -> list[Generator]:
    """Commuting involutions: spin flip, half translations, point-group involutions.

    All representations of the group they make are real, so its sectors cover the whole Sz = 0
    space, states of complex momentum included.
    """
    chosen = [_spin_flip(cluster.n_sites)]
    for key, permutation in cluster.translations.items():
        half = make_generator(key, permutation).order // 2
        if 2 * half == make_generator(key, permutation).order:
            chosen.append(make_generator(f"{key}_half", _power(permutation, half)))
    for key, permutation in cluster.point_group.items():
        candidate = make_generator(key, permutation)
        commutes = all(np.array_equal(permutation[g.permutation], g.permutation[permutation]) for g in chosen)
        known = {tuple(p) for p in make_group(chosen, cluster.n_sites)[0].permutations}
        if candidate.order == 2 and commutes and tuple(permutation) not in known:
            chosen.append(candidate)
    return chosen


def _spin_flip(n_sites: int) -> Generator:
    return make_generator("spin_flip", np.arange(n_sites), flip=True)


def _power(permutation: np.ndarray, exponent: int) -> np.ndarray:
    result = np.arange(len(permutation))
    for _ in range(exponent):
        result = permutation[result]
    return result


def _sector_signs(group: Group, exponents: np.ndarray, generators: Sequence[Generator]) -> Iterator[tuple[int, ...]]:
    """Values +-1 of the generators in each real one-dimensional representation."""
    choices = [(1, -1) if g.order % 2 == 0 else (1,) for g in generators]
    for signs in product(*choices):
        if is_representation(group, characters(exponents, signs), generators):
            yield signs


def _write_sector(
    sector: h5py.Group,
    cluster: Cluster,
    group: Group,
    generators: Sequence[Generator],
    signs: Sequence[int],
) -> None:
    basis = _quspin_basis(cluster.n_sites, generators, signs)
    states = _reverse_bits(np.asarray(basis.states, dtype=np.uint64), cluster.n_sites)
    root_orbit = np.sqrt(group.orbit_sizes(states))
    sector.attrs["signs"] = signs
    store(sector, "representatives", states)
    store(sector, "root_orbit", root_orbit)
    for key, (bonds, _) in heisenberg_j1j2(cluster, 1.0).items():
        terms = sector.create_group(key)
        indptr, indices, counts = _exchange_counts(basis, bonds, root_orbit)
        store(terms, "indptr", indptr)
        for name, data in (("indices", indices), ("counts", counts)):
            store(terms, name, data, compression="lzf", shuffle=True)
        store(terms, "diagonal", aligned_sum(states, bonds))


def _quspin_basis(n_sites: int, generators: Sequence[Generator], signs: Sequence[int]) -> spin_basis_general:
    """Sz = 0 basis of one sector. QuSpin's map is -(site + 1) where the spin is also reversed."""
    blocks = {}
    for generator, sign in zip(generators, signs, strict=True):
        sites = generator.permutation
        quantum_number = 0 if sign == 1 else generator.order // 2
        blocks[generator.name] = (-(sites + 1) if generator.flip else sites, quantum_number)
    with warnings.catch_warnings():
        # QuSpin cannot tell whether non-commuting generators fit the characters; we have checked.
        warnings.filterwarnings("ignore", message="using non-commuting symmetries")
        return spin_basis_general(n_sites, Nup=n_sites // 2, pauli=0, **blocks)


def _exchange_counts(
    basis: spin_basis_general, bonds: np.ndarray, root_orbit: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Off-diagonal part of sum S.S as signed integer counts: indptr, indices, counts.

    RuntimeError if an element is no integer multiple, i.e. if QuSpin's norms are not ours.
    """
    exchange = [[0.5, int(i), int(j)] for i, j in bonds]
    if basis.Ns == 0:
        return np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int8)
    matrix = quspin_hamiltonian(
        [["+-", exchange], ["-+", exchange]],
        [],
        basis=basis,
        dtype=np.float64,
        check_herm=False,
        check_symm=False,
        check_pcon=False,
    ).tocsr()
    ratio = root_orbit[matrix.indices] / np.repeat(root_orbit, np.diff(matrix.indptr))
    counts = 2 * matrix.data * ratio
    whole = np.rint(counts)
    if np.abs(counts - whole).max(initial=0) > 1e-6 or np.abs(whole).max(initial=0) > 127:
        raise RuntimeError("matrix elements are not small integer counts of exchanges")
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), whole.astype(np.int8)


def _reverse_bits(states: np.ndarray, n_sites: int) -> np.ndarray:
    """QuSpin's site 0 is the highest bit, ours the lowest."""
    reversed_states = np.zeros_like(states)
    for site in range(n_sites):
        bit = states >> np.uint64(n_sites - 1 - site) & np.uint64(1)
        reversed_states |= bit << np.uint64(site)
    return reversed_states


def stage(job: Job) -> None:
    """Bases and matrices of all symmetry sectors of a cluster."""
    cell = job.settings
    cluster = cluster_of(cell)
    build(cluster, job.out("hamiltonian"), cell["symmetries"], cell["backend"], job.threads)
