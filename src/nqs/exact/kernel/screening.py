"""Which sectors can hold the lowest two levels: three-term Lanczos recurrences of many sectors at once.

No vectors are kept, so that copies of converged levels appear among the Ritz values; the lowest one is not affected.
All sectors take STEPS steps. Those that may hold one of the lowest two levels go on until they are told apart, to at
most MOST_STEPS; what is open then is left to a search. That a residual is small does not end it: a recurrence can rest
on the second level of its sector for many steps. Recurrences are in files between rounds, so that an interrupted
screening goes on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import scipy.linalg

from nqs.exact.kernel.lane_vectors import inverse, products, scale, stacked, subtract
from nqs.exact.kernel.many_sectors import Lanes
from nqs.exact.lanczos import Apply, Lanczos, lower_bound
from nqs.runtime.checkpoints import Checkpoints

MOST_LANES = 16  # one cache line of float32
MOST_BYTES = 5 << 29  # of the vectors of one group
STEPS = 20  # of every sector
ROUND = 5  # steps between two looks
MOST_STEPS = 80
RESIDUAL = 1e-2  # at which a level is known well enough to state a gap
FLOOR = 1e-3  # in single precision residuals count as at least that


@dataclass(frozen=True)
class Level:
    """Lowest Ritz value of a sector, an upper bound of its lowest level, and its residual (total, S.S units).

    bound: level below which the sector holds nothing, see nqs.exact.lanczos.lower_bound.
    """

    energy: float
    residual: float
    bound: float


class Group:
    """Lanczos recurrences of some sectors in step.  [Lanczos 1950]

    alphas, betas (steps, k): their tridiagonal matrices. The newest vectors and the ones before, (d, k), are in
    `file`, and in memory while `held`.
    """

    def __init__(self, names: Sequence[str], file: Path, identity: str) -> None:
        self.names, self.file, self.checkpoints = list(names), file, Checkpoints(file.parent, identity)
        self.alphas = self.betas = np.zeros((0, len(names)))
        self.held: tuple[np.ndarray, np.ndarray] | None = None
        if stored := self.checkpoints.load(file.stem, "alphas", "betas"):
            self.alphas, self.betas = stored["alphas"], stored["betas"]

    @property
    def steps(self) -> int:
        """Steps taken."""
        return len(self.alphas)

    def begin(self, source: Mapping[str, tuple[np.ndarray, np.ndarray]], alphas: np.ndarray, betas: np.ndarray) -> None:
        """Start from these vectors of each sector and these steps."""
        columns = [source[name] for name in self.names]
        self.held = stacked([x for x, _ in columns]), stacked([y for _, y in columns])
        self.alphas, self.betas = alphas, betas

    def vectors(self) -> tuple[np.ndarray, np.ndarray]:
        """Newest vectors and the ones before."""
        if self.held is None:
            stored = self.checkpoints.load(self.file.stem, "x", "y")
            assert stored is not None
            self.held = stacked(stored.pop("x").T), stacked(stored.pop("y").T)  # one after the other
        return self.held

    def extend(self, lanes: Lanes, steps: int) -> None:
        """Take so many steps and write the file."""
        x, y = self.vectors()
        for _ in range(steps):
            lanes.recur(x, y, self.betas[-1] if self.steps else np.zeros(len(self.names)))
            alpha = products(x, y, lanes.threads)
            beta = subtract(alpha, x, y, lanes.threads)
            beta[beta < 1e-5 * np.maximum(np.abs(alpha), 1)] = 0  # an invariant space, up to rounding
            scale(inverse(beta), y, lanes.threads)
            x, y = y, x
            self.alphas, self.betas = np.vstack([self.alphas, alpha]), np.vstack([self.betas, beta])
        self.held = x, y
        self.checkpoints.save(self.file.stem, x=x, y=y, alphas=self.alphas, betas=self.betas)

    def levels(self, steps: int, dimension: int) -> dict[str, Level]:
        """Lowest level of each sector, of at most this dimension, after so many steps."""
        columns = zip(self.names, self.alphas[:steps].T, self.betas[:steps].T, strict=True)
        return {name: tridiagonal_level(alphas, betas, dimension) for name, alphas, betas in columns}


def tridiagonal_level(alphas: np.ndarray, betas: np.ndarray, dimension: int) -> Level:
    """Lowest level of a space of this dimension, from the steps of its recurrence: alphas, betas (steps,)."""
    size = int(np.argmin(betas > 0)) + 1 if (betas == 0).any() else len(alphas)
    values, vectors = scipy.linalg.eigh_tridiagonal(alphas[:size], betas[: size - 1])
    energy, couplings = float(values[0]), betas[size - 1] * vectors[-1]
    bound = energy
    if size == len(alphas) and betas[-1] > 0:
        bound = lower_bound(values, couplings, values, np.zeros(0), float(np.log(betas).sum()), dimension)
    return Level(energy, max(float(abs(couplings[0])), FLOOR), min(bound, energy - FLOOR))


@dataclass(frozen=True, eq=False)
class Screening:
    """A screening of sectors whose unfinished recurrences are kept in `folder`, marked with `identity`.

    lanes: H in some sectors;  start: normalised start vectors of one sector (d,);  dimension: d.
    """

    names: Sequence[str]
    dimension: int
    lanes: Callable[[Sequence[str]], Lanes]
    start: Callable[[str], np.ndarray]
    folder: Path
    identity: str

    def run(self) -> dict[str, Level]:
        """The lowest level of each sector, well known of those that may hold the lowest two of all."""
        groups = [self._group(names, 0) for names in self._chunks(self.names)]
        levels: dict[str, Level] = {}
        steps = STEPS
        while True:
            for group in groups:
                if not group.steps:
                    zero = np.zeros(self.dimension, dtype=np.float32)
                    group.begin({name: (self.start(name), zero) for name in group.names}, group.alphas, group.betas)
                while group.steps < steps:
                    group.extend(self.lanes(group.names), ROUND)
                    print(
                        _line(levels | group.levels(group.steps, self.dimension), len(group.names), group.steps),
                        flush=True,
                    )
                if len(groups) > 1:
                    group.held = None
                levels.update(group.levels(steps, self.dimension))
            followed = {name for group in groups for name in group.names}
            wanted = [name for name in contenders(levels) if name in followed]  # a search decides on the others
            if not wanted or steps >= MOST_STEPS:
                return levels
            groups = self._regrouped(groups, wanted, steps)
            steps += ROUND

    def _group(self, names: Sequence[str], steps: int) -> Group:
        file = self.folder / f"screening_{steps}_{crc32(' '.join(names).encode()):08x}.npz"
        return Group(names, file, self.identity)

    def _chunks(self, names: Sequence[str]) -> list[Sequence[str]]:
        width = max(1, min(MOST_LANES, MOST_BYTES // (8 * self.dimension)))
        return [names[n : n + width] for n in range(0, len(names), width)]

    def _regrouped(self, groups: list[Group], wanted: Sequence[str], steps: int) -> list[Group]:
        """Groups of the wanted sectors alone, where that saves much."""
        chunks = self._chunks(wanted)
        if 2 * len(wanted) > sum(len(group.names) for group in groups) and len(chunks) == len(groups):
            return groups
        made = [self._group(names, steps) for names in chunks]
        if all(group.steps for group in made):
            return made
        columns, history = {}, {}
        for group in groups:
            x, y = group.vectors()
            for n, name in enumerate(group.names):
                if name in wanted:
                    columns[name] = x[:, n].copy(), y[:, n].copy()
                    history[name] = group.alphas[:, n], group.betas[:, n]
            group.held = None
            del x, y  # as large as everything that follows
        for group in made:
            if not group.steps:
                alphas, betas = (np.column_stack([history[name][n] for name in group.names]) for n in (0, 1))
                group.begin(columns, alphas, betas)
        return made


def contenders(levels: Mapping[str, Level]) -> list[str]:
    """Sectors that more steps must separate from the lowest level or the second lowest one.

    A second level counts as known once it cannot lie below half of the gap.
    """
    best, *others = sorted(levels, key=lambda name: levels[name].energy)
    second = levels[others[0]].energy if others else np.inf

    def unknown(name: str) -> bool:
        level = levels[name]
        low = name != best and level.bound < 0.5 * (levels[best].energy + level.energy)
        return level.bound <= second and (low or level.residual > RESIDUAL)

    return [name for name in levels if unknown(name)]


class ScreenedRun:
    """A Lanczos run that begins when it is first extended; before, a screening says what its sector may hold."""

    def __init__(self, level: Level, begin: Callable[[], Lanczos], begun: bool) -> None:
        self.level, self.begin = level, begin
        self.run = begin() if begun else None

    @property
    def energy(self) -> float:
        """Lowest Ritz value."""
        return self._better.energy

    @property
    def residual(self) -> float:
        """Its residual."""
        return self._better.residual

    @property
    def _better(self) -> Level | Lanczos:
        """The run as soon as it has come as far; not the lower energy, as the screening's has errors of rounding."""
        return self.level if self.run is None or self.run.residual > self.level.residual else self.run

    def bound(self, tolerance: float) -> float:
        """Level below which the sector holds nothing; the Ritz value itself once converged."""
        if self.residual <= tolerance:
            return self.energy
        return self.level.bound if self.run is None else max(self.level.bound, self.run.bound(tolerance))

    @property
    def vector(self) -> np.ndarray:
        """Ritz vector of the lowest level; begins the run."""
        return self._begun().vector

    def extend(self, apply: Apply) -> None:
        """Begin or extend the run."""
        self._begun().extend(apply)

    def _begun(self) -> Lanczos:
        self.run = self.run or self.begin()
        return self.run


def _line(levels: Mapping[str, Level], followed: int, steps: int) -> str:
    best = min(levels, key=lambda name: levels[name].energy)
    return (
        f"{followed} sectors, {steps} steps: lowest {best}, E = {levels[best].energy:.6f}, "
        f"residual {levels[best].residual:.1e}"
    )
