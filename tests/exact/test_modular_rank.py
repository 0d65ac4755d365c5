"""Ranks modulo a prime."""

import numpy as np
import pytest

from nqs.exact.modular_rank import PRIME, rank


@pytest.mark.parametrize(("rows", "columns", "inner"), [(6, 9, 4), (9, 6, 6), (5, 5, 1), (20, 7, 3)])
def test_rank_of_a_product_is_its_inner_size(rows, columns, inner):
    rng = np.random.default_rng(rows)
    matrix = rng.integers(-50, 50, (rows, inner)) @ rng.integers(-50, 50, (inner, columns))
    before = matrix.copy()
    assert rank(matrix) == np.linalg.matrix_rank(matrix.astype(float)) == inner
    assert (matrix == before).all()


def test_multiples_of_the_prime_vanish():
    assert rank(np.diag([1, PRIME, 2 * PRIME, 5])) == 2
    assert rank(np.zeros((3, 4), np.int64)) == 0
