"""The exponents of the systematic study beside the published ones: power laws of important units against sites."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from scipy.stats import chi2

from nqs.analysis.claims import Data, Fact, Measured, at, close, comparable, variants


def exponent(alpha: int) -> Callable[[Fact, Data], Iterator[Measured]]:
    """Exponent of m' = a N^k at one density, every variant."""

    def check(fact: Fact, data: Data) -> Iterator[Measured]:
        laws = at(data.power_laws, tau=data.tau, alpha=alpha)
        for cell, part in variants(laws, "mode", "sector", "with_r0", "fit"):
            law = part.iloc[0]
            agrees = close(law.k, law.k_se, fact["value"], fact["uncertainty"]) if comparable(law) else None
            first = "r = 0 included" if law.with_r0 else "r = 1..N/2"
            yield Measured(
                f"exponent k, alpha = {alpha}", fact["value"], fact["uncertainty"], law.k, law.k_se,
                _models_behind(data, law), agrees, cell["mode"], cell["sector"],
                f"{law.fit} fit, {first}, N = {law.smallest} to {law.largest}",
            )  # fmt: skip

    return check


def _models_behind(data: Data, law: pd.Series) -> int:
    keys = ["alpha", "mode", "sector", "tau", "with_r0"]
    return int(at(data.fractions, **{key: law[key] for key in keys}).n_models.sum())


def _headline_laws(data: Data) -> pd.DataFrame:
    """Non-linear fits without r = 0 at the published densities."""
    laws = data.power_laws
    return laws[(laws.fit == "nonlinear") & ~laws.with_r0 & laws.alpha.isin([2, 3, 4, 5])]


def fit_quality(fact: Fact, data: Data) -> Iterator[Measured]:
    """R^2 of the fits, within 0.15 of the published value or range."""
    low, high = fact["value"]["alpha2_alpha3_range"]
    ranges = {2: (low, high), 3: (low, high)} | {a: (fact["value"][f"alpha{a}"],) * 2 for a in (4, 5)}
    for cell, part in variants(at(_headline_laws(data), tau=data.tau), "alpha", "mode", "sector"):
        law, (low, high) = part.iloc[0], ranges[cell["alpha"]]
        agrees = bool(low - 0.15 <= law.r_squared <= high + 0.15) if comparable(law) else None
        yield Measured(
            f"R^2 of the fit, alpha = {cell['alpha']}", low if low == high else f"{low} to {high}", fact["uncertainty"],
            law.r_squared, np.nan, _models_behind(data, law), agrees, cell["mode"], cell["sector"],
        )  # fmt: skip


def below_one(fact: Fact, data: Data) -> Iterator[Measured]:
    """k + 2 SE < 1 at every density."""
    for cell, part in variants(at(_headline_laws(data), tau=data.tau), "alpha", "mode", "sector"):
        law = part.iloc[0]
        agrees = bool(law.k + 2 * law.k_se < fact["value"]) if comparable(law) else None
        yield Measured(
            f"k + 2 SE, alpha = {cell['alpha']}", f"< {fact['value']}", np.nan, law.k + 2 * law.k_se, np.nan,
            _models_behind(data, law), agrees, cell["mode"], cell["sector"],
        )  # fmt: skip


def common_exponent(fact: Fact, data: Data) -> Iterator[Measured]:
    """Weighted mean of k over densities within 0.1 of the published one, and chi-square p > 0.05."""
    for cell, laws in variants(at(_headline_laws(data), tau=data.tau), "mode", "sector"):
        fitted = laws[laws.apply(comparable, axis=1)]
        if len(fitted) < 2:
            continue
        weight = fitted.k_se**-2.0
        mean = float((weight * fitted.k).sum() / weight.sum())
        p = float(chi2.sf((weight * (fitted.k - mean) ** 2).sum(), len(fitted) - 1))
        agrees = bool(abs(mean - fact["value"]) <= 0.1 and p > 0.05) if len(fitted) == 4 else None
        number = sum(_models_behind(data, law) for _, law in fitted.iterrows())
        yield Measured(
            "common exponent k", fact["value"], np.nan, mean, float(weight.sum() ** -0.5), number, agrees,
            cell["mode"], cell["sector"], f"weighted mean of {len(fitted)} densities, chi-square p = {p:.2g}",
        )  # fmt: skip


def onset_of_sublinearity(fact: Fact, data: Data) -> Iterator[Measured]:
    """Smallest threshold with k + 2 SE < 1, within the published uncertainty."""
    for cell, laws in variants(_headline_laws(data), "alpha", "mode", "sector"):
        fitted = laws[laws.apply(comparable, axis=1)]
        sublinear = fitted[fitted.k + 2 * fitted.k_se < 1].tau
        onset = sublinear.min() if len(sublinear) else np.nan
        agrees = bool(abs(onset - fact["value"]) <= fact["uncertainty"] + 1e-9) if len(fitted) else None
        yield Measured(
            f"smallest tau with k + 2 SE < 1, alpha = {cell['alpha']}", fact["value"], fact["uncertainty"], onset,
            np.nan, _models_behind(data, laws.iloc[0]), agrees, cell["mode"], cell["sector"],
            "" if len(sublinear) else "at no threshold",
        )  # fmt: skip


def sublinear_range(fact: Fact, data: Data) -> Iterator[Measured]:
    """k + 2 SE < 1 at every threshold of the published range."""
    low, high = fact["value"]
    laws = _headline_laws(data)
    inside = laws[(laws.tau >= low - 1e-9) & (laws.tau <= high + 1e-9)]
    for cell, part in variants(inside, "alpha", "mode", "sector"):
        bound = (part.k + 2 * part.k_se).max(skipna=False)
        agrees = bool(bound < 1) if part.apply(comparable, axis=1).all() else None
        yield Measured(
            f"largest k + 2 SE for tau = {low} to {high}, alpha = {cell['alpha']}", "< 1", np.nan, bound, np.nan,
            _models_behind(data, part.iloc[0]), agrees, cell["mode"], cell["sector"], f"{len(part)} thresholds",
        )  # fmt: skip
