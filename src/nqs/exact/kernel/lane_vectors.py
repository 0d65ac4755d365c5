"""Steps of Lanczos recurrences on vectors (rows, k) of k spaces side by side, one in each column, a lane."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numba as nb
import numpy as np

ROWS = 1 << 17  # of one piece
LINE = 64  # bytes of a line of the cache


def in_pieces(rows: int, threads: int, work: Callable[[int, int], np.ndarray | None]) -> list:
    """Results of work(first, last) for pieces of rows, in their order whatever the number of threads."""
    edges = [*range(0, rows, ROWS), rows]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, edges[:-1], edges[1:]))


def zeros(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """An array of zeros that begins with a line of the cache, so that rows of one line do not lie in two."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    store = np.zeros(size + LINE, dtype=np.uint8)
    offset = -store.ctypes.data % LINE
    return store[offset : offset + size].view(dtype).reshape(shape)


def stacked(columns: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Vectors (rows,) as the lanes of one (rows, k)."""
    result = zeros((len(columns[0]), len(columns)), columns[0].dtype.type)
    for lane, column in enumerate(columns):
        result[:, lane] = column
    return result


def products(x: np.ndarray, y: np.ndarray, threads: int = 1) -> np.ndarray:
    """Scalar products of the lanes of x and y (rows, k), float64 (k,)."""
    return sum(in_pieces(len(x), threads, lambda first, last: _product(x, y, first, last)))


def subtract(alpha: np.ndarray, x: np.ndarray, y: np.ndarray, threads: int = 1) -> np.ndarray:
    """y -= alpha x in place:  alpha (k,), x, y (rows, k); returns the lengths of the new y, float64 (k,)."""
    alpha = alpha.astype(y.dtype)
    return np.sqrt(sum(in_pieces(len(x), threads, lambda first, last: _subtract(alpha, x, y, first, last))))


def scale(factors: np.ndarray, y: np.ndarray, threads: int = 1) -> None:
    """y *= factors in place:  factors (k,), y (rows, k)."""
    factors = factors.astype(y.dtype)
    in_pieces(len(y), threads, lambda first, last: _scale(factors, y, first, last))


def inverse(lengths: np.ndarray) -> np.ndarray:
    """1 / lengths (k,), and 0 where a length is."""
    return np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)


@nb.njit(cache=True, nogil=True)
def _product(x, y, first, last):
    total = np.zeros(x.shape[1])
    for r in range(first, last):
        for lane in range(len(total)):
            total[lane] += np.float64(x[r, lane]) * np.float64(y[r, lane])
    return total


@nb.njit(cache=True, nogil=True)
def _subtract(alpha, x, y, first, last):
    total = np.zeros(len(alpha))
    for r in range(first, last):
        for lane in range(len(alpha)):
            y[r, lane] -= alpha[lane] * x[r, lane]
            total[lane] += np.float64(y[r, lane]) * np.float64(y[r, lane])
    return total


@nb.njit(cache=True, nogil=True)
def _scale(factors, y, first, last):
    for r in range(first, last):
        for lane in range(len(factors)):
            y[r, lane] *= factors[lane]
