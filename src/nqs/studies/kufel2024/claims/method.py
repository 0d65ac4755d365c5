"""Claims of Figs. 1, 2 and 8: energy, sampling, descent, and one hidden layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, below, exactly, mean, near, true

ROUNDING = 1e-10


def part(tables: Tables, figure: str, series: str) -> pd.DataFrame:
    """Rows of one series."""
    table = tables[figure]
    return table[table.series == series]


def slope(x: pd.Series, y: pd.Series, log: bool = True) -> Estimate:
    """Slope of a straight line, of logarithms by default, with its standard error."""
    first, second = (np.log(x), np.log(y)) if log else (x, y)
    if len(first) < 3:
        return Estimate(np.nan, np.inf, len(first))
    fit = stats.linregress(first, second)
    return Estimate(float(fit.slope), float(fit.stderr), len(first) - 1)


def variational_bound(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """No iterate is below the ground state."""
    run = part(tables, "fig1", "run")
    lowest = float((run.energy - run.exact_energy).min())
    yield true("exact energies above E0, smallest difference", lowest >= -ROUNDING, lowest)


def local_energy_identity(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Average of E_loc and Rayleigh quotient."""
    identity = part(tables, "fig1", "identity")
    for _, row in identity[identity.quantity == "average of E_loc"].iterrows():
        yield exactly("relative difference", abs(row.sampled / row.energy - 1), 0.0, allowed=1e-12)


def local_energy_sparse(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Connected states: N + 1 of the Ising ring, at most bonds + 1 of the Heisenberg ring."""
    identity = part(tables, "fig1", "identity")
    for _, row in identity[identity.quantity == "ising"].iterrows():
        yield exactly(f"connected states, Ising, N = {row.samples:g}", row.connected, row.samples + 1).named("Ising")
    for _, row in identity[identity.quantity == "heisenberg"].iterrows():
        words = f"connected states, Heisenberg, N = {row.samples:g}"
        yield true(words, bool(row.connected <= row.samples + 1), float(row.connected)).named("Heisenberg")


def sampled_energy(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The mean over sample sets is the energy, and its error falls as the inverse root."""
    sets = part(tables, "fig1", "sets")
    for _, row in sets.iterrows():
        estimate = Estimate(row.sampled, row.sampled_error, int(row.sets))
        yield near(f"energy from {row.samples:g} samples", estimate, row.energy).named("unbiased")
    fitted = slope(sets.samples, sets.spread)
    known = Estimate(fitted.value, max(fitted.error, 1 / np.sqrt(2 * sets.sets.iloc[0] * len(sets)) / 2))
    yield near("exponent of the error", known, -0.5, tolerance=0.05, resolution=0.2).named("exponent")


def one_layer_universal(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The best restart of the widest network."""
    fits = part(tables, "fig2", "fit")
    for (target, family), rows in fits.groupby(["target", "family"]):
        best = rows.groupby("density").infidelity.min()
        words = f"least infidelity at {best.index[-1]:g} units per site"
        remark = f"narrowest {best.iloc[0]:.1e}; a stalled fit does not refute the theorem"
        reached = best.min() < 1e-6
        if reached:
            yield true(f"{words} or fewer", True, float(best.min()), part=f"{target}, {family}", remark=remark)
        else:
            yield Evidence(words, float(best.iloc[-1]), part=f"{target}, {family}", remark=remark)


def rbm_as_feedforward(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Both forms of ln psi."""
    for value in part(tables, "fig2", "identity").difference:
        yield exactly("relative difference of psi", value, 0.0, allowed=1e-11)


def sgd_falls_short(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Final infidelities at equal iterations, each rule at its best rate, by seed."""
    run = part(tables, "fig8", "run")
    for model, rows in run.groupby("model"):
        last = rows[rows.iteration == rows.iteration.max()].pivot(index="seed", columns="rule", values="infidelity")
        ratio = np.log(last["SGD"].clip(lower=1e-15)) - np.log(last["SR"].clip(lower=1e-15))
        yield above("ln infidelity of SGD less that of SR", mean(ratio), 0.0, part=str(model))


def qng_imaginary_time(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Error of one full-rank step against the exact evolution: infidelity of fourth order in its length."""
    steps = part(tables, "fig6", "step")
    yield near("order of the infidelity of a step", slope(steps.length, steps.infidelity), 4.0, tolerance=0.2)


def sr_cost(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Exponents over the largest decade of sizes."""
    rows = part(tables, "fig8", "time")
    for rule, varied, column, low, high in (
        ("SR", "P", "n_parameters", 2, 3), ("SR", "n", "n_samples", 1, 1),
        ("minSR", "n", "n_samples", 2, 3), ("minSR", "P", "n_parameters", 1, 1),
    ):  # fmt: skip
        some = rows[(rows.rule == rule) & (rows.varied == varied)]
        largest = some[some[column] >= some[column].max() / 10]
        middle, width = (low + high) / 2, (high - low) / 2 + 0.3
        words = f"exponent of the time of {rule} in {varied}"
        found = slope(largest[column], largest.seconds)
        yield near(words, found, middle, tolerance=width, resolution=1.0, part=f"{rule}, {varied}")


def minsr_same_step(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Both spaces, P < n and P > n."""
    for _, row in part(tables, "fig8", "equal").iterrows():
        words = f"P = {row.n_parameters:g}, n = {row.n_samples:g}"
        yield exactly("relative difference of the steps", row.difference, 0.0, allowed=1e-8, part=words)


def s_ill_conditioned(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Largest condition number along the run, and its fall with the shift."""
    rows = part(tables, "fig8", "condition")
    largest = float(rows[rows["shift"] == 0].condition.max())
    yield true("largest condition number of S above 1e8", largest > 1e8, largest, part="S")
    falls = rows.pivot(index="iteration", columns="shift", values="condition").diff(axis=1).iloc[:, 1:]
    yield true("falls with the shift at every iterate", bool((falls <= 0).all().all()), part="S + shift")


def infinite_shift_is_gradient(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Direction and descent at the largest shift; infidelity of a quench by shift."""
    large = part(tables, "fig8", "large").sort_values("shift")
    yield true("cosine to the gradient above 1 - 1e-6", bool(large.cosine.iloc[-1] > 1 - 1e-6), large.cosine.iloc[-1],
               part="direction")  # fmt: skip
    change = float(large.energy_change.iloc[-1])
    yield true("energy falls along the step", change < 0, change, part="descent")
    yield shift_slope(tables, part="dynamics")


def shift_slope(tables: Tables, **more: str) -> Evidence:
    """Slope of ln infidelity at the last time in ln shift, over the upper half of the shifts, by seed."""
    paths = part(tables, "fig6", "trajectory")
    last = paths[(paths.time == paths.time.max()) & (paths.sums == "exact") & (paths.regularisation == "shift")]
    upper = last[last.strength >= last.strength.median()]
    slopes = [slope(seed.strength, seed.infidelity).value if len(seed) > 2 else two_points(seed)
              for _, seed in upper.groupby("seed")]  # fmt: skip
    return above("growth of ln infidelity with ln shift", mean(slopes), 0.0, **more)


def two_points(rows: pd.DataFrame) -> float:
    """Slope between the first and the last."""
    rows = rows.sort_values("strength")
    return float(
        np.log(rows.infidelity.iloc[-1] / rows.infidelity.iloc[0])
        / np.log(rows.strength.iloc[-1] / rows.strength.iloc[0])
    )


def runtime_efficiency(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Time and memory of an iteration against the number of sites."""
    rows = part(tables, "fig8", "iteration")
    if len(rows) >= 3:
        yield below("exponent of the time in N", slope(rows.n_sites, rows.seconds), 4.0, part="time")
        exponent = slope(rows.n_sites, rows.megabytes)
        yield below("exponent of the memory in N", exponent, 4.0, part="memory")
