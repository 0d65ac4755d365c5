"""Levels that the sectors of real characters leave out: complex momenta and representations of several dimensions.

The ground-state search (nqs.exact.ground_state) covers sectors of characters +-1. Here the lowest level of every other
representation of the space group and the spin flip is bounded from below, or found where it may lie below the next
level of the search. The orbits and their links are made anew for each coupling, which takes less time than the search.

Up to SMALL components, vectors are float64 and the representations are searched best first. Above, each takes steps of
a float32 recurrence until its lower bound is above the next level known or its level is known; they are kept in
`folder`, so that an interrupted search goes on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from nqs.exact.irreps import Irrep, SpaceGroup, irreps, read_space_group
from nqs.exact.kernel.lane_vectors import inverse, products, scale, stacked, subtract, zeros
from nqs.exact.kernel.links import LinkedOrbits, link_orbits
from nqs.exact.kernel.representations import Space, side_by_side
from nqs.exact.kernel.screening import FLOOR, Level, tridiagonal_level
from nqs.exact.lanczos import Lanczos, Run
from nqs.model.clusters import dimension
from nqs.model.symmetry import characters, make_generator
from nqs.runtime.checkpoints import Checkpoints
from nqs.runtime.errors import GroundStateError

SMALL = 1 << 18  # components up to which vectors are float64 and stay in memory
MOST_ORBITS = 1 << 25  # a vector of eight components takes 1 GiB
SIZE, KEPT, OPENING = 24, 6, 16  # Krylov vectors, those kept, and those of the first extension
FIRST, ROUND, MOST_STEPS = 21, 3, 201  # steps of a recurrence: before the first look, between looks, and in all
SCREENED = 60  # steps at most where runs follow
RESIDUAL, FINE_RESIDUAL = 1e-2, 2e-3  # at which a level is known well enough, and one close to the ground state
LONGEST = 1 << 28  # of a vector of several representations: 1 GiB in float32
CLOSE = 2e-2  # distance from the ground state below which the finer one is asked for
MAX_EXTENSIONS = 500


NOTHING = Level(np.inf, 0.0, np.inf)  # of a representation without states


@dataclass(frozen=True)
class Beyond:
    """Lowest level outside the sectors searched, total, S.S units; none if it lies above the next level of the search.

    checked: "all", or why complex momenta were left out.  single: whether the level is known in float32 only.
    """

    irrep: Irrep | None = None
    energy: float = np.inf
    single: bool = False
    checked: str = "all"


def unsearched(file: h5py.File, group: SpaceGroup) -> list[Irrep] | None:
    """Representations that the sectors of the file do not hold; None if they hold a part of one.

    The states of D have `index` x dim D components under all symmetries of the file, where `index` is how many times
    more there are than in `group`; by Frobenius reciprocity a sector of character chi holds (chi, D) of them.
    """
    permutations, flips = file["permutations"][...], file["flips"][...]
    inside = [n for n, move in enumerate(permutations) if move.tobytes() in group.places]
    sectors = [file[name].attrs["signs"] for name in file if name.startswith("sector_")]
    values = np.array([characters(file["exponents"][...], signs)[inside] for signs in sectors], dtype=int)
    index = len(permutations) // len(inside)
    left = []
    for irrep in irreps(group):
        matrices = group.represented(irrep.matrices)
        traces = np.array([np.trace(matrices[permutations[n].tobytes()]) for n in inside])
        traces *= np.where(flips[inside], irrep.spin_flip, 1)
        held = np.rint((values @ traces).sum() / len(inside))
        if held == 0:
            left.append(irrep)
        elif held < index * irrep.dimension:
            return None
    return left


@dataclass(frozen=True)
class Known:
    """Lowest two levels of the sectors searched (total, S.S units) and what counts as a residual of another level."""

    energy: float
    following: float
    tolerance: Callable[[Run], float]


def lowest_beyond(
    file: h5py.File, couplings: Mapping[str, float], known: Known, folder: Path, identity: str = "", threads: int = 1
) -> Beyond:
    """Lowest level outside the sectors of the file, if it may lie below the next level known.

    folder: for long lists and unfinished searches, marked with `identity`.
    """
    group = read_space_group(file)
    left = unsearched(file, group)
    if left is None:
        return Beyond(checked="real characters only: they split representations of these symmetries")
    if not left:
        return Beyond()
    orbits = dimension(group.n_sites) // (2 * len(group.places))
    if orbits > MOST_ORBITS:
        reason = f"{orbits / 1e6:.0f} million orbits, at most {MOST_ORBITS / 1e6:.0f} million are searched"
        return Beyond(checked=f"real characters only: {reason}")
    flip = make_generator("spin_flip", np.arange(group.n_sites), flip=True)
    bonds = {key: file[f"bonds/{key}"][...] for key, coupling in couplings.items() if coupling}
    linked = link_orbits([*group.translations, *group.point, flip], group.n_sites, bonds, folder, threads)
    if len(linked.orbits.sizes) * max(irrep.dimension for irrep in left) > SMALL:
        return _in_groups(linked, left, couplings, known, Notes(folder / "beyond.npz", identity))
    return _best_first(linked, left, couplings, known)


def _best_first(linked: LinkedOrbits, left: Sequence[Irrep], couplings: Mapping[str, float], known: Known) -> Beyond:
    """Search by float64 runs, always extending the one of the lowest bound, after a screening by recurrences."""
    spaces = []
    for group in side_by_side(linked, left, LONGEST):
        levels = Recurrences(linked.space(group, np.float64), couplings).levels(known, known.following, SCREENED)
        spaces += [
            linked.space([irrep], np.float64)
            for irrep, level in zip(group, levels, strict=True)
            if level is not NOTHING and level.bound <= known.following
        ]
    runs = [
        Lanczos(space.start(0)[:, 0], size=SIZE, kept=KEPT, opening=OPENING, available=int(space.available[0]))
        for space in spaces
    ]
    for _ in range(MAX_EXTENSIONS * len(runs)):
        run, space = min(zip(runs, spaces, strict=True), key=lambda pair: pair[0].bound(known.tolerance(pair[0])))
        if run.bound(known.tolerance(run)) > known.following:
            break
        if run.residual <= known.tolerance(run):
            return Beyond(space.irreps[0], run.energy)
        run.extend(space.apply(couplings))
    else:
        if runs:
            raise GroundStateError(f"{space.irreps[0].name}: no convergence, residual {run.residual:.1e}")
    return Beyond()


class Notes:
    """Levels of finished recurrences, in a file that is only read again by the same search."""

    def __init__(self, file: Path, identity: str) -> None:
        self.checkpoints, self.key = Checkpoints(file.parent, identity), file.stem
        self.levels: dict[str, list[float]] = (self.checkpoints.load(self.key) or {}).get("levels", {})

    def add(self, found: Mapping[str, Level]) -> None:
        """Note levels and write the file."""
        self.levels |= {key: [level.energy, level.residual, level.bound] for key, level in found.items()}
        self.checkpoints.save(self.key, levels=self.levels)


def _in_groups(
    linked: LinkedOrbits, left: Sequence[Irrep], couplings: Mapping[str, float], known: Known, notes: Notes
) -> Beyond:
    """Search by float32 recurrences, one group of representations after the other."""
    best, done = Beyond(), 0
    for group in side_by_side(linked, left, LONGEST):
        keys = [f"{irrep.name}, {irrep.parities}" for irrep in group]
        ceiling = min(known.following, best.energy)
        done += len(group)
        if not all(key in notes.levels for key in keys):
            recurrences = Recurrences(linked.space(group, np.float32), couplings)
            found = dict(zip(keys, recurrences.levels(known, ceiling, MOST_STEPS), strict=True))
            for key, level in found.items():
                if level.bound <= ceiling and level.residual > RESIDUAL:
                    raise GroundStateError(f"{key}: no convergence, residual {level.residual:.1e}")
            notes.add(found)
            lowest = min(found.values(), key=lambda level: level.bound)
            print(
                f"{done} of {len(left)} representations of other momenta: {group[0].name} and its like, "
                f"E = {lowest.energy:.6f}, none below {lowest.bound:.6f}, {recurrences.steps} steps",
                flush=True,
            )
        for irrep, key in zip(group, keys, strict=True):
            level = Level(*notes.levels[key])
            if level.bound <= known.following and level.energy < min(known.following, best.energy):
                best = Beyond(irrep, level.energy, single=True)
    return best


class Recurrences:
    """Lanczos recurrences of representations side by side, each until its lowest level is known.

    numbers: which of them the lanes hold;  alphas, betas (steps, lanes): their tridiagonal matrices.
    """

    def __init__(self, space: Space, couplings: Mapping[str, float]) -> None:
        self.couplings, self.numbers, self.available = couplings, [*range(space.shape[2])], space.available
        self.alphas = self.betas = np.zeros((0, space.shape[2]))
        x = space.start(0)
        scale(inverse(np.sqrt(products(x, x))), x)
        self._hold(space, x, zeros(x.shape, space.dtype))

    @property
    def steps(self) -> int:
        """Steps taken."""
        return len(self.alphas)

    def levels(self, known: Known, ceiling: float, most_steps: int) -> list[Level]:
        """Lowest level of each representation: well known, above `ceiling`, or what so many steps say of it."""
        found = {n: NOTHING for n in self.numbers if not self.available[n]}
        while len(found) < len(self.available):
            self._step()
            last, look = self.steps == most_steps, self.steps >= FIRST and self.steps % ROUND == 0
            for n, alphas, betas in zip(self.numbers, self.alphas.T, self.betas.T, strict=True):
                exhausted = betas[-1] == 0
                if n not in found and (last or look or exhausted):
                    level = tridiagonal_level(alphas, betas, int(self.available[n]))
                    if last or exhausted or _settled(level, known.energy, ceiling):
                        found[n] = level
            if last or look:
                self._narrow([n for n in self.numbers if n not in found])
        return [found[n] for n in range(len(self.available))]

    def _hold(self, space: Space, x: np.ndarray, y: np.ndarray) -> None:
        self.space, self.hamiltonian, self.x, self.y = space, space.hamiltonian(self.couplings), x, y

    def _step(self) -> None:
        threads = self.space.linked.threads
        before = self.betas[-1] if self.steps else np.zeros(len(self.numbers))
        self.hamiltonian.recur(self.x, self.y, before)
        alpha = products(self.x, self.y, threads)
        beta = subtract(alpha, self.x, self.y, threads)
        beta[beta < 1e-5 * np.maximum(np.abs(alpha), 1)] = 0  # an invariant space, up to rounding
        scale(inverse(beta), self.y, threads)
        self.x, self.y = self.y, self.x
        self.alphas, self.betas = np.vstack([self.alphas, alpha]), np.vstack([self.betas, beta])

    def _narrow(self, wanted: Sequence[int]) -> None:
        """Keep half of the lanes, or fewer, if these hold all the wanted ones."""
        width = 1 << max(len(wanted) - 1, 0).bit_length()
        if not wanted or width == len(self.numbers):
            return
        others = [n for n in self.numbers if n not in wanted]
        kept = [self.numbers.index(n) for n in [*wanted, *others][:width]]
        self.numbers = [self.numbers[lane] for lane in kept]
        self.alphas, self.betas = self.alphas[:, kept], self.betas[:, kept]
        self._hold(self.space.lanes(kept), stacked(self.x[:, kept].T), stacked(self.y[:, kept].T))


def _settled(level: Level, energy: float, ceiling: float) -> bool:
    """Whether a level lies above the ceiling, or is known well enough below it."""
    return level.bound > ceiling or (level.energy < ceiling + FLOOR and _is_known(level, energy))


def _is_known(level: Level, energy: float) -> bool:
    """Whether this level lies below `energy`, or is known well enough to state the gap."""
    gap = level.energy - energy
    hidden = level.bound < energy + 0.5 * gap
    return level.residual <= (RESIDUAL if abs(gap) > CLOSE else FINE_RESIDUAL) and (gap < 0 or not hidden)
