"""Ground state of one coupling from the Hamiltonian blocks of all sectors.

Sectors are searched best first: the Lanczos run whose lower bound is the lowest is extended until that run is
converged; every other sector is then known to lie above, as far as nqs.exact.lanczos.lower_bound knows.
The next level is found in the same way, with the ground state projected out of its own sector, so
that a degenerate partner inside the sector is seen as well.

The kernel screens all sectors first (nqs.exact.kernel.screening), so that normally few are searched. On large clusters
the next level may be a Ritz value of the screening: an upper bound, with a residual of at most LARGE_GAP_RESIDUAL,
while the sector's lower bound is above half of the gap.

The sectors are of one-dimensional representations with characters +-1. Under translations and spin flip these are the
momenta 0 and pi along each axis. With the point group they are fewer: no momentum that a point operation moves to
another one, and no two-dimensional representation (square36: momenta (0, 0) and (pi, pi) only). What they leave out is
searched afterwards (nqs.exact.all_momenta), for its energy only: a ground state there is refused; the gap counts it.

All of this was done before for clusters that ship with the project; what it found can stand in for it
(nqs.exact.known_levels), and then only the state is computed again.
"""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np

from nqs.exact import known_levels
from nqs.exact.all_momenta import Known, lowest_beyond
from nqs.exact.lanczos import Apply, Run
from nqs.exact.levels import Levels, described, wavefunction
from nqs.exact.sectors import Sectors, open_sectors
from nqs.exact.soundness import check_energy, check_permutations
from nqs.model.hamiltonians import j1j2_couplings
from nqs.runtime.errors import GroundStateError
from nqs.runtime.hdf5 import open_hdf5
from nqs.runtime.job import Job
from nqs.runtime.progress import INTERVAL

# Gap over |E| below which two levels count as one: with float64 vectors, and with float32 ones, whose next level has an
# error of up to this
DEGENERATE, SINGLE_DEGENERATE = 1e-9, 1e-6
# Absolute residuals of the next level, which is then good to residual^2 / spacing: enough to state
# the gap, and enough to tell a gap below CLOSE from a degeneracy.
GAP_RESIDUAL = 1e-4
CLOSE, CLOSE_RESIDUAL = 1e-3, 1e-6
# The same with the kernel on large clusters, where a gap below 0.01 makes a coupling near a crossing
LARGE_GAP_RESIDUAL = 1e-2
LARGE_CLOSE, LARGE_CLOSE_RESIDUAL = 2e-2, 1e-4
LARGE_CLOSEST = 1e-4  # gap below which only CLOSE_RESIDUAL tells, where vectors are float64
SINGLE_TOLERANCE = 2e-6  # relative residual that float32 vectors reach
MAX_EXTENSIONS = 500


def solve(
    hamiltonian_file: Path,
    j2: float,
    out: Path,
    tolerance: float = 1e-9,
    allow_degenerate: bool = False,
    *,
    checkpoints: Path | None = None,
    code: str = "",
    threads: int = 1,
    known: known_levels.Known | None = None,
) -> None:
    """Write the ground state over all sectors of `hamiltonian_file` at coupling j2.

    tolerance: relative residual |H psi - E psi| / |E|; known: what an earlier search has found, instead of another.
    GroundStateError if a level of complex momentum or of a representation of several dimensions lies lower, or if the
    ground state is degenerate, unless allowed; then the member of the first sector found is taken.
    A search with the kernel goes on from the folder `checkpoints`, if it was left by the same `code` (a hash).
    """
    with open_hdf5(hamiltonian_file) as file:
        check_permutations(file["permutations"][...])
        identity = json.dumps([str(file.attrs["cluster"]), file.attrs["generators"].tolist(), j2, code])
        couplings = j1j2_couplings(j2)
        with open_sectors(file, couplings, checkpoints, identity, threads) as sectors:
            confirmed = _confirmed(file, sectors, known, tolerance) if known else None
            levels = confirmed or find_levels(sectors, tolerance)
            large = sectors.large
        bonds = {name: pairs[...] for name, pairs in file["bonds"].items()}
        check_energy(levels.energy, bonds, couplings)
        check_energy(levels.energy + levels.gap * np.isfinite(levels.gap), bonds, couplings)
        if not confirmed:
            levels = _among_all(file, j2, levels, large, checkpoints, identity, threads)
        if levels.degenerate and not allow_degenerate:
            raise GroundStateError(
                f"{file.attrs['cluster']} at J2 = {j2}: the ground state is degenerate (next level "
                f"{levels.gap:.1e} above, {described(file, levels.next_sector)}, resolution {levels.resolution:.0e}); "
                "it has no unique wavefunction"
            )
        state = wavefunction(file, j2, levels)
    state.write(Path(out), bonds)
    if checkpoints is not None:
        shutil.rmtree(checkpoints, ignore_errors=True)
    print(
        f"{state.cluster} J2 = {j2:g}: E = {levels.energy:.10f} (S.S, total), gap {levels.gap:.6f}, "
        f"momentum {state.momentum}, spin flip {state.spin_flip:+d}, residual {levels.residual:.1e}"
        + (", near a level crossing" if state.near_crossing else "")
    )
    if state.momenta_checked != "all":
        print(
            f"warning: {state.cluster} J2 = {j2:g}: {state.momenta_checked}; a level of complex momentum "
            "may lie lower, and the gap counts the sectors searched"
        )


def _confirmed(file: h5py.File, sectors: Sectors, known: known_levels.Known, tolerance: float) -> Levels | None:
    """The known ground state computed again in its sector, with the known gap; None, and a line, if it is another."""
    name = known.place(file)
    if name is None or name not in sectors.names:
        print(f"{known.cluster}: other bonds or symmetries than those of the known levels; searching all sectors")
        return None
    tolerance = _reached(sectors, tolerance)
    run = sectors.alone(name, 0)
    _lowest({(name, 0): run}, sectors.apply, lambda run: tolerance * abs(run.energy))
    vector, energy, residual = _state(sectors, name, run.vector, tolerance)
    if abs(energy - known.energy) > known_levels.AGREEMENT * abs(energy):
        print(f"{name}: E = {energy:.10f} instead of the known {known.energy:.10f}; searching all sectors")
        return None
    print(f"{name}: E = {energy:.10f}, as an earlier search of all sectors and momenta has found; gap from there")
    resolution = _resolution(sectors, energy)
    return Levels(name, vector, energy, known.gap, residual, resolution, known.gap_sector, momenta_checked="all")


def _among_all(
    file: h5py.File, j2: float, levels: Levels, large: bool, folder: Path | None, identity: str, threads: int
) -> Levels:
    """The levels with the gap over the whole Sz = 0 space; GroundStateError if they do not hold its ground state."""
    known = Known(
        levels.energy,
        levels.energy + levels.gap,
        partial(gap_tolerance, energy=levels.energy, dtype=np.float64, large=large),
    )
    with TemporaryDirectory() as temporary:
        beyond = lowest_beyond(file, j1j2_couplings(j2), known, Path(folder or temporary), identity, threads)
    if beyond.irrep is None:
        return replace(levels, momenta_checked=beyond.checked)
    resolution = max(levels.resolution, beyond.single * SINGLE_DEGENERATE * abs(levels.energy))
    gap = beyond.energy - levels.energy
    if gap < -resolution:
        raise GroundStateError(
            f"{file.attrs['cluster']} at J2 = {j2}: the ground state has {beyond.irrep.name} (momenta in units of "
            f"2 pi / L) and E = {beyond.energy:.7f}, {-gap:.7f} below the lowest level of the sectors searched, "
            f"{levels.energy:.7f}; it is one of {beyond.irrep.dimension} and has no unique wavefunction: choose "
            "another J2 or cluster"
        )
    return replace(
        levels,
        gap=max(gap, 0.0),
        resolution=resolution,
        next_sector=beyond.irrep.name,
        momenta_checked=beyond.checked,
    )


def lowest_levels(file: h5py.File, couplings: Mapping[str, float], tolerance: float, threads: int = 1) -> Levels:
    """Lowest level of all sectors of a Hamiltonian file and the distance to the next one."""
    with open_sectors(file, couplings, threads=threads) as sectors:
        return find_levels(sectors, tolerance)


def find_levels(sectors: Sectors, tolerance: float) -> Levels:
    """Lowest level of all sectors and the distance to the next one; prints a line now and then.

    With float32 vectors the tolerance is at least SINGLE_TOLERANCE; energy and residual are float64 nevertheless.
    """
    block = lru_cache(maxsize=8)(sectors.apply)
    tolerance = _reached(sectors, tolerance)
    runs = {(name, 0): sectors.run(name, 0) for name in sectors.names}
    winner = _lowest(runs, block, lambda run: tolerance * abs(run.energy))
    best = runs.pop(winner)
    name = winner[0]
    vector, energy, residual = _state(sectors, name, best.vector, tolerance)
    if sectors.dimension(name) > 1:
        runs[name, 1] = sectors.run(name, 1, excluded=vector)
    resolution = _resolution(sectors, energy)
    closeness = partial(gap_tolerance, energy=energy, dtype=sectors.dtype, large=sectors.large)
    gap, following = _gap(runs, block, closeness, energy)
    if gap < -resolution:
        raise GroundStateError(f"a level {-gap:.1e} below the converged one was missed")
    return Levels(name, vector, energy, max(gap, 0.0), residual, resolution, following)


def _reached(sectors: Sectors, tolerance: float) -> float:
    """The tolerance, or what vectors of this precision reach."""
    return max(tolerance, SINGLE_TOLERANCE) if sectors.dtype == np.float32 else tolerance


def _resolution(sectors: Sectors, energy: float) -> float:
    """Gap that cannot be told from a degeneracy."""
    return abs(energy) * (SINGLE_DEGENERATE if sectors.dtype == np.float32 else DEGENERATE)


def _state(sectors: Sectors, name: str, vector: np.ndarray, tolerance: float) -> tuple[np.ndarray, float, float]:
    """A Ritz vector in double precision, normalised, its energy and relative residual; GroundStateError above twice the
    tolerance.
    """
    vector = vector.astype(np.float64)
    vector /= np.linalg.norm(vector)
    image = sectors.apply(name, np.float64)(vector)
    energy = float(vector @ image)
    residual = float(np.linalg.norm(image - energy * vector) / abs(energy))
    if residual > 2 * tolerance:
        raise GroundStateError(f"{name}: residual {residual:.1e} stays above {tolerance:.1e}")
    return vector, energy, residual


def gap_tolerance(run: Run, energy: float, dtype: type, large: bool) -> float:
    """Residual at which this run may give the next level above `energy`."""
    gap = run.energy - energy
    coarse, close, fine = GAP_RESIDUAL, CLOSE, CLOSE_RESIDUAL
    if large:
        coarse, close, fine = LARGE_GAP_RESIDUAL, LARGE_CLOSE, LARGE_CLOSE_RESIDUAL
        if gap < LARGE_CLOSEST and dtype == np.float64:
            return CLOSE_RESIDUAL
    hidden = run.bound(0.0) < energy + 0.5 * gap  # a lower level of the sector may be
    return fine if gap < close or hidden else coarse


def _gap(
    runs: Mapping[tuple[str, int], Run],
    block: Callable[[str], Apply],
    tolerance: Callable[[Run], float],
    energy: float,
) -> tuple[float, str]:
    """Distance from `energy` to the lowest level of the remaining runs, and its sector."""
    if not runs:
        return np.inf, ""
    key = _lowest(runs, block, tolerance)
    return runs[key].energy - energy, key[0]


def _lowest(
    runs: Mapping[tuple[str, int], Run],
    block: Callable[[str], Apply],
    tolerance: Callable[[Run], float],
) -> tuple[str, int]:
    """Key of the run with the lowest level, extended until its residual is within tolerance."""
    printed = time.monotonic()
    for _ in range(MAX_EXTENSIONS * len(runs)):
        key = min(runs, key=lambda k: runs[k].bound(tolerance(runs[k])))
        if runs[key].residual <= tolerance(runs[key]):
            return key
        runs[key].extend(block(key[0]))
        if time.monotonic() - printed > INTERVAL:
            printed = time.monotonic()
            begun = sum(np.isfinite(run.residual) for run in runs.values())
            print(
                f"{key[0]}: E = {runs[key].energy:.6f}, residual {runs[key].residual:.1e}; "
                f"{begun} of {len(runs)} runs begun",
                flush=True,
            )
    raise GroundStateError(f"{key[0]}: no convergence, residual {runs[key].residual:.1e}")


def stage(job: Job) -> None:
    """Lowest state of one coupling over all sectors, and its gap."""
    cell, out = job.settings, job.out("ground_state")
    solve(
        job.file("hamiltonian"), cell["j2"], out, cell["tolerance"], cell["allow_degenerate"],
        checkpoints=job.checkpoints, code=job.code, threads=job.threads,
        known=known_levels.Known.of(cell["known"]) if cell["known"] else None,
    )  # fmt: skip
