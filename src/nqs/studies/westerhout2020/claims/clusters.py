"""Claims about bonds, bases and Hamiltonians that hold exactly or not; computed for the clusters themselves."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from math import comb

import numpy as np
from scipy.sparse import diags
from scipy.sparse.linalg import eigsh

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, below, exactly, near, true
from nqs.model.clusters import dimension
from nqs.model.lattices import Cluster, cluster
from nqs.studies.westerhout2020.claims.small_systems import average_sign, ground_state, matrix, pauli_matrix

COUNTS = {  # J1 and J2 bonds
    "square24": (48, 48), "triangle24": (48, 24), "kagome24": (32, 16),
    "square30": (60, 60), "triangle30": (60, 30), "kagome30": (40, 20),
}  # fmt: skip
DEGREE = {"square": 8, "triangle": 6, "kagome": 4}  # neighbours of a site at J2 = J1
DRAWN = ("square24", "triangle24", "kagome24")
USED = (*DRAWN, "square30", "triangle30", "kagome30", "square32", "square36")
SMALL = {"square16": (0.55,), "triangle16": (1.0,), "kagome12": (0.0, 0.6, 1.0)}
MOST_RAISED = 2  # magnetisations compared
DEGENERATE = 1e-6  # J1, gap below which a level counts as degenerate


def lattice_couplings(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Two lists of bonds without a common one, as long as they should be, of the same degree at every site."""
    for name, counts in COUNTS.items():
        here = cluster(name)
        yield exactly("bonds missing or in excess", _wrong_bonds(here, counts), 0, part=name)


def _wrong_bonds(here: Cluster, counts: tuple[int, int]) -> int:
    """Repeated bonds, differences from the counts, and sites of a wrong degree."""
    bonds = [tuple(sorted(bond)) for bond in np.concatenate([here.j1, here.j2]).tolist()]
    degrees = np.bincount(np.ravel(bonds), minlength=here.n_sites)
    wrong = len(bonds) - len(set(bonds)) + int((degrees != DEGREE[here.lattice]).sum())
    return wrong + abs(len(here.j1) - counts[0]) + abs(len(here.j2) - counts[1])


def j2_zero_unfrustrated(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Two colours suffice for the J1 bonds: of the clusters drawn in Fig. 1, or of all that the paper computes."""
    wrong = {name: frustrated_bonds(cluster(name)) for name in USED}
    odd = ", ".join(name for name in USED if wrong[name])
    for name in DRAWN:
        yield exactly(
            "J1 bonds that break two-colouring", wrong[name], 0, part=name, reading="clusters of Fig. 1",
            remark=f"odd cycles on {odd}" if odd else "",
        )  # fmt: skip
    for name in USED:
        one = exactly(
            "J1 bonds that break two-colouring", wrong[name], 0, part=name, reading="all clusters of the paper"
        )
        why = f"the J1 bonds of {name} contain a cycle of odd length" if wrong[name] else ""
        yield replace(one, impossible=why)


def frustrated_bonds(here: Cluster) -> int:
    """J1 bonds between sites of one colour, after colouring along shortest paths."""
    joined: dict[int, list[int]] = {site: [] for site in range(here.n_sites)}
    for i, k in here.j1.tolist():
        joined[i].append(k)
        joined[k].append(i)
    colours, queue = {0: 0}, deque([0])
    while queue:
        site = queue.popleft()
        for other in joined[site]:
            if other not in colours:
                colours[other] = 1 - colours[site]
                queue.append(other)
    return sum(colours.get(i) == colours.get(k) for i, k in here.j1.tolist())


def minimal_magnetization_sector(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Exact lowest energies by magnetisation; on small clusters, because every multiplet has a state of Sz = 0."""
    for name, couplings in SMALL.items():
        for j2 in couplings:
            levels = _lowest_by_magnetisation(cluster(name), j2)
            excess = levels[0] - min(levels)
            spin = max(m for m, level in enumerate(levels) if level < levels[0] + DEGENERATE)
            yield exactly(
                "E0(Sz = 0) - lowest of all", float(excess), 0, 1e-8, part=f"{name}, J2 = {j2:g}",
                remark=f"total spin {spin}",
            )  # fmt: skip


def _lowest_by_magnetisation(here: Cluster, j2: float) -> list[float]:
    """E0 of Sz = 0, 1, ... in S.S units."""
    half = here.n_sites // 2
    return [ground_state(here, j2, half + m)[0] for m in range(MOST_RAISED + 1)]


def real_wavefunction(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """No imaginary matrix elements, from Pauli matrices; and a gap above the ground state, so that signs are unique."""
    ring = cluster("ring8")
    yield exactly("largest imaginary matrix element", float(np.abs(pauli_matrix(ring).imag).max()), 0, part="elements")
    for name, couplings in SMALL.items():
        for j2 in couplings:
            hamiltonian = matrix(cluster(name), j2)
            start = np.random.default_rng(0).normal(size=hamiltonian.shape[0])
            low = np.sort(eigsh(hamiltonian, 2, which="SA", v0=start, return_eigenvectors=False, tol=1e-10))
            gap = Estimate(float(low[1] - low[0]))
            yield above("gap at Sz = 0 (J1)", gap, DEGENERATE, part=f"gap, {name}, J2 = {j2:g}")


def hilbert_dimensions(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Number of states against the printed ones, within 5 %; and as the tables have it."""
    printed = claim.published.value if claim.published else {}
    for name, value in printed.items():
        n_sites = int(name.removeprefix("N"))
        states = Estimate(float(dimension(n_sites)))
        yield near("states", states, value, tolerance=0.05 * value, part=f"{n_sites} spins")
    for n_sites, listed in _listed_dimensions(tables):
        yield exactly("states in the table of Fig. 4", listed, comb(n_sites, n_sites // 2), part=f"table, {n_sites}")


def _listed_dimensions(tables: Tables) -> Iterator[tuple[int, int]]:
    if "fig4" in tables and {"n_sites", "dimension"} <= {*tables["fig4"].columns}:
        table = tables["fig4"].drop_duplicates("n_sites")
        yield from zip(table.n_sites.astype(int), table.dimension.astype(int), strict=True)


def marshall_free() -> Iterator[Evidence]:
    """The unrotated Hamiltonian has a sign problem: positive off-diagonal elements, signs that cancel."""
    here = cluster("square16")
    hamiltonian = matrix(here, 0.0)
    off = float((hamiltonian - diags(hamiltonian.diagonal())).max())
    yield true("largest off-diagonal element > 0", off > 0, value=off, part="Hamiltonian, square16")
    sign = Estimate(average_sign(ground_state(here, 0.0)[1]))
    yield below("average sign of the ground state", sign, 0.5, part="average sign, square16")
