"""Convolutional arithmetic circuits: amplitudes one by one, and ranks of blocks."""

import numpy as np
import pytest

from nqs.ansatz.arithmetic_circuit import ArithmeticCircuit
from nqs.exact.modular_rank import PRIME, rank
from nqs.runtime.errors import InputError


def one_amplitude(bits, weights, top, stride):
    """The same in whole numbers of Python, for the state with `bits` on the sites (0, 0), (0, 1), (1, 0), (1, 1)."""
    values = {(x, y): [bits[2 * x + y], 1 - bits[2 * x + y]] for x in (0, 1) for y in (0, 1)}
    side = 2
    for layer in weights:
        places = [(x, y) for x in range(0, side, stride) for y in range(0, side, stride)]
        new = {}
        for x, y in places:
            found = [1] * layer[0, 0].shape[1]
            for (i, j), matrix in layer.items():
                below = values[(x + i) % side, (y + j) % side]
                found = [f * sum(b * int(w) for b, w in zip(below, column, strict=True))
                         for f, column in zip(found, matrix.T, strict=True)]  # fmt: skip
            new[x // stride, y // stride] = found
        values, side = new, side // stride
    products = [1] * len(top)
    for found in values.values():
        products = [p * f for p, f in zip(products, found, strict=True)]
    return sum(p * int(t) for p, t in zip(products, top, strict=True)) % PRIME


@pytest.mark.parametrize(("layers", "stride"), [(1, 1), (2, 1), (1, 2)])
def test_amplitudes_are_those_of_the_definition(layers, stride):
    circuit = ArithmeticCircuit(side=2, layers=layers, kernel=2, channels=3, stride=stride)
    psi = circuit.amplitudes(np.random.default_rng(5))
    rng, below, weights = np.random.default_rng(5), 2, []
    for _ in range(layers):
        weights.append({(i, j): rng.integers(1, PRIME, (below, 3)) for i in (0, 1) for j in (0, 1)})
        below = 3
    top = rng.integers(1, PRIME, (3, 1))[:, 0]
    for state in range(16):
        assert psi[state] == one_amplitude([state >> site & 1 for site in range(4)], weights, top, stride)
    assert circuit.n_parameters == sum(w.size for layer in weights for w in layer.values()) + len(top)


def test_overlaps_reach_the_volume_and_trees_do_not():
    def block_rank(layers, stride):
        psi = ArithmeticCircuit(4, layers, 2, 2, stride).amplitudes(np.random.default_rng(0))
        return rank(psi.reshape(-1, 16))

    assert block_rank(2, 1) == 16  # a 2 x 2 block
    assert block_rank(2, 2) <= 2  # the tree has one bond of two channels above the block
    assert block_rank(1, 1) <= 2  # the first layer entangles nothing: a sum of two product states


def test_side_must_be_listed():
    with pytest.raises(InputError, match="side: 3"):
        ArithmeticCircuit(3, 1, 2, 2, 1)
