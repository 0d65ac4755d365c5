"""Claims about the model and the ansatz themselves: identities and exact answers of short rings, without training."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

import numpy as np

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Evidence, exactly, true
from nqs.analysis.rbm_ablation import Machine, staggered_score
from nqs.exact.ring_sums import state_correlations
from nqs.exact.sparse_states import SparseStates, lowest_states, make_basis, matrix
from nqs.model.hamiltonians import Hamiltonian, heisenberg
from nqs.studies.mummaneni2026.claims.selected import groups, select, sites, value_of

SIZES = (4, 6, 8, 10, 12, 14)
UNITS = {"S.S units": 1, "Pauli units": 4}  # energies in them over energies in S.S units
WITHIN = 0.01  # of the exact energies, Sec. III.A


def bonds(n_sites: int) -> np.ndarray:
    """Neighbours on a ring, (bond, 2)."""
    sites = np.arange(n_sites)
    return np.stack([sites, (sites + 1) % n_sites], axis=1)


def model(n_sites: int) -> Hamiltonian:
    """The Heisenberg ring without a rotation of the basis."""
    return heisenberg(n_sites, bonds(n_sites))


@lru_cache
def lowest(n_sites: int) -> SparseStates:
    """The two lowest states with Sz = 0."""
    return lowest_states(model(n_sites), k=2, magnetisation=0)


def total_spin(n_sites: int) -> Hamiltonian:
    """S(S + 1) less 3 N / 4, as a sum over all pairs of sites."""
    return heisenberg(n_sites, np.array(list(combinations(range(n_sites), 2))), 2.0)


def marshall_signs(states: np.ndarray, n_sites: int) -> np.ndarray:
    """(-1)^(up spins on every second site) of each state."""
    sublattice = np.uint64(sum(1 << site for site in range(0, n_sites, 2)))
    return 1.0 - 2.0 * (np.bitwise_count(states & sublattice) & 1)


def random_machine(n_sites: int, n_units: int, seed: int, scale: float = 0.5) -> Machine:
    """A machine with normal parameters."""
    random = np.random.default_rng(seed)
    return Machine(*(random.normal(0, scale, shape) for shape in (n_sites, n_units, (n_units, n_sites))))


def spins_of(n_sites: int) -> np.ndarray:
    """Spins +-1 of all states: (state, site)."""
    return 2.0 * ((np.arange(2**n_sites)[:, None] >> np.arange(n_sites)) & 1) - 1


def amplitudes(machine: Machine) -> np.ndarray:
    """psi of all states by the product of cosh; written out here, for the small machines of these checks alone."""
    spins = spins_of(len(machine.visible))
    return np.exp(spins @ machine.visible) * (2 * np.cosh(machine.hidden + spins @ machine.weights.T)).prod(axis=1)


def correlations(psi: np.ndarray) -> np.ndarray:
    """C_zz(r), r = 0..N/2, of a state given by its amplitudes of all 2^N states."""
    n_sites = len(psi).bit_length() - 1
    spins = spins_of(n_sites)
    return np.array([(psi**2 @ (spins * np.roll(spins, -r, axis=1)).mean(axis=1)) / (psi @ psi)
                     for r in range(n_sites // 2 + 1)])  # fmt: skip


def hidden_marginal(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """N = 4, 8 hidden units: the sum over all hidden configurations against the product of cosh."""
    machine, spins = random_machine(4, 8, seed=0), spins_of(4)
    hidden = 2.0 * ((np.arange(256)[:, None] >> np.arange(8)) & 1) - 1  # (configuration, unit)
    fields = machine.hidden + spins @ machine.weights.T  # (state, unit)
    summed = np.exp((spins @ machine.visible)[:, None] + fields @ hidden.T).sum(axis=1)
    off = np.abs(amplitudes(machine) / summed - 1).max()
    yield exactly("largest relative difference of the 16 amplitudes", off, 0.0, 1e-12)


def marshall_positive(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Rotated, no off-diagonal element is positive and the ground state is; unrotated, its signs alternate."""
    for n_sites in SIZES:
        hamiltonian = model(n_sites)
        basis = make_basis(hamiltonian, 0, None)
        sign = marshall_signs(basis.states, n_sites)
        rotated = matrix(hamiltonian, basis).multiply(sign[:, None]).multiply(sign[None, :]).tocoo()
        off_diagonal = rotated.data[rotated.row != rotated.col]
        psi = lowest(n_sites).psi[:, 0] * marshall_signs(lowest(n_sites).states, n_sites)
        psi = psi * np.sign(psi[np.abs(psi).argmax()])
        yield true("largest off-diagonal element, rotated, is negative", off_diagonal.max() < 0, off_diagonal.max(),
                   part=sites(n_sites))  # fmt: skip
        yield true("smallest amplitude, rotated, is positive", psi.min() > 0, psi.min(), part=sites(n_sites))


def singlet_ground_state(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """<S^2> = 0, and a gap above: every multiplet has a member with Sz = 0."""
    for n_sites in SIZES:
        found = lowest(n_sites)
        spin = total_spin(n_sites)
        square = matrix(spin, make_basis(spin, 0, None))
        ground = found.psi[:, 0]
        total = float(ground @ (square @ ground)) + 0.75 * n_sites
        gap = float(found.energies[1] - found.energies[0])
        yield exactly("<S^2> of the ground state", total, 0.0, 1e-9, part=sites(n_sites))
        yield true("gap to the next state, J", gap > 1e-6, gap, part=sites(n_sites))


def exact_profiles(tables: Tables) -> Iterator[tuple[int, np.ndarray]]:
    """Size and C_zz(r), r = 0..N/2, of exact ground states: of short rings, and longer ones where fig9 has them."""
    for n_sites in SIZES:
        found = lowest(n_sites)
        yield n_sites, state_correlations(n_sites, found.states, found.psi[:, 0])
    if "fig9" in tables:
        table = select(tables, "fig9", ["r", "czz"], series="exact")
        for cell, part in groups(table, "n_sites"):
            yield cell["n_sites"], part.groupby("r").czz.first().sort_index().to_numpy()


def staggered_correlations_exact(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """(-1)^r C_zz(r) > 0 at all r."""
    for n_sites, czz in exact_profiles(tables):
        least = float((czz * (-1.0) ** np.arange(len(czz))).min())
        yield true("smallest (-1)^r C_zz(r)", least > 0, least, part=sites(n_sites))


FORMS = {
    "ln(d)/d": lambda d: np.log(d) / d,
    "sqrt(ln d)/d": lambda d: np.sqrt(np.log(d)) / d,
    "1/d": lambda d: 1 / d,
}


def correlation_decay_form(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Longest ring, r >= 2, chord distance d: residuals of fits of ln(d)/d and of its rivals to |C_zz|."""
    n_sites, czz = max(exact_profiles(tables), key=lambda one: one[0])
    r = np.arange(2, len(czz))
    distance, size = n_sites / np.pi * np.sin(np.pi * r / n_sites), np.abs(czz[2:])
    residual = {name: _residual(form(distance), size) for name, form in FORMS.items()}
    said = ", ".join(f"{name} {value:.3f}" for name, value in residual.items())
    stated, *rivals = residual.values()
    quantity = "relative residual of ln(d)/d less that of the best other form"
    yield true(quantity, stated < min(rivals), stated - min(rivals), part=sites(n_sites), remark=said)


def _residual(form: np.ndarray, values: np.ndarray) -> float:
    """Norm of what the best multiple of a form leaves of the values, over theirs."""
    left = values - form * (form @ values) / (form @ form)
    return float(np.linalg.norm(left) / np.linalg.norm(values))


def afm_score_bounds(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Scores of random and of our weights lie in [-1, 1]; the pattern has mean 0 and scores +-1 itself."""
    for n_sites in (4, 8, 20):
        pattern = (-1.0) ** np.arange(1, n_sites + 1)
        weights = np.random.default_rng(n_sites).normal(size=(1000, n_sites))
        scores = np.corrcoef(weights, pattern)[-1, :-1]
        off = float(np.abs(staggered_score(weights) - scores).max())
        yield exactly("score less the Pearson correlation, at most", off, 0.0, 1e-12, part=sites(n_sites))
        yield exactly("mean of the pattern", pattern.mean(), 0.0, part=sites(n_sites))
        own = staggered_score(np.stack([pattern, -0.3 * pattern]))
        yield exactly("score of the pattern itself", float(own[0] - own[1]) / 2, 1.0, 1e-12, part=sites(n_sites))
    if "fig4" in tables and len(found := select(tables, "fig4", ["s_afm"])):
        largest = float(found.s_afm.abs().max())
        yield true("largest |S_AFM| of our units", largest <= 1 + 1e-9, largest, part="trained units")


def phase_information(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """C_zz of machines without one unit, with any signs of the amplitudes: no phase can matter."""
    machine = random_machine(8, 16, seed=3)
    signs = marshall_signs(np.arange(2**8, dtype=np.uint64), 8)
    largest, positive = 0.0, True
    for unit in range(machine.n_units):
        psi = amplitudes(machine.only(np.delete(np.arange(machine.n_units), unit)))
        change = correlations(psi * signs) - correlations(psi)
        largest, positive = max(largest, float(np.abs(change).max())), positive and bool((psi > 0).all())
    why = "with real weights psi > 0 whichever unit is removed, and C_zz depends on psi^2 only: no phase is involved"
    without = positive and largest < 1e-12
    yield true("change of C_zz by signs of the amplitudes, at most", not without, largest,
               impossible=why if without else "")  # fmt: skip


def energy_per_site_n4_n8(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Printed energies against the exact ones, in either unit; and their ratio, which no unit changes."""
    printed = value_of(claim)
    exact = {n_sites: float(lowest(n_sites).energies[0]) / n_sites for n_sites in (4, 8)}
    ratio, exact_ratio = printed["N8"] / printed["N4"], exact[8] / exact[4]
    off = abs(ratio / exact_ratio - 1) > 2 * WITHIN
    why = f"printed E/N(8) : E/N(4) is {ratio:.3f}, the exact one {exact_ratio:.3f}: no unit brings both within 1 %"
    for unit, factor in UNITS.items():
        for n_sites, energy in exact.items():
            value = printed[f"N{n_sites}"]
            below = f"printed {value} is below the exact ground state, {factor * energy:.4f}"
            yield exactly(f"exact E/N, {unit}", factor * energy, value, WITHIN * abs(factor * energy),
                          part=sites(n_sites), reading=unit,
                          impossible=below if value < factor * energy * (1 + WITHIN) else "")  # fmt: skip
        yield exactly("exact E/N(8) : E/N(4)", exact_ratio, ratio, 2 * WITHIN * exact_ratio, part="ratio",
                      reading=unit, impossible=why if off else "")  # fmt: skip


CHECKS = {
    "hidden_marginal": hidden_marginal,
    "marshall_positive": marshall_positive,
    "singlet_ground_state": singlet_ground_state,
    "staggered_correlations_exact": staggered_correlations_exact,
    "correlation_decay_form": correlation_decay_form,
    "afm_score_bounds": afm_score_bounds,
    "phase_information": phase_information,
    "energy_per_site_n4_n8": energy_per_site_n4_n8,
}
