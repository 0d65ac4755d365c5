"""Claims of Ju et al. (2025), Secs. II and V, about the states of short rings, their classes and their motifs."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import spearmanr

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Evidence, above, below, exactly, mean, true
from nqs.analysis.ledger.table import Check
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.exact.bethe import heisenberg_energies, permutation_energy
from nqs.model.motifs import state_classes
from nqs.studies.ju2025.claims.select import each, identities, select, spread
from nqs.studies.ju2025.claims.small_rings import SmallRing, ground_state, small_ring
from nqs.studies.ju2025.tables.identity_ring import Ring
from nqs.studies.ju2025.tables.training import share_within

SIZES = (8, 10, 12, 14, 16)  # sites of the rings whose exact states are computed here
SAME_LOG = 1e-9  # differences of ln psi that are none, to rounding
ENERGY_60 = -23.2051463  # E0 of sum P on 60 sites, from the Bethe equations, to 1e-6
RANDOM_SEED, DRAWS = 0, 200  # random networks
WITHIN, FIDELITY, ORDER = (
    0.02,
    0.95,
    0.8,
)  # share of variance within classes, and fidelity, at the end; rank correlation
LIKE_CORRELATION = -0.8  # rank correlation of ln psi with the number of like pairs


def heisenberg_equivalence(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The matrices, and E0 of a second ring."""
    found = list(identities(tables, "Heisenberg chain", "ground energy"))
    yield from found
    if found:
        apart = ground_state(12)[0][0] - permutation_energy(heisenberg_energies(12).ground, 12)
        yield exactly("E0 of sum P less 2 E0 of sum S.S + N/2", apart, 0.0, 1e-9, part="N = 12")


def bethe_energies(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Energies of Fig. 3, and Bethe equations against exact diagonalisation."""
    levels = select(tables["fig3"], "n_sites ground_energy triplet_energy").drop_duplicates("n_sites")
    for row in each(levels):
        exact, part = heisenberg_energies(int(row.n_sites)), f"Fig. 3, N = {row.n_sites:g}"
        for name, energy in (("ground", exact.ground), ("triplet", exact.triplet)):
            apart = getattr(row, f"{name}_energy") - permutation_energy(energy, int(row.n_sites))
            yield exactly(f"{name} energy less the Bethe one", apart, 0.0, 1e-8, part=part)
        if row.n_sites == 60:
            yield exactly("ground energy of 60 sites", row.ground_energy, ENERGY_60, 1e-6, part=part)
    if len(levels):
        yield from _bethe_against_matrices()


def _bethe_against_matrices() -> Iterator[Evidence]:
    for n_sites in (8, 16):
        bethe, (energies, _) = heisenberg_energies(n_sites), ground_state(n_sites)
        for found, expected in zip(energies, (bethe.ground, bethe.triplet), strict=True):
            apart = found - permutation_energy(expected, n_sites)
            yield exactly("level of the matrix less the Bethe one", apart, 0.0, 1e-9, part=f"N = {n_sites}")


def positive_ground_state(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Amplitudes with one sublattice turned; as the Hamiltonian is printed their signs alternate."""
    drawn = select(tables["fig1"], "log_psi n_sites", series="exact")
    if drawn.empty:
        return
    remark = "one sublattice turned; with H = sum P as printed the signs alternate from sublattice to sublattice"
    smallest = float(np.exp(drawn.log_psi.min() - drawn.log_psi.max()))
    yield true("smallest amplitude over the largest", smallest > 0, smallest, part="as drawn in Fig. 1", remark=remark)
    for n_sites in SIZES:
        _, psi = ground_state(n_sites)
        ratio = float(psi.min() / psi.max())
        yield true("smallest amplitude over the largest", ratio > 0, ratio, part=f"N = {n_sites}", remark=remark)


def states_and_motifs(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The count matrix of Fig. 1."""
    counts = select(tables["fig1"], "position motif_position count n_sites width", series="counts", n_sites=8, width=4)
    if len(counts) and claim.published:
        for part, column in (("states", "position"), ("motifs", "motif_position")):
            published = claim.published.value[part]
            yield exactly(f"{part} of the count matrix", counts[column].nunique(), published, part=part)
        off = (counts.groupby("position")["count"].sum() - 8).abs().max()
        yield exactly("counts of a state less N, largest", off, 0.0, part="counts")


def cnn_shift_invariant(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The learned ln psi of Fig. 1 along translation orbits, and of random networks."""
    learned = select(tables["fig1"], "iteration spins log_psi", series="learned")
    if learned.empty:
        return
    orbits = learned.groupby(["iteration", learned.spins.map(_orbit)]).log_psi
    largest = float(orbits.agg(spread).max())
    yield exactly("spread of learned ln psi over translations, largest", largest, 0.0, SAME_LOG, part="Fig. 1")
    for size, width in ((8, 4), (12, 6)):
        ring = Ring(size, width, RANDOM_SEED)
        shifted = ring.places(np.roll(ring.spins, 1, axis=1))
        logs = np.array([ring.network(theta) for theta in ring.random_networks("shift")])
        apart = np.abs(logs - logs[:, shifted]).max()
        yield exactly("|ln psi(Ts) - ln psi(s)|, largest", apart, 0.0, 1e-12, part=f"random, N = {size}, K = {width}")


def _orbit(spins: str) -> str:
    """The first of all translations of a state."""
    return min(spins[place:] + spins[:place] for place in range(len(spins)))


def orbits_are_equivalence_classes(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Variance of ln psi within classes over the total: of runs with the setting of Fig. 1, and of random networks."""
    course, counted = _course(tables, "within_classes")
    if course.empty:
        return
    last = mean(course.iloc[:, -1])
    random = mean([share for theta in _initial(tables) if np.isfinite(share := _within_classes(tables, theta))])
    words = "share of variance within classes"
    yield above(f"{words}, random initial parameters less the end", random - last, 0.0, part="falls")
    yield below(f"{words} at the end", last, WITHIN, counted, part="end")
    exact = select(tables["fig1"], "state_class log_psi", series="exact")
    largest = float(exact.groupby("state_class").log_psi.agg(spread).max())
    yield exactly("spread of exact ln psi within a class, largest", largest, 0.0, SAME_LOG, part="exact")


def _initial(tables: Tables) -> list[np.ndarray]:
    """Random initial parameters of the network of Fig. 1."""
    first, rng = tables["fig1"].iloc[0], np.random.default_rng(RANDOM_SEED)
    return [ShallowCnn(int(first.n_sites), int(first.width)).initial(rng) for _ in range(DRAWS)]


def _within_classes(tables: Tables, theta: np.ndarray) -> float:
    """The share of one network of Fig. 1; NaN for constant psi."""
    first = tables["fig1"].iloc[0]
    classes = state_classes(int(first.n_sites))
    logs = ShallowCnn(int(first.n_sites), int(first.width)).at(theta).log_psi(classes.codes)
    return share_within(logs, classes.labels)


def fidelity_rises(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Fidelities at the iterations shown, of runs with the setting of Fig. 1."""
    course, counted = _course(tables, "fidelity")
    if course.empty or course.shape[1] < 3:
        return
    orders = [spearmanr(course.columns, row).statistic for row in course.to_numpy()]
    yield above("rank correlation of fidelity and iteration", mean(orders), ORDER, counted, part="order")
    yield above("fidelity at the end", mean(course.iloc[:, -1]), FIDELITY, counted, part="end")


def _course(tables: Tables, column: str) -> tuple[pd.DataFrame, str]:
    """A quantity of each run that moved (run, iteration), with the setting of the run shown, and how many did."""
    rows = select(tables["fig1"], "run iteration stuck learning_rate steps", series="course")
    shown = select(tables["fig1"], "learning_rate steps", series="learned").head(1)
    if rows.empty or shown.empty:
        return pd.DataFrame(), ""
    setting = {name: float(shown[name].iloc[0]) for name in ("learning_rate", "steps")}
    same = select(rows, "run", **setting)
    moving = same[~same.stuck.astype(bool)]
    course = select(moving, column).pivot_table(index="run", columns="iteration", values=column)
    return course, f"{len(course)} of {same.run.nunique()} runs, the others end at a constant psi"


def kernel_bound_for_unique_values(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Smallest K that separates all classes of states; whether the bound is also enough stands beside."""
    counted = select(tables["figX1"], "n_sites length bound", symmetrised=True)
    share = select(counted, "distinct classes", series="share")
    for row in each(select(counted, "length", series="smallest")):
        here = share[(share.n_sites == row.n_sites) & (share.length == row.bound)]
        enough = bool((here.distinct == here.classes).all()) if len(here) else False
        remark = f"K = {row.bound:g} is {'' if enough else 'not '}enough"
        quantity, part = "smallest K that separates all classes", f"N = {row.n_sites:g}"
        published = f">= {row.bound:g}"
        yield true(quantity, row.length >= row.bound, row.length, published=published, part=part, remark=remark)


def neel_state_largest(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The state of largest amplitude."""
    drawn = select(tables["fig1"], "spins log_psi", series="exact")
    if drawn.empty:
        return
    highest = drawn.spins.iloc[int(drawn.log_psi.argmax())]
    yield exactly("like pairs of the state of largest amplitude", _like(highest), 0, part="as drawn in Fig. 1")
    for n_sites, ring, psi in _rings():
        yield exactly("like pairs of the state of largest amplitude", ring.like_pairs[psi.argmax()], 0, part=n_sites)


def ferromagnetic_smallest(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The state of smallest amplitude, and the rank correlation of amplitudes and like pairs."""
    drawn = select(tables["fig1"], "spins log_psi n_sites", series="exact")
    if drawn.empty:
        return
    words, part = "like pairs of the state of smallest amplitude", "as drawn in Fig. 1"
    yield exactly(words, _like(drawn.spins.iloc[int(drawn.log_psi.argmin())]), drawn.n_sites.iloc[0] - 2, part=part)
    yield _falls(drawn.spins.map(_like), drawn.log_psi, part)
    for name, ring, psi in _rings():
        yield exactly(words, ring.like_pairs[psi.argmin()], ring.n_sites - 2, part=name)
        yield _falls(ring.like_pairs, np.abs(psi), name)


def _falls(pairs: np.ndarray | pd.Series, amplitudes: np.ndarray | pd.Series, part: str) -> Evidence:
    order = float(spearmanr(pairs, amplitudes).statistic)
    return true("rank correlation of amplitudes and like pairs", order < LIKE_CORRELATION, order, part=f"order, {part}")


def _like(spins: str) -> int:
    """Equal neighbours around the ring."""
    return sum(one == other for one, other in zip(spins, spins[1:] + spins[:1], strict=True))


def _rings() -> Iterator[tuple[str, SmallRing, np.ndarray]]:
    """Each ring with its name and ground state."""
    for n_sites in SIZES:
        yield f"N = {n_sites}", small_ring(n_sites), ground_state(n_sites)[1]


def swaps_generate_basis(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """States that exchanges of neighbours reach from a Neel state, among those of Fig. 1 and among all."""
    drawn = select(tables["fig1"], "spins n_sites", series="exact")
    if drawn.empty:
        return
    expected = comb(int(drawn.n_sites.iloc[0]), int(drawn.n_sites.iloc[0]) // 2)
    yield exactly("states reached from a Neel state", _reached(list(drawn.spins)), expected, part="drawn in Fig. 1")
    for n_sites in SIZES[:-1]:
        expected = comb(n_sites, n_sites // 2)
        yield exactly("states reached from a Neel state", small_ring(n_sites).reached, expected, part=f"N = {n_sites}")


def _reached(states: list[str]) -> int:
    """States connected to a Neel state by exchanges of neighbours; 0 without one."""
    places = {state: place for place, state in enumerate(states)}
    pairs = [(places[state], places[other]) for state in states for other in _exchanged(state) if other in places]
    neel = [place for state, place in places.items() if _like(state) == 0]
    if not neel or not pairs:
        return 0
    first, second = np.array(pairs).T
    _, labels = connected_components(coo_array((np.ones(len(first)), (first, second)), shape=(len(states),) * 2))
    return int((labels == labels[neel[0]]).sum())


def _exchanged(state: str) -> Iterator[str]:
    """The states that one exchange of unlike neighbours makes."""
    for site in range(len(state)):
        spins = list(state)
        other = (site + 1) % len(state)
        if spins[site] != spins[other]:
            spins[site], spins[other] = spins[other], spins[site]
            yield "".join(spins)


CHECKS: dict[str, Check] = {
    "heisenberg_equivalence": heisenberg_equivalence,
    "bethe_energies": bethe_energies,
    "positive_ground_state": positive_ground_state,
    "states_and_motifs_n8_k4": states_and_motifs,
    "cnn_shift_invariant": cnn_shift_invariant,
    "orbits_are_equivalence_classes": orbits_are_equivalence_classes,
    "fidelity_rises": fidelity_rises,
    "kernel_bound_for_unique_values": kernel_bound_for_unique_values,
    "neel_state_largest": neel_state_largest,
    "ferromagnetic_smallest": ferromagnetic_smallest,
    "swaps_generate_basis": swaps_generate_basis,
}
