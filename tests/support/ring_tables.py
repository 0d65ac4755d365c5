"""Invented tables of study mummaneni2026 for the tests of the figures: `TABLES[figure]()`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

MODES = ("paper", "sound")
SECTORS = ("zero", "all")
ALPHAS = (2, 3, 4, 5)
SIZES = (8, 10, 12, 14, 16, 18, 20)
SMALL = (4, 8)
EXACT = {4: -2.0, 8: -3.651093, 10: -4.515446, 12: -5.387391, 16: -7.142296, 20: -8.904387}
COUNTS = {"n_models": 10, "n_failed": 0, "n_not_converged": 0}

Row = dict[str, Any]


def correlations(n_sites: int, strength: float = 1.0) -> np.ndarray:
    """Something like C_zz(r), r = 0..N/2."""
    r = np.arange(n_sites // 2 + 1)
    return np.where(r == 0, 0.25, strength * 0.15 * (-1.0) ** r / np.maximum(r, 1) ** 0.8)


def fig1() -> pd.DataFrame:
    rows = []
    for n_sites in SMALL:
        angle = 2 * np.pi * np.arange(n_sites + 1) / n_sites
        x, y = np.sin(angle), np.cos(angle)
        for i in range(n_sites):
            rows.append(("site", x[i], y[i], x[i], y[i], f"ring{n_sites}"))
            rows.append(("j1", x[i], y[i], x[i + 1], y[i + 1], f"ring{n_sites}"))
    return pd.DataFrame(rows, columns=["kind", "x0", "y0", "x1", "y1", "cluster"])


def fig2() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    rows = []
    for n_sites, mode, repeat in product(SMALL, MODES, range(4)):
        for iteration in range(0, 1500, 15):
            decay = np.exp(-iteration / (200 + 40 * repeat))
            exact = EXACT[n_sites] / n_sites
            rows.append(COUNTS | {
                "n_sites": n_sites, "alpha": 2, "mode": mode, "series": "seed" if repeat else "median seed",
                "repeat": repeat, "iteration": iteration, "exact_energy_per_site": exact,
                "energy_per_site": exact * (1 - 0.5 * decay) + 0.004 * rng.normal() * (decay + 0.1),
                "variance": 0.2 * n_sites * (decay + 0.002) * np.exp(0.2 * rng.normal()),
            })  # fmt: skip
    return pd.DataFrame(rows)


def fig3() -> pd.DataFrame:
    rows = []
    for n_sites, mode, iteration in product(SMALL, MODES, (0, 10, 30, 100, 300, 500, 1000, 1500)):
        exact, now = correlations(n_sites), correlations(n_sites, 1 - np.exp(-iteration / 300))
        for r, (value, limit) in enumerate(zip(now, exact, strict=True)):
            rows.append(COUNTS | {
                "n_sites": n_sites, "alpha": 2, "mode": mode, "iteration": iteration, "r": r, "czz_mean": value,
                "czz_sem": 0.004 * (r > 0), "exact_czz": limit,
            })  # fmt: skip
    return pd.DataFrame(rows)


def fig4() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    rows = []
    random = {4: (0.889, 0.63, 0.997), 8: (0.71, 0.52, 0.90)}
    for n_sites, mode in product(SMALL, MODES):
        shared = COUNTS | {"n_sites": n_sites, "alpha": 2, "mode": mode}
        weights = rng.normal(size=(2 * n_sites, n_sites))  # (unit, site)
        pattern = (-1.0) ** np.arange(n_sites)
        for unit, row in enumerate(weights):
            score = np.corrcoef(row, pattern)[0, 1]
            for site, weight in enumerate(row):
                rows.append(shared | {
                    "series": "representative", "repeat": 3, "unit": unit, "site": site, "weight": weight,
                    "s_afm": score,
                })  # fmt: skip
        mean, low, high = random[n_sites]
        for repeat in range(10):
            rows.append(shared | {
                "series": "distribution", "repeat": repeat, "s_afm": rng.uniform(0.6, 1.0), "random_mean": mean,
                "random_low": low, "random_high": high,
            })  # fmt: skip
    return pd.DataFrame(rows)


def fig5() -> pd.DataFrame:
    rows = []
    for n_sites, mode, sector in product(SMALL, MODES, SECTORS):
        for rank, series in product(range(1, 2 * n_sites + 1), ("representative", "mean_by_rank")):
            value = (0.7 if mode == "paper" else 0.5) * np.exp(-0.4 * (rank - 1)) * (1.1 if sector == "all" else 1)
            mean = series == "mean_by_rank"
            rows.append(COUNTS | {
                "n_sites": n_sites, "alpha": 2, "mode": mode, "sector": sector, "series": series, "rank": rank,
                "repeat": np.nan if mean else 3, "unit": np.nan if mean else rank - 1,
                "delta_energy_fraction": value * (1.1 if mean else 1),
                "delta_energy_fraction_sem": 0.05 * value if mean else np.nan,
            })  # fmt: skip
    return pd.DataFrame(rows)


def fig6() -> pd.DataFrame:
    rows = []
    for n_sites, mode, sector in product(SMALL, MODES, SECTORS):
        n_hidden = 2 * n_sites
        curves = [("full", np.nan, 0.98), ("exact", np.nan, 1.0)]
        ranks = (1, 2, 3, n_hidden - 1, n_hidden)
        curves += [
            ("removed", rank, strength) for rank, strength in zip(ranks, (-0.5, 0.3, 0.6, 0.95, 0.97), strict=True)
        ]
        for series, rank, strength in curves:
            for r, value in enumerate(correlations(n_sites, strength)):
                rows.append(COUNTS | {
                    "n_sites": n_sites, "alpha": 2, "mode": mode, "sector": sector, "repeat": 3, "series": series,
                    "unit": rank, "rank": rank, "n_hidden": n_hidden, "r": r, "czz": value,
                })  # fmt: skip
    return pd.DataFrame(rows)


def fig7() -> pd.DataFrame:
    rows = []
    for n_sites, mode, sector in product(SMALL, MODES, SECTORS):
        exact = EXACT[n_sites]
        for rank, r in product(range(1, 2 * n_sites + 1), range(n_sites // 2 + 1)):
            alone = 0.1 + 0.2 / rank + 0.05 * (sector == "all")
            rows.append(COUNTS | {
                "n_sites": n_sites, "alpha": 2, "mode": mode, "sector": sector, "unit": rank, "rank": rank, "r": r,
                "energy_alone": exact * (0.5 + alone), "energy_none": exact * 0.52, "energy_full": exact * 0.99,
                "exact_energy": exact, "czz_alone": correlations(n_sites, alone)[r],
                "czz_full": correlations(n_sites, 0.98)[r], "exact_czz": correlations(n_sites)[r],
            })  # fmt: skip
    return pd.DataFrame(rows)


def fig8() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    rows = []
    for n_sites, mode, sector in product(SMALL, MODES, SECTORS):
        for rank in range(1, 2 * n_sites + 1):
            impact = 0.6 * np.exp(-0.4 * rank)
            rows.append(COUNTS | {
                "n_sites": n_sites, "alpha": 2, "mode": mode, "sector": sector, "repeat": 3, "unit": rank, "rank": rank,
                "energy_impact": impact, "correlation_impact": 2 * impact * np.exp(0.5 * rng.normal()),
                "rho": 0.81, "rho_mean": 0.75, "rho_sd": 0.12,
            })  # fmt: skip
    return pd.DataFrame(rows)


def fig9() -> pd.DataFrame:
    rows = []
    strengths = {"exact": 1.0, "full": 0.98, "important": 0.8, "unimportant": 0.05}
    for n_sites, mode, sector in product((8, 12, 16, 20), MODES, SECTORS):
        error = {8: 25.0, 12: 40.0, 16: 5.0, 20: 110.0}[n_sites] * (0.6 if mode == "sound" else 1)
        for (series, strength), r in product(strengths.items(), range(n_sites // 2 + 1)):
            rows.append(COUNTS | {
                "n_sites": n_sites, "alpha": 3, "mode": mode, "sector": sector, "repeat": 1, "series": series, "r": r,
                "energy": EXACT[n_sites] * (strength - (series == "important") * error / 100), "n_hidden": 3 * n_sites,
                "n_important": n_sites, "czz": correlations(n_sites, strength)[r],
                "recovery_error_percent": error, "recovery_low": 0.6 * error, "recovery_high": 1.5 * error,
            })  # fmt: skip
    return pd.DataFrame(rows)


def variant_cells() -> Iterator[Row]:
    """Counts, mode, sector and density of the study; some models are lost."""
    for mode, sector, alpha in product(MODES, SECTORS, ALPHAS):
        lost = {"n_failed": int(alpha == 5 and mode == "paper"), "n_not_converged": 2 * int(mode == "sound")}
        yield COUNTS | lost | {"mode": mode, "sector": sector, "alpha": alpha}


def fig10() -> pd.DataFrame:
    rows = []
    for cell, with_r0 in product(list(variant_cells()), (False, True)):
        alpha = cell["alpha"]
        k = 0.3 + 0.05 * alpha + 0.2 * (cell["mode"] == "sound") - 0.3 * (cell["sector"] == "all") + 0.3 * with_r0
        for n_sites in SIZES:
            important = 0.7 * 8 * alpha * (n_sites / 8) ** k
            fraction = important / (alpha * n_sites)
            rows.append(cell | {
                "series": "fraction", "with_r0": with_r0, "n_sites": n_sites, "fraction_mean": fraction,
                "fraction_sem": 0.03, "n_important_mean": important, "n_important_sem": 0.03 * alpha * n_sites,
                "rho_mean": 0.8 - 0.04 * n_sites, "rho_sd": 0.15,
            })  # fmt: skip
        rows.append(cell | {
            "series": "fit", "with_r0": with_r0, "k": k, "k_se": 0.1, "prefactor": 0.7 * 8 * alpha / 8**k,
            "r_squared": 0.6, "n_points": len(SIZES), "n_models": np.nan,
        })  # fmt: skip
    return pd.DataFrame(rows)


def fig11() -> pd.DataFrame:
    rows = []
    for cell, tau in product(list(variant_cells()), np.arange(1, 13) * 0.05):
        fraction = 1 / (1 + (tau / (0.2 + 0.02 * cell["alpha"])) ** 3)
        k_se = 0.02 + tau**2 if tau < 0.55 else np.inf
        rows.append(cell | {
            "tau": tau, "fraction_mean": fraction, "k": 1.05 - 1.8 * tau, "k_se": k_se, "r_squared": 0.6,
        })  # fmt: skip
    return pd.DataFrame(rows)


def fig12() -> pd.DataFrame:
    rows = []
    for mode, alpha in product(MODES, (1, 2, 3, 4)):
        cell: Row = COUNTS | {"mode": mode, "alpha": alpha, "n_sites": 10, "exact_energy": EXACT[10]}
        for iteration in range(0, 1501, 15):
            energy = EXACT[10] * (1 - 0.06 / alpha - 0.45 * np.exp(-iteration * alpha / 400))
            rows.append(cell | {
                "series": "convergence", "iteration": iteration, "energy_mean": energy, "energy_sem": 0.02,
            })  # fmt: skip
        for sector, factor in {"zero": 1.0, "all": 2.0, "sampled": 0.5}.items():
            rows.append(cell | {
                "series": "final", "sector": sector, "iteration": 1500, "error_mean": factor * 0.05 / alpha**2,
                "error_sem": factor * 0.01 / alpha**2, "variance_mean": factor * 0.3 / alpha, "variance_sem": 0.02,
            })  # fmt: skip
    for cell in variant_cells():
        alpha = cell["alpha"]
        rows.append(cell | {
            "series": "n12", "n_sites": 12, "exact_energy": EXACT[12], "fraction_mean": 0.4 + 0.04 * alpha,
            "fraction_sem": 0.03, "rho_mean": 0.5 - 0.05 * alpha, "rho_sd": 0.2,
        })  # fmt: skip
    return pd.DataFrame(rows)


def fig_x1() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = []
    for mode, n_sites, alpha, repeat in product(MODES, SIZES, ALPHAS, range(3)):
        sampled = 10 ** rng.uniform(-5, -3)
        outside = rng.uniform() * n_sites**2 / 400 if mode == "paper" else sampled
        rows.append({
            "cluster": f"ring{n_sites}", "n_sites": n_sites, "alpha": alpha, "mode": mode, "repeat": repeat,
            "status": "converged", "tolerance": 1e-3, "sampled_error": sampled, "exact_error_all": sampled + outside,
            "exact_error_zero": 3 * sampled + 1e-3, "weight_outside": outside,
        })  # fmt: skip
    rows[5] |= {"status": "cap", "sampled_error": 3e-3}
    nothing = dict.fromkeys(("sampled_error", "exact_error_all", "exact_error_zero", "weight_outside"), np.nan)
    rows[7] |= {"status": "diverged", **nothing}
    return pd.DataFrame(rows)


def fig_x2() -> pd.DataFrame:
    rows = []
    cells = [(4, 2), (8, 2), *((10, alpha) for alpha in (1, 2, 3, 4)), (12, 2)]
    for (n_sites, alpha), mode, iteration in product(cells, MODES, (0, 10, 30, 100, 300, 500, 1000, 1500)):
        for m in range(n_sites // 2 + 1):
            exact = np.exp(-m * (0.8 + iteration / 150)) + 1e-4 * m * (mode == "paper")
            rows.append(COUNTS | {
                "n_sites": n_sites, "alpha": alpha, "mode": mode, "iteration": iteration, "m": m,
                "exact_weight_mean": exact, "sampled_weight_mean": exact if mode == "sound" else exact * np.exp(-m),
            })  # fmt: skip
    return pd.DataFrame(rows)


def fig_x3() -> pd.DataFrame:
    rows = []
    for mode, sector, alpha in product(MODES, (*SECTORS, "fresh", "continued"), ALPHAS):
        cell: Row = COUNTS | {"mode": mode, "sector": sector, "alpha": alpha}
        k = 0.8 if sector == "fresh" else -0.5
        for n_sites in SIZES:
            number = {"series": "number", "tau": 0.3, "n_important_mean": 8 * (n_sites / 8) ** k}
            rows.append(cell | number | {"n_sites": n_sites, "n_important_sem": 0.5})
            error = {"series": "recovery", "recovery_mean": 3.0 * n_sites, "recovery_sem": 2.0}
            rows.append(cell | error | {"n_sites": n_sites})
        for tau in np.arange(1, 13) * 0.05:
            rows.append(cell | {"series": "exponent", "tau": tau, "k": k + 0.3 - tau, "k_se": 0.02 + tau**2})
    return pd.DataFrame(rows)


TABLES: dict[str, Callable[[], pd.DataFrame]] = {
    "fig1": fig1, "fig2": fig2, "fig3": fig3, "fig4": fig4, "fig5": fig5, "fig6": fig6, "fig7": fig7, "fig8": fig8,
    "fig9": fig9, "fig10": fig10, "fig11": fig11, "fig12": fig12, "figX1": fig_x1, "figX2": fig_x2,
    "figX3": fig_x3,
}  # fmt: skip
