"""Stage `motif_optima`: the lowest exact energies of correlator product state and shallow network on one ring.

settings   the cell (cells_ju2025.optima_settings)
makes      optima.csv           one row per descent: where it began, its energy and what slope was left
           optima.safetensors   of the lowest of each family: {cps,cnn}_coefficients and {cps,cnn}_expectations of the
                                motifs (2^K,); cnn_parameters (start, P) of all; metadata: key, settings

The energy comes from the transfer matrix, so nothing is sampled. The correlator product state has one minimum in all
our descents and begins at psi = 1; the network has many, and begins at random parameters, in turn those of training
made symmetric ("glorot") and wider ones ("wide"), which more often get near the best. A minimum on a long ring is
close to one on a shorter ring, and an evaluation costs N^2: beyond 60 sites the descents are those of 60 sites, and the
lowest three minima are followed to the end; the other starts have no energy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from nqs.ansatz.correlator_product import Cps
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.exact.transfer_matrix import OutOfRange, measure
from nqs.runtime.errors import InputError
from nqs.runtime.files import atomic
from nqs.runtime.job import Job
from nqs.runtime.progress import Progress
from nqs.runtime.seeds import seed_of
from nqs.runtime.threads import in_threads
from nqs.vmc.exact_descent import Family, Optimum, lowest_energy
from nqs.vmc.keys import OptimaKey
from nqs.vmc.ring_evaluation import ring_energies

SHORT_RING = 60  # sites; longer rings begin from this one
LEFT_SLOPE = 1e-4  # of a converged descent; a minimum on a kink of the ReLU has a larger one on either side
RESTARTS, SHAKE = 3, 1e-3
FOLLOWED, LONG_STEPS = 3, 100  # minima of the short ring followed to a longer one, and steps there at most
DISTINCT = 3  # decimals of energies that tell minima apart
INITIAL = ("wide", "glorot")
WIDE_SCALE, WIDE_SPREAD = -0.5, 0.6  # v, and the standard deviation of u in x = u.sigma


@dataclass(frozen=True, eq=False)
class Descent:
    """One descent: family cps or cnn, where it began, and the minimum, None if out of range or not followed."""

    family: str
    start: int
    initial: str
    found: Optimum | None


def run(settings: Mapping[str, Any], out: Path, optima: Path, threads: int = 1) -> None:
    """Descend from all starts and write both files: `out` arrays, `optima` the table."""
    key = OptimaKey(**settings["key"])
    descents = descend_all(key, settings["starts"], settings["seed"], threads)
    table = optima_table(key, descents)
    named = {name: json.dumps(value, sort_keys=True) for name, value in (("key", vars(key)), ("settings", settings))}
    with atomic(out) as temporary:
        save_file(arrays(key, descents), temporary, named)
    with atomic(optima) as temporary:
        table.to_csv(temporary, index=False)
    print(table[["family", "start", "initial", "energy", "slope", "converged", "stuck"]].to_string(index=False))


def descend_all(key: OptimaKey, starts: int, seed: int, threads: int = 1) -> list[Descent]:
    """The correlator product state, and the network from every start, `threads` side by side."""
    names = [("cps", 0, "constant"), *(("cnn", number, INITIAL[number % len(INITIAL)]) for number in range(starts))]
    short, more = min(key.n_sites, SHORT_RING), key.n_sites > SHORT_RING
    progress = Progress("motif-optima", len(names) + more * (FOLLOWED + 1), 1)
    found: list[Optimum | None] = [None] * len(names)

    def family(name: str, n_sites: int) -> Family:
        return Cps.symmetric(n_sites, key.width) if name == "cps" else ShallowCnn(n_sites, key.width)

    def first(place: int) -> None:
        name, number, initial = names[place]
        rng = np.random.default_rng(seed_of("motif_optima", key.study, short, key.width, name, number, seed))
        start = start_of(key, initial, rng)
        found[place] = descend(family(name, short), start, rng)
        progress.update(place, 1)
        progress.done(place)

    def follow(number: int, place: int) -> None:
        parameters = found[place].parameters  # type: ignore[union-attr]
        found[place] = lowest_energy(family(names[place][0], key.n_sites), parameters, steps=LONG_STEPS)
        progress.update(len(names) + number, 1)
        progress.done(len(names) + number)

    in_threads([partial(first, place) for place in range(len(names))], threads, Event())
    if more:
        followed = [0, *lowest_distinct(found[1:], FOLLOWED)]
        found = [one if place in followed else None for place, one in enumerate(found)]
        in_threads([partial(follow, *numbered) for numbered in enumerate(followed)], threads, Event())
    return [Descent(*name, one) for name, one in zip(names, found, strict=True)]


def lowest_distinct(found: Sequence[Optimum | None], count: int) -> list[int]:
    """Places, from 1, of the lowest minima with energies of their own."""
    energies: dict[float, int] = {}
    for place, one in enumerate(found, 1):
        if one is not None:
            energies.setdefault(round(one.energy, DISTINCT), place)
    return [energies[energy] for energy in sorted(energies)[:count]]


def start_of(key: OptimaKey, initial: str, rng: np.random.Generator) -> np.ndarray:
    """Parameters to begin at: psi = 1 of the correlator product state (P,), or symmetric ones (v, w, b) (2K + 2,)."""
    if initial == "constant":
        return np.zeros(Cps.symmetric(key.n_sites, key.width).n_parameters)
    if initial == "glorot":
        return ShallowCnn(key.n_sites, key.width, "init").initial(rng)
    fields = WIDE_SPREAD * rng.normal(size=key.width)
    return np.concatenate([[WIDE_SCALE], np.column_stack([-fields, fields]).ravel(), [0.0]])


def descend(family: Family, start: np.ndarray, rng: np.random.Generator) -> Optimum | None:
    """The local minimum below a start; None where psi is too far from constant to begin with."""
    try:
        found = lowest_energy(family, start)
        for _ in range(RESTARTS):
            if found.slope <= LEFT_SLOPE:
                break
            found = min(found, shaken(family, found, rng), key=lambda optimum: optimum.energy)
    except OutOfRange:
        return None
    return found


def shaken(family: Family, found: Optimum, rng: np.random.Generator) -> Optimum:
    """Begun anew a little beside the end of a descent: a line search gets caught on a kink of the ReLU."""
    scale = SHAKE * (1 + np.abs(found.parameters))
    return lowest_energy(family, found.parameters + scale * rng.normal(size=len(scale)))


def optima_table(key: OptimaKey, descents: Sequence[Descent]) -> pd.DataFrame:
    """One row per descent; totals of H = sum P. stuck: psi is constant, where the network has no slope."""
    ground, triplet = ring_energies(key.n_sites)
    rows = []
    for one in descents:
        energy, slope = (one.found.energy, one.found.slope) if one.found else (np.nan, np.nan)
        rows.append(
            {"study": key.study, "n_sites": key.n_sites, "width": key.width, "family": one.family, "start": one.start,
             "initial": one.initial, "energy": energy, "slope": slope, "ground_energy": ground,
             "triplet_energy": triplet, "converged": slope <= LEFT_SLOPE, "stuck": stuck(key, one)}
        )  # fmt: skip
    return pd.DataFrame(rows)


def stuck(key: OptimaKey, one: Descent) -> bool:
    """True if a network ended at a constant psi, where it has no slope."""
    if one.family != "cnn" or one.found is None:
        return False
    return bool(ShallowCnn(key.n_sites, key.width).why_constant(one.found.parameters))


def arrays(key: OptimaKey, descents: Sequence[Descent]) -> dict[str, np.ndarray]:
    """Coefficients and motif expectation values of the lowest of each family, and all the networks' parameters.

    InputError if no network has left constant psi.
    """
    tensors = {}
    for family in ("cps", "cnn"):
        found = [
            one.found for one in descents if one.family == family and one.found is not None and not stuck(key, one)
        ]
        if found:
            best = min(found, key=lambda optimum: optimum.energy)
            tensors[f"{family}_coefficients"] = best.coefficients
            tensors[f"{family}_expectations"] = measure(key.n_sites, best.coefficients).motif_expectations
        elif family == "cnn":
            raise InputError(f"no descent of the network with K = {key.width} got anywhere; take more optima.starts")
    unknown = np.full(2 * key.width + 2, np.nan)
    networks = [one.found.parameters if one.found else unknown for one in descents if one.family == "cnn"]
    return tensors | {"cnn_parameters": np.array(networks)}


def stage(job: Job) -> None:
    """Exact variational optima of correlator product state and shallow network on one ring."""
    run(job.settings, job.out("arrays"), job.out("optima"), job.threads)
