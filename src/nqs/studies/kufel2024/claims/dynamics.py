"""Claims of Figs. 6 and 7: time evolution, chains and direct sampling."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, exactly, mean, near, true
from nqs.studies.kufel2024.claims.method import part, shift_slope, slope
from nqs.studies.kufel2024.roc import curve

BEYOND = 30  # sites of an exact ground state that contradict a limit of about 20


def real_time_factor_i(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The factor, and the order of a full-rank step."""
    for value in part(tables, "fig6", "factor").difference:
        yield exactly(
            "relative difference from i times the imaginary-time step", value, 0.0, allowed=1e-12, part="factor"
        )
    steps = part(tables, "fig6", "step")
    yield near(
        "order of the infidelity of a step", slope(steps.length, steps.infidelity), 4.0, tolerance=0.2, part="order"
    )


def ends(tables: Tables) -> pd.DataFrame:
    """Trajectories at the last time."""
    paths = part(tables, "fig6", "trajectory")
    return paths[paths.time == paths.time.max()]


def dynamics_needs_phases(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The exact state against its modulus, and networks with and without phases."""
    paths, last = part(tables, "fig6", "trajectory"), ends(tables)
    least = float(paths.modulus_overlap.min())
    yield true("overlap of the exact state with its modulus below 0.9", least < 0.9, least, part="exact state")
    best = last[(last.sums == "exact") & (last.regularisation == "cut-off")]
    real, complex_ = best[best.family == "real network"], best[best.family == "complex rbm"]
    gain = mean(np.log(real.infidelity)) - mean(np.log(complex_.infidelity))
    yield above("ln infidelity without less with phases (a factor 10)", gain, np.log(10), part="networks")


def dynamics_harder(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The same machine sampled in time and as a ground state; early and late errors of <sx>."""
    last, ground = ends(tables), part(tables, "fig6", "ground")
    machines = last[(last.family == "complex rbm") & (last.sums == "exact") & (last.regularisation == "cut-off")]
    ratio = mean(np.log(machines.infidelity)) - mean(np.log(ground.infidelity.clip(lower=1e-15)))
    yield above("ln infidelity in time less as a ground state (a factor 10)", ratio, np.log(10), part="infidelity")
    paths = part(tables, "fig6", "trajectory")
    same = paths[(paths.family == "complex rbm") & (paths.sums == "sampled")]
    wrong = same.assign(error=(same.sx - same.exact_sx).abs())
    late, early = wrong[wrong.time >= 0.75 * wrong.time.max()], wrong[wrong.time <= 0.25 * wrong.time.max()]
    keys = ["regularisation", "samples", "seed"]
    difference = late.groupby(keys).error.mean() - early.groupby(keys).error.mean()
    yield above("|error of <sx>|, last less first quarter", mean(difference), 0.0, part="observable")


def regularization_diverts(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Infidelity against the shift."""
    yield shift_slope(tables)


def zero_amplitude_bias(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Deviation of the sampled element in standard errors, with and without the zero."""
    for _, row in part(tables, "fig6", "bias").iterrows():
        deviation = abs(row.sampled - row.exact)
        if row.amplitude == 0:
            far = deviation > 5 * row.sampled_error
            yield true("element of S at a zero: sampled differs from exact", bool(far), float(row.sampled), part="zero")
        else:
            estimate = Estimate(row.sampled, row.sampled_error, int(row.batches))
            yield near("element of S at a finite amplitude", estimate, row.exact, part="finite amplitude")


def metropolis_stationary(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Detailed balance and a chi-square test."""
    for _, row in part(tables, "fig7", "balance").iterrows():
        yield exactly("largest breach of detailed balance", row.breach, 0.0, allowed=1e-12, part="balance")
        yield true(
            f"p of a chi-square test, {row.samples:g} thinned samples", row.p_value > 0.01, row.p_value, part="samples"
        )


def chains_polynomial_or_exponential(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Power law against exponential by Akaike's criterion, gapped ring and two peaks."""
    rows = part(tables, "fig7", "relaxation")
    if rows.n_sites.nunique() < 4:
        return
    for model, sign, words in (("gapped", 1, "power law preferred"), ("cat", -1, "exponential preferred")):
        here = rows[rows.model == model]
        power = akaike(np.log(here.n_sites), np.log(here.time))
        exponential = akaike(here.n_sites, np.log(here.time))
        gain = sign * (exponential - power)
        yield Evidence(f"AIC, {words}", gain, 0.0, len(here), "> 10", p_holds=0.0 if gain > 10 else 1.0,
                       p_fails=0.0 if gain < -10 else 1.0, part=model)  # fmt: skip


def akaike(x: pd.Series, y: pd.Series) -> float:
    """n ln(residual / n) + 4 of a straight line."""
    coefficients = np.polyfit(x, y, 1)
    residual = float(np.square(y - np.polyval(coefficients, x)).sum())
    return len(x) * np.log(residual / len(x)) + 4


def diagnostics_detect_bad_sampling(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Areas below both curves, with the error of Hanley and McNeil (1982)."""
    rows = part(tables, "fig7", "diagnostic")
    wrong = (rows.deviation > 3).to_numpy()
    for name, column in (("split R-hat", "rhat"), ("autocorrelation time", "time")):
        *_, area = curve(rows[column].to_numpy(), wrong)
        n_wrong, n_right = int(wrong.sum()), int((~wrong).sum())
        first, second = area / (2 - area), 2 * area**2 / (1 + area)
        spread = area * (1 - area) + (n_wrong - 1) * (first - area**2) + (n_right - 1) * (second - area**2)
        error = float(np.sqrt(max(spread, 0) / (n_wrong * n_right))) if n_wrong and n_right else np.inf
        yield above(f"area below the curve of {name}", Estimate(area, error, len(rows)), 0.8, part=name)


def autoregressive_direct(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Norm, independence, distribution, and errors beside a chain's."""
    for _, row in part(tables, "fig7", "direct").iterrows():
        yield exactly("norm of the network", row.norm, 1.0, allowed=1e-10, part="norm")
        yield true("p of a chi-square test", row.p_value > 0.01, row.p_value, part="distribution")
        error = 2 * np.sqrt(2 * 10 / row.samples)  # of a window of about ten
        yield near("autocorrelation time", Estimate(row.time, error), 1.0, tolerance=0.01, part="independence")
    errors = part(tables, "fig7", "error")
    direct, chain = (errors[errors.method == name].sort_values("samples") for name in ("autoregressive", "metropolis"))
    if len(direct) >= 3:
        found = slope(direct.samples, direct.error)
        yield near("exponent of the error", found, -0.5, tolerance=0.1, resolution=0.5, part="exponent")
    logs = np.log(chain.error.to_numpy()) - np.log(direct.error.to_numpy())
    relative = np.hypot(chain.error_error / chain.error, direct.error_error.to_numpy() / direct.error.to_numpy())
    weight = 1 / relative**2
    pooled = Estimate(float(np.average(logs, weights=weight)), float(np.sqrt(1 / weight.sum())))
    yield above("ln error of Metropolis less autoregressive", pooled, 0.0, part="below Metropolis")


def generalization_not_an_issue(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Its data are those of another study, which judges the same test as westerhout2020.sr_tracks_generalization."""
    yield from ()


def exact_limit_20_qubits(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The largest exact ground state that was found."""
    states = part(tables, "fig8", "exact")
    found = states[states.residual < 1e-8]
    largest = int(found.n_sites.max()) if len(found) else 0
    quantity = "largest N with an exact ground state of residual below 1e-8"
    if largest < BEYOND:
        yield Evidence(quantity, largest, remark=f"larger than 20, but no proof below {BEYOND}" if largest > 20 else "")
    else:
        orbits = int(found[found.n_sites == largest].orbits.min())
        why = f"the ground state of {largest} spins was found, on {orbits} orbits of its symmetries"
        yield true(quantity, False, largest, impossible=why)
