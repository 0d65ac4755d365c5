"""Steps of recurrences side by side: sums, threads, and rows that begin with a line of the cache."""

import numpy as np
import pytest

from nqs.exact.kernel.lane_vectors import LINE, ROWS, inverse, products, scale, subtract, zeros


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_over_lanes_and_threads(dtype):
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((ROWS + 1000, 3)).astype(dtype) for _ in range(2))
    np.testing.assert_allclose(products(x, y), (x.astype(float) * y).sum(0), rtol=1e-9)
    np.testing.assert_array_equal(products(x, y), products(x, y, threads=2))
    alpha, other, same = products(x, y), y.copy(), y.copy()
    lengths = subtract(alpha, x, y)
    np.testing.assert_allclose(lengths, np.linalg.norm(other - alpha * x, axis=0), rtol=1e-5)
    np.testing.assert_array_equal(subtract(alpha, x, same, threads=2), lengths)
    np.testing.assert_array_equal(same, y)
    scale(np.array([0, 1, 2]), y)
    np.testing.assert_array_equal(y, same * np.array([0, 1, 2], dtype=dtype))


def test_vectors_begin_with_a_line_of_the_cache():
    for shape in [(5, 3), (1001, 16)]:
        vector = zeros(shape, np.float32)
        assert vector.shape == shape
        assert vector.ctypes.data % LINE == 0
        assert not vector.any()


def test_lanes_of_no_length_stay_empty():
    np.testing.assert_array_equal(inverse(np.array([0.0, 2.0])), [0, 0.5])
