"""Table I of Ju et al. (2025), the correspondence of network, correlator product state and maximum entropy, with every
identity behind it checked in numbers on one short ring: the largest deviation over all states of zero magnetisation.

Each side of an identity is worked out from its own definition: the network window by window, the product state by
plaquettes, the MaxEnt distribution by maximising the entropy over all P(s) without assuming its form, the Hamiltonian
from spin matrices. Energies and slopes are sums over all states, unless "sampled" is said. H = sum P in the Marshall
gauge, where its ground state is positive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nqs.ansatz.correlator_product import Cps
from nqs.ansatz.maximum_entropy import MaxEnt, maximum_entropy
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.exact.bethe import heisenberg_energies, permutation_energy
from nqs.exact.transfer_matrix import OutOfRange
from nqs.model.motifs import motif_classes
from nqs.runtime.errors import ConfigError
from nqs.runtime.job import Files
from nqs.runtime.seeds import seed_of
from nqs.studies.ju2025.files import ring_ground_state
from nqs.studies.ju2025.tables.identity_ring import NETWORKS, Ring
from nqs.vmc.exact_descent import lowest_energy
from nqs.vmc.loop import Run, train
from nqs.vmc.optimisers import Adam, Sgd
from nqs.vmc.ring_sampler import RingSampler
from nqs.vmc.ring_task import ring_task

LARGEST = 12  # sites: matrices of all states are dense
STEPS, LEARNING_RATE, DESCENTS = 100, 1e-2, 10
SAMPLES, CHAINS = 1000, 50
PERTURBATIONS = 1000
MATCHED = 1e-7  # of ln P: multipliers are sought until <m> is met to 1e-8
ROUNDING = 100 * float(np.finfo(float).eps)  # in the sums over P(s), a share 1 / P of the rarest states
SPREAD = np.sqrt(4 / 3)  # standard deviation of the grand sum of random networks, for any K
HOLDS, FAILS, NO_VERDICT = "holds", "fails", "no verdict"


@dataclass(frozen=True)
class Identity:
    """One identity: the largest deviation found, and up to what it counts as none; NaN: no bound, so no verdict."""

    identity: str
    equation: str
    statement: str
    deviation: float
    allowed: float
    verdict: str
    remark: str = ""


def table1(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """One row per identity.  settings: size, width, seed;  files: ground_states, if any, as a check of the energy.

    ConfigError names a size or width that is too large to sum over, InputError a ring that is not among the files.
    """
    n_sites, width = int(settings["size"]), int(settings["width"])
    if n_sites % 2 or not 6 <= n_sites <= LARGEST:
        raise ConfigError(f"table1.size: {n_sites}; the identities are checked on even rings of 6 to {LARGEST} sites")
    if not 2 <= width <= n_sites // 2:
        raise ConfigError(f"table1.width: {width}; choose 2 to {n_sites // 2}, half the ring")
    ring = Ring(n_sites, width, int(settings["seed"]))
    rows = [vars(ground_energy(ring, files)), *(vars(identity) for check in CHECKS for identity in check(ring))]
    return pd.DataFrame(rows).assign(
        n_sites=n_sites, width=width, states=len(ring.states), network_parameters=ring.family.n_parameters,
        motifs=1 << width, classes=len(motif_classes(width)),
    )  # fmt: skip


def ground_energy(ring: Ring, files: Files) -> Identity:
    """E0 of sum P from all states, from the Bethe equations and, if there is one, from the file of the ground state."""
    exact = [heisenberg_energies(ring.n_sites).ground]
    if files.get("ground_states"):
        exact.append(ring_ground_state(files, ring.n_sites).energy)
    own = float(np.linalg.eigvalsh(ring.hamiltonian)[0])
    deviation = max(abs(own - permutation_energy(energy, ring.n_sites)) for energy in exact)
    routes = "Bethe equations" + " and sectors of exact diagonalisation" * (len(exact) > 1)
    return _exact(
        "ground energy", "Sec. II", "E0 of sum P = 2 E0 of sum S.S + N/2", deviation, 1e-8, f"against {routes}"
    )


def _exact(
    identity: str, equation: str, statement: str, deviation: float, allowed: float, remark: str = ""
) -> Identity:
    verdict = NO_VERDICT if np.isnan(allowed) else HOLDS if deviation <= allowed else FAILS
    return Identity(identity, equation, statement, float(deviation), allowed, verdict, remark)


def hamiltonian(ring: Ring) -> Iterator[Identity]:
    """With two species the exchange of neighbours is the Heisenberg chain."""
    spin = [np.array(rows) / 2 for rows in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[-1, 0], [0, 1]])]
    bond = np.real(np.sum([np.kron(s, s) for s in spin], axis=0)).reshape(2, 2, 2, 2)  # (s_i', s_k', s_i, s_k)
    matrix = np.zeros_like(ring.hamiltonian)
    here = np.arange(len(ring.states))
    for site in range(ring.n_sites):
        i, k = site, (site + 1) % ring.n_sites
        for after in np.ndindex(2, 2):
            image = ring.spins.copy()
            image[:, i], image[:, k] = after
            elements = bond[(*after, ring.spins[:, i], ring.spins[:, k])]
            kept = elements != 0
            np.add.at(matrix, (ring.places(image[kept]), here[kept]), elements[kept])
    turned = ring.gauge[:, None] * matrix * ring.gauge
    deviation = np.abs(ring.hamiltonian - 2 * turned - ring.n_sites / 2 * np.eye(len(here))).max()
    yield _exact("Heisenberg chain", "Sec. II", "sum P = 2 sum S.S + N/2, one sublattice turned", deviation, 1e-12)


def motif_sum(ring: Ring) -> Iterator[Identity]:
    """Eqs. 1 and 3, 5 and 6."""
    apart = [ring.network(t) - ring.counts @ ring.multipliers(t) for t in ring.random_networks("eq3")]
    statement = "the network, eq. 1, is a sum over motifs with coefficients v relu(w.s' + b)"
    yield _exact("network as a motif sum", "eqs. 1, 3", statement, np.abs(apart).max(), 1e-12)
    rng = ring.random("eq5")
    factors = [np.exp(rng.normal(0, 0.5, 1 << ring.width)) for _ in range(NETWORKS)]
    apart = [np.log(ring.product(phi)) - ring.counts @ np.log(phi) for phi in factors]
    statement = "the product of plaquettes, eq. 5, is a sum over motifs with coefficients ln phi_s'"
    yield _exact("CPS as a motif sum", "eqs. 5, 6", statement, np.abs(apart).max(), 1e-12)
    factors = [np.exp(ring.multipliers(t)) for t in ring.random_networks("eq1")]
    networks = map(ring.network, ring.random_networks("eq1"))
    apart = [np.log(ring.product(phi)) - log_psi for phi, log_psi in zip(factors, networks, strict=True)]
    remark = f"smallest factor {min(phi.min() for phi in factors):.3g} > 0; {ring.family.n_parameters} parameters "
    remark += f"for {1 << ring.width} factors"
    statement = "the network is the CPS with positive factors exp(v relu(w.s' + b))"
    yield _exact("network as a CPS", "eqs. 1, 5", statement, np.abs(apart).max(), 1e-12, remark)


def maxent(ring: Ring) -> Iterator[Identity]:
    """Eqs. 2 and 4, at the motif expectation values of the exact ground state."""
    exact = ring.ground_state**2
    target = exact @ ring.counts
    classes = motif_classes(ring.width)
    within = max(float(np.ptp(target[classes.labels == label])) for label in range(len(classes)))
    between = np.abs(ring.counts - classes.spread(classes.means(ring.counts))).max()
    remark = f"as expectation values only: in a single state counts differ from their class mean by up to {between:.3g}"
    statement = "motifs related by reflection or exchange of labels have equal expectation values"
    yield _exact("equal within a class", "Sec. III, ref. 17", statement, within, 1e-10, remark)
    plain = maximum_entropy(ring.n_sites, target, symmetric=False)
    symmetric = maximum_entropy(ring.n_sites, classes.spread(classes.means(target)))
    largest = _largest_entropy(ring.counts, exact)
    deviation = np.abs(np.log(largest) - _log_p(ring, plain)).max()
    gained = -_entropy(exact) + plain.entropy
    below = _perturbed_entropy(ring, largest) - plain.entropy
    remark = (
        f"residual of <m> {plain.residual:.1e}; entropy {plain.entropy:.6f}, {gained:.2e} above the ground state's; "
    )
    remark += f"the best of {PERTURBATIONS} admissible perturbations lies {-below:.1e} below"
    statement = "largest entropy at given <m> is exponential in the counts: ln P = 2 sum lambda_s' m_s' - ln Z"
    allowed = MATCHED + ROUNDING / float(exact.min())
    yield _exact("MaxEnt is exponential", "eq. 2", statement, deviation if below <= 0 else np.inf, allowed, remark)
    deviation = np.abs(_log_p(ring, plain) - _log_p(ring, symmetric)).max()
    remark = (
        f"{len(classes)} classes for {1 << ring.width} motifs; lambda_e is the mean of the members, while a sum over "
    )
    remark += "them, as printed, fits counts m_e averaged over members"
    statement = "with symmetric constraints one multiplier per class of motifs gives the same state"
    yield _exact("symmetric MaxEnt", "eq. 4", statement, deviation, 1e-7, remark)


def _log_p(ring: Ring, found: MaxEnt) -> np.ndarray:
    return 2 * found.wave().log_psi(ring.states) - found.log_norm


def _entropy(p: np.ndarray) -> float:
    return float(-p @ np.log(p))


def _independent(counts: np.ndarray) -> np.ndarray:
    """Orthonormal rows that span the columns of the counts, the constant among them: (rank, U)."""
    vectors, singular, _ = np.linalg.svd(counts, full_matrices=False)
    return vectors[:, singular > singular[0] * 1e-10].T


def _largest_entropy(counts: np.ndarray, start: np.ndarray, steps: int = 60) -> np.ndarray:
    """Maximise -sum P ln P with the counts' expectation values of `start` (U,) held: (U,), by Newton's method.

    With fixed A P the step solves diag(1/P) dP + A^T y = -ln P - 1, A dP = 0.
    """
    fixed, p = _independent(counts), start.copy()
    for _ in range(steps):
        rise = np.log(p) + 1
        y = np.linalg.solve((fixed * p) @ fixed.T, -fixed @ (p * rise))
        step = -p * (rise + fixed.T @ y)
        shrink = np.abs(step / p).max()
        p = p + step * min(1.0, 0.9 / shrink if shrink > 0 else 1.0)
        if shrink < 1e-13:
            break
    return p


def _perturbed_entropy(ring: Ring, p: np.ndarray) -> float:
    """Largest entropy of random distributions near P with the same motif expectation values."""
    rng = ring.random("entropy")
    fixed = _independent(ring.counts)
    change = rng.normal(size=(PERTURBATIONS, len(p))) * p.min()
    change -= change @ fixed.T @ fixed
    near = p + change * (0.5 * p / np.abs(change)).min(axis=1, keepdims=True)
    return float((-near * np.log(near)).sum(axis=1).max())


def multipliers(ring: Ring) -> Iterator[Identity]:
    """Which multipliers the network picks, and how restricted it is."""
    switched = (1 << ring.width) - 1 - np.arange(1 << ring.width)
    shares = []
    for symmetric in (True, False):
        tables = np.array([ring.multipliers(t) for t in ring.random_networks("gauge", symmetric)])
        shares.append(float(((tables == 0) ^ (tables[:, switched] == 0)).mean()))
    remark = f"at any grand sum only {100 * shares[1]:.0f} % of the pairs"
    statement = "of two motifs that differ by the labels ReLU switches one off, at grand sum zero"
    yield _exact("gauge of the network", "Sec. III", statement, 1 - shares[0], 0.0, remark)
    classes = motif_classes(ring.width)
    cps = lowest_energy(Cps.symmetric(ring.n_sites, ring.width), np.zeros(len(classes))).energy
    networks = list(_network_energies(ring))
    remark = f"lowest <H> {cps:.6f} with {len(classes)} classes, {min(networks):.6f} with {ring.family.n_parameters} "
    remark += f"parameters (lowest of {len(networks)} descents)"
    statement = "the CPS is the less constrained of the two: its lowest energy is not above the network's"
    yield _exact("network within CPS", "Sec. IV", statement, max(0.0, cps - min(networks)), 1e-6, remark)


def _network_energies(ring: Ring) -> Iterator[float]:
    """Local minima of <H> from random starts; one that runs out of range is left out."""
    for theta in list(ring.random_networks("optima", symmetric=True))[:DESCENTS]:
        try:
            yield lowest_energy(ring.family, theta).energy
        except OutOfRange:
            continue


def theorem1(ring: Ring) -> Iterator[Identity]:
    """Grand sum zero, exchange of the labels, and how the condition is imposed."""
    apart = []
    for symmetric in (True, False):
        logs = np.array([ring.network(theta) for theta in ring.random_networks("theorem1", symmetric)])
        apart.append(np.abs(logs - logs[:, ring.flipped]).max(axis=1))
    remark = f"without the condition {np.median(apart[1]):.2g} (median of {NETWORKS} networks)"
    statement = "grandsum(w) + 2b = 0 gives ln psi(s) = ln psi(Ls)"
    yield _exact("theorem 1", "Theorem 1", statement, apart[0].max(), 1e-12, remark)
    theta = next(ring.random_networks("converse"))
    theta[-1] = ring.width  # every motif is active, so ln psi knows the magnetisation only
    logs, grand_sum = ring.network(theta), ring.family.grand_sum(theta)
    remark = (
        f"ln psi(s) - ln psi(Ls) = {np.abs(logs - logs[ring.flipped]).max():.0e} at grand sum {grand_sum:.2f}: psi is "
    )
    remark += "constant where all motifs, or none, are active; deviation: that grand sum"
    statement = "ln psi(s) = ln psi(Ls) for all s gives grand sum zero"
    yield _exact("converse of theorem 1", "not claimed", statement, abs(grand_sum), 1e-12, remark)
    statement = "w - (grandsum(w) + 2b) / 2K meets the condition and keeps v and b"
    sums = []
    for width in (3, 4, 6, 12, 24):
        family = ShallowCnn(48, width)
        theta = family.initial(ring.random(f"projection{width}")) + 0.1
        sums.append(abs(family.grand_sum(family.symmetrised(theta))))
    yield _exact("projection", "Sec. VI", statement, max(sums), 1e-12, "K = 3, 4, 6, 12 and 24")


def theorem_s2(ring: Ring) -> Iterator[Identity]:
    """What the energy's slope does to a network of grand sum zero."""
    starts = list(ring.random_networks("theoremS2", symmetric=True))
    moves = [ring.network(t - LEARNING_RATE * ring.slope(t)) - ring.network(t) for t in starts]
    largest = max(np.abs(move - move[ring.flipped]).max() for move in moves)
    as_flip = _reflected_as_flipped(ring)
    mirrored = max(np.abs(move - move[ring.reflected])[as_flip].max(initial=0.0) for move in moves)
    remark = (
        f"reflection: {mirrored:.0e} over the {as_flip.sum()} states that it takes where a label exchange and a shift "
    )
    remark += "do"
    statement = "one step down the exact slope changes psi(s) and psi(Ls) alike"
    yield _exact("theorem S2", "Sec. VI", statement, largest, 1e-10, remark)
    for name, optimiser in (("plain gradient", Sgd(LEARNING_RATE)), ("Adam", Adam(LEARNING_RATE))):
        # Adam divides the slope of the grand sum, all rounding, by its own size: what follows differs between machines.
        adam = isinstance(optimiser, Adam)
        remark = "; its steps are rounding made large" if adam else ""
        exact = [_exact_descent(ring, theta, optimiser) for theta in starts[:DESCENTS]]
        yield _kept(f"{name}, exact slope", exact, np.nan if adam else 1e-10, remark)
        yield _kept(f"{name}, sampled", _sampled_descents(ring, optimiser), np.nan, f"; {SAMPLES} samples per step")


def _kept(how: str, sums: Sequence[float], allowed: float, remarked: str = "") -> Identity:
    """The drift of the grand sum, in units of SPREAD; a verdict only where something is claimed of it exactly."""
    drift = np.array(sums) / SPREAD
    claim = "the grand sum drifts from zero" if np.isnan(allowed) else "grand sum zero is kept"
    statement = f"{claim} through {STEPS} steps of {LEARNING_RATE:g}: {how}"
    remark = f"drift over the spread {SPREAD:.3f} of random networks, largest of {len(sums)} runs, median "
    remark += f"{np.median(drift):.1e}{remarked}"
    return _exact(f"kept by {how}", "Sec. VI, theorem S2", statement, drift.max(), allowed, remark)


def _reflected_as_flipped(ring: Ring) -> np.ndarray:
    """States whose reflection is a shift of their label exchange, but no shift of themselves: (U,) bool."""
    shifts = np.array([ring.places(np.roll(ring.spins, step, axis=1)) for step in range(ring.n_sites)])
    own, exchanged = shifts == ring.reflected, shifts[:, ring.flipped] == ring.reflected
    return exchanged.any(axis=0) & ~own.any(axis=0)


def _exact_descent(ring: Ring, theta: np.ndarray, optimiser: Adam | Sgd) -> float:
    """Largest grand sum along a descent of the exact energy."""
    moments, largest = optimiser.start(len(theta)), 0.0
    for step in range(STEPS):
        change, moments = optimiser.step(ring.slope(theta), moments, step)
        theta = theta + change
        largest = max(largest, abs(ring.family.grand_sum(theta)))
    return largest


def _sampled_descents(ring: Ring, optimiser: Adam | Sgd) -> list[float]:
    """The same from samples of psi^2, with symmetry forced at the start only; one number per run."""
    sampler = RingSampler(ring.n_sites, samples=SAMPLES, chains=CHAINS, burn_in=10)
    task = ring_task(ShallowCnn(ring.n_sites, ring.width, "init"), sampler, optimiser, max_iterations=STEPS)
    seeds = [seed_of("ju2025", "table1", "descent", ring.n_sites, ring.width, ring.seed, n) for n in range(DESCENTS)]
    runs = [train(Run.start(task, seed), task) for seed in seeds]
    return [float(np.abs(run.column("grand_sum")).max()) for run in runs]


CHECKS: tuple[Callable[[Ring], Iterator[Identity]], ...] = (
    hamiltonian, motif_sum, maxent, multipliers, theorem1, theorem_s2,
)  # fmt: skip
