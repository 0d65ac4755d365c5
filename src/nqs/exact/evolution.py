"""Exact time evolution of small systems: exp(-i H t) psi by scipy's Taylor sums with matrix products alone."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from scipy.sparse.linalg import expm_multiply


def evolved(h: Any, psi: np.ndarray, times: np.ndarray) -> np.ndarray:
    """psi(t) at times (T,), ascending, of a sparse Hermitian h (K, K) from psi (K,) at times[0]: (T, K) complex128."""
    out = [psi.astype(complex)]
    for begin, end in itertools.pairwise(times):
        out.append(expm_multiply(-1j * (end - begin) * h, out[-1]))
    return np.array(out)
