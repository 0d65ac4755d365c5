"""Data sets drawn from |psi|^2, or for comparison from all states alike.

A sample holds a training and a validation set. The training set has round(epsilon K) states drawn from |psi|^2; the
validation set is drawn alike, restricted to states outside the training set, so that early stopping measures
generalisation. With replacement (default) duplicates are kept; without, states are drawn one after the other from
those that are left. Both ways see the same stream of draws, so that their networks can be compared in pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nqs.exact.eigenstate import Wavefunction
from nqs.runtime.errors import InputError
from nqs.runtime.hdf5 import create_hdf5, open_hdf5, store
from nqs.runtime.job import Job
from nqs.runtime.seeds import seed_of

MAX_ROUNDS = 200  # of drawing what is still missing, before a set is called impossible


@dataclass(frozen=True)
class Sample:
    """Basis states with the wave function's values: states uint64 (n,), psi float64 (n,)."""

    states: np.ndarray
    psi: np.ndarray

    def __len__(self) -> int:
        return len(self.states)

    def labels(self, target: str) -> np.ndarray:
        """What a network learns, float32: the sign (+1 for psi >= 0) or log|psi|."""
        values = np.where(self.psi >= 0, 1.0, -1.0) if target == "sign" else np.log(np.abs(self.psi))
        return values.astype(np.float32)


@dataclass(frozen=True)
class DataSet:
    """One training and one validation set; `weight` is the |psi|^2 that their distinct states hold together."""

    training: Sample
    validation: Sample
    weight: float

    @property
    def seen(self) -> Sample:
        """The distinct states of both sets."""
        return distinct(self.training, self.validation)


def draw(
    wavefunction: Wavefunction,
    epsilon: float,
    validation_ratio: float,
    replacement: bool,
    rng: np.random.Generator,
    power: int = 2,
) -> DataSet:
    """Draw a training set of epsilon K states and a validation set of epsilon validation_ratio K states.

    power: of |psi| that states are drawn by; 0: all states that have an amplitude alike.
    Raises InputError if a set would be empty or the training set leaves too little weight to draw from.
    """
    n_train = round(epsilon * wavefunction.dimension)
    n_validation = round(epsilon * validation_ratio * wavefunction.dimension)
    if min(n_train, n_validation) < 1:
        raise InputError(
            f"epsilon = {epsilon:g} gives {n_train} training and {n_validation} validation states of K = "
            f"{wavefunction.dimension}; both need at least one: raise epsilon or validation_ratio"
        )
    there = 0 if replacement else int(wavefunction.orbit_sizes[wavefunction.amplitudes != 0].sum())
    if not replacement and n_train + n_validation > there:
        raise InputError(
            f"epsilon = {epsilon:g} asks for {n_train} + {n_validation} distinct states, but only {there} have "
            "non-zero amplitude; lower epsilon or draw with replacement"
        )
    nothing = np.empty(0, np.uint64)
    training = draw_outside(wavefunction, nothing, n_train, replacement, rng, power)
    validation = draw_outside(wavefunction, np.unique(training.states), n_validation, replacement, rng, power)
    return DataSet(training, validation, float((distinct(training, validation).psi ** 2).sum()))


def draw_outside(
    wavefunction: Wavefunction,
    taken: np.ndarray,
    n: int,
    replacement: bool,
    rng: np.random.Generator,
    power: int = 2,
) -> Sample:
    """n states with an amplitude from |psi|^power restricted to those not in `taken`; distinct if not `replacement`.

    Rejecting what is taken from a stream of independent draws gives exactly the restricted distribution; keeping
    first occurrences gives exactly successive sampling without replacement.
    """
    states, psi = np.empty(0, np.uint64), np.empty(0)
    for _ in range(MAX_ROUNDS):
        fresh, values = wavefunction.sample(max(2 * (n - len(states)), 1000), rng, power)
        keep = ~np.isin(fresh, taken) & (values != 0)
        states, psi = np.concatenate([states, fresh[keep]]), np.concatenate([psi, values[keep]])
        if not replacement:
            first = np.sort(np.unique(states, return_index=True)[1])
            states, psi = states[first], psi[first]
        if len(states) >= n:
            return Sample(states[:n], psi[:n])
    raise InputError(
        f"the training set holds nearly all of |psi|^2: found {len(states)} of {n} states outside it; lower epsilon"
    )


def distinct(*samples: Sample) -> Sample:
    """The distinct states of the samples together."""
    states, first = np.unique(np.concatenate([sample.states for sample in samples]), return_index=True)
    return Sample(states, np.concatenate([sample.psi for sample in samples])[first])


def translates(sample: Sample, wavefunction: Wavefunction) -> Sample:
    """All translates of a sample, state by state, with psi as the momentum of the ground state gives it.

    Raises InputError where the file's symmetries are more than translations and the flip of all spins.
    """
    moves = np.flatnonzero(~wavefunction.flips)
    if len(moves) != wavefunction.shape[0] * wavefunction.shape[1]:
        raise InputError(
            f"translates: the ground state of {wavefunction.cluster} is stored by its point group as well; leave "
            f"`point` out of ground_state.symmetries, or set point_group_above to {wavefunction.n_sites}"
        )
    element = np.tile(moves, len(sample))
    states = wavefunction.group.images(np.repeat(sample.states, len(moves)), element)
    return Sample(states, np.repeat(sample.psi, len(moves)) * wavefunction.characters[element])


def build(wavefunction: Wavefunction, settings: Mapping[str, Any], out: Path) -> None:
    """Stage `dataset`: all repeats of one size, each from a seed of its own."""
    with create_hdf5(out) as file:
        for repeat in range(settings["repeats"]):
            identity = (
                "dataset",
                settings["cluster"],
                settings["j2"],
                settings["epsilon"],
                repeat,
                settings["seed"],
            )
            seed = seed_of(*identity)
            rng = np.random.default_rng(seed)
            data = draw(
                wavefunction,
                settings["epsilon"],
                settings["validation_ratio"],
                settings["replacement"],
                rng,
                settings.get("power", 2),
            )
            group = file.create_group(f"repeat_{repeat}")
            group.attrs.update(weight=data.weight, seed=seed, epsilon=settings["epsilon"])
            for name, sample in (("training", data.training), ("validation", data.validation)):
                store(group, f"{name}/states", sample.states)
                store(group, f"{name}/psi", sample.psi)
            print(
                f"{out}: repeat {repeat}, {len(data.training)} + {len(data.validation)} states hold "
                f"{data.weight:.3f} of |psi|^2"
            )


def read(path: Path, repeat: int) -> DataSet:
    """One repeat of a data-set file."""
    with open_hdf5(path) as file:
        group = file[f"repeat_{repeat}"]
        training, validation = (
            Sample(group[f"{name}/states"][:], group[f"{name}/psi"][:]) for name in ("training", "validation")
        )
        return DataSet(training, validation, float(group.attrs["weight"]))


def by_epsilon(paths: Iterable[Path]) -> dict[float, Path]:
    """The files by the training-set fraction they hold."""
    files = {}
    for path in paths:
        with open_hdf5(path) as file:
            files[float(file["repeat_0"].attrs["epsilon"])] = path
    return files


def stage(job: Job) -> None:
    """Training and validation sets drawn from |psi|^2."""
    build(Wavefunction.read(job.file("ground_state")), job.settings, job.out("dataset"))
