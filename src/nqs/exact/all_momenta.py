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
from nqs.exact.kernel.links import LinkedOrbits, Space, link_orbits
from nqs.exact.kernel.screening import FLOOR, Level, tridiagonal_level
from nqs.exact.lanczos import Lanczos, Run, norm, overlaps, subtract
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
CLOSE = 2e-2  # distance from the ground state below which the finer one is asked for
MAX_EXTENSIONS = 500


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
        return _one_by_one(linked, left, couplings, known, Notes(folder / "beyond.npz", identity))
    return _best_first(linked, left, couplings, known)


def _best_first(linked: LinkedOrbits, left: Sequence[Irrep], couplings: Mapping[str, float], known: Known) -> Beyond:
    """Search by float64 runs, always extending the one of the lowest bound, after a screening by recurrences."""
    spaces = []
    for irrep in left:
        space = linked.space(irrep, np.float64)
        if (
            space.available
            and _recurrence(space, couplings, known, known.following, SCREENED)[0].bound <= known.following
        ):
            spaces.append(space)
    runs = [
        Lanczos(space.start(0), size=SIZE, kept=KEPT, opening=OPENING, available=space.available) for space in spaces
    ]
    for _ in range(MAX_EXTENSIONS * len(runs)):
        run, space = min(zip(runs, spaces, strict=True), key=lambda pair: pair[0].bound(known.tolerance(pair[0])))
        if run.bound(known.tolerance(run)) > known.following:
            break
        if run.residual <= known.tolerance(run):
            return Beyond(space.irrep, run.energy)
        run.extend(space.apply(couplings))
    else:
        if runs:
            raise GroundStateError(f"{space.irrep.name}: no convergence, residual {run.residual:.1e}")
    return Beyond()


class Notes:
    """Levels of finished recurrences, in a file that is only read again by the same search."""

    def __init__(self, file: Path, identity: str) -> None:
        self.checkpoints, self.key = Checkpoints(file.parent, identity), file.stem
        self.levels: dict[str, list[float]] = (self.checkpoints.load(self.key) or {}).get("levels", {})

    def add(self, key: str, level: Level) -> None:
        """Note a level and write the file."""
        self.levels[key] = [level.energy, level.residual, level.bound]
        self.checkpoints.save(self.key, levels=self.levels)


def _one_by_one(
    linked: LinkedOrbits, left: Sequence[Irrep], couplings: Mapping[str, float], known: Known, notes: Notes
) -> Beyond:
    """Search by float32 recurrences, one representation after the other."""
    best = Beyond()
    for n, irrep in enumerate(left):
        key = f"{irrep.name}, {irrep.parities}"
        ceiling = min(known.following, best.energy)
        if key not in notes.levels:
            space = linked.space(irrep, np.float32)
            if not space.available:
                continue
            level, steps = _recurrence(space, couplings, known, ceiling, MOST_STEPS)
            if level.bound <= ceiling and level.residual > RESIDUAL:
                raise GroundStateError(f"{irrep.name}: no convergence, residual {level.residual:.1e}")
            notes.add(key, level)
            print(
                f"{n + 1} of {len(left)} representations of other momenta: {irrep.name}, E = {level.energy:.6f}, "
                f"none below {level.bound:.6f}, {steps} steps",
                flush=True,
            )
        level = Level(*notes.levels[key])
        if level.bound <= ceiling and level.energy < ceiling:
            best = Beyond(irrep, level.energy, single=True)
    return best


def _recurrence(
    space: Space, couplings: Mapping[str, float], known: Known, ceiling: float, most_steps: int
) -> tuple[Level, int]:
    """Lowest level of one representation, until it is known well enough or above `ceiling`, and the steps taken."""
    apply, x = space.apply(couplings), space.start(0)
    x /= x.dtype.type(norm(x))
    before, alphas, betas = np.zeros_like(x), np.zeros(0), np.zeros(0)
    for step in range(1, most_steps + 1):
        y = apply(x)
        if step > 1:
            subtract(y, before[None], betas[-1:])
        alpha = overlaps(x[None], y)
        subtract(y, x[None], alpha)
        beta = norm(y)
        beta = beta if beta > 1e-5 * max(abs(alpha[0]), 1) else 0.0  # an invariant space, up to rounding
        alphas, betas = np.append(alphas, alpha), np.append(betas, beta)
        before, x = x, y / y.dtype.type(beta or 1)
        if beta == 0 or (step >= FIRST and step % ROUND == 0) or step == most_steps:
            level = tridiagonal_level(alphas, betas, space.available)
            is_known = level.energy < ceiling + FLOOR and _is_known(level, known.energy)
            if beta == 0 or level.bound > ceiling or is_known:
                break
    return level, step


def _is_known(level: Level, energy: float) -> bool:
    """Whether this level lies below `energy`, or is known well enough to state the gap."""
    gap = level.energy - energy
    hidden = level.bound < energy + 0.5 * gap
    return level.residual <= (RESIDUAL if abs(gap) > CLOSE else FINE_RESIDUAL) and (gap < 0 or not hidden)
