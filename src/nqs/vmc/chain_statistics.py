"""How far the mean over Markov chains can be trusted: split R-hat, autocorrelation, error of the mean."""

from __future__ import annotations

import numpy as np

FEWEST = 4  # draws of a chain, below which nothing can be said about correlations along it


def split_rhat(values: np.ndarray) -> float:
    """Split R-hat of values (sweep, chain): 1 where the halves of all chains agree [Gelman et al. 2013, sec. 11.4].

    NaN for fewer than four sweeps; infinite where chains are frozen at different values.
    """
    length = len(values) // 2
    if len(values) < FEWEST:
        return float("nan")
    halves = np.concatenate([values[:length], values[-length:]], axis=1)
    within = halves.var(axis=0, ddof=1).mean()
    between = length * halves.mean(axis=0).var(ddof=1)
    if within == 0:
        return 1.0 if between == 0 else float("inf")
    return float(np.sqrt((length - 1) / length + between / within / length))


def autocorrelation_time(values: np.ndarray) -> float:
    """Integrated autocorrelation time of values (sweep, chain), in sweeps; 1 for independent values, NaN for fewer than
    four sweeps, which do not tell.

    1 + 2 sum_t rho(t), rho averaged over the chains about the common mean, summed up to the first window that is five
    times as long as the time it gives [Sokal 1997].
    """
    length = len(values)
    if length < FEWEST:
        return float("nan")
    centred = values - values.mean()
    spectrum = np.abs(np.fft.rfft(centred, n=2 * length, axis=0)) ** 2
    covariance = np.fft.irfft(spectrum.mean(axis=1))[:length] / length
    if covariance[0] <= 0:
        return 1.0
    times = 2 * np.cumsum(covariance / covariance[0]) - 1
    window = np.flatnonzero(np.arange(length) >= 5 * times)
    return float(max(times[window[0] if len(window) else length - 1], 1.0))


def error_between_chains(values: np.ndarray) -> float:
    """Standard error of the mean of values (sweep, chain) from the spread of the chains' means; NaN for one chain.

    It holds whatever the correlations along the chains.
    """
    chains = values.shape[1]
    return float(values.mean(axis=0).std(ddof=1) / np.sqrt(chains)) if chains > 1 else float("nan")


def error_of_mean(variance: float, n: int, time: float) -> float:
    """Standard error of a mean of n values with the given autocorrelation time."""
    return float(np.sqrt(max(variance, 0.0) * time / n))
