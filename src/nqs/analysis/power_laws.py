"""Power laws fitted to means over seeds."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeWarning, curve_fit


@dataclass(frozen=True)
class PowerLaw:
    """value = prefactor N^k; k_se is NaN and `reason` says why where the points do not determine it."""

    k: float
    k_se: float
    prefactor: float
    r_squared: float
    n_points: int
    reason: str = ""


def power_law(sizes: np.ndarray, values: np.ndarray) -> PowerLaw:
    """Unweighted non-linear least squares; k_se from the covariance, R^2 of the values themselves."""
    refused = _refuse(sizes, values)
    if refused:
        return refused
    scale = float(np.exp(np.log(sizes).mean()))  # decorrelates the two parameters

    def law(size: np.ndarray, height: float, k: float) -> np.ndarray:
        return height * (size / scale) ** k

    try:
        with np.errstate(over="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)  # two points have no covariance
            (height, k), covariance = curve_fit(law, sizes, values, p0=(values.mean(), 0.5), maxfev=10_000)
    except RuntimeError:
        return _undetermined(len(sizes), "the fit did not converge")
    determined = len(sizes) > 2
    return PowerLaw(
        float(k),
        float(np.sqrt(covariance[1, 1])) if determined else np.nan,
        float(height * scale**-k),
        _r_squared(values, law(sizes, height, k)) if determined else np.nan,
        len(sizes),
        "" if determined else "two sizes: no error",
    )


def log_log_law(sizes: np.ndarray, values: np.ndarray) -> PowerLaw:
    """Straight line through ln value against ln N; R^2 is that of the logarithms."""
    refused = _refuse(sizes, values)
    if refused:
        return refused
    if (values <= 0).any():
        return _undetermined(len(sizes), "a mean is zero: no logarithm")
    x, y = np.log(sizes), np.log(values)
    centred = x - x.mean()
    k = float(centred @ y / (centred @ centred))
    fitted = y.mean() + k * centred
    determined = len(sizes) > 2
    k_se = np.sqrt(((y - fitted) ** 2).sum() / (len(x) - 2) / (centred @ centred)) if determined else np.nan
    return PowerLaw(
        k,
        float(k_se),
        float(np.exp(y.mean() - k * x.mean())),
        _r_squared(y, fitted) if determined else np.nan,
        len(sizes),
        "" if determined else "two sizes: no error",
    )


def _refuse(sizes: np.ndarray, values: np.ndarray) -> PowerLaw | None:
    if len(np.unique(sizes)) < 2:
        return _undetermined(len(sizes), "fewer than two sizes")
    if not (values != 0).any():
        return _undetermined(len(sizes), "all means are zero")
    return None


def _undetermined(n_points: int, reason: str) -> PowerLaw:
    return PowerLaw(np.nan, np.nan, np.nan, np.nan, n_points, reason)


def _r_squared(values: np.ndarray, fitted: np.ndarray) -> float:
    spread = ((values - values.mean()) ** 2).sum()
    return float(1 - ((values - fitted) ** 2).sum() / spread) if spread > 0 else np.nan
