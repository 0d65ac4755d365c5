"""Compiled arithmetic of deep convolutional networks on a ring.

Pre-activations travel with a chain, as L rows of 2N sites by F filters, filter fastest, the ring twice over so that any
N sites in a row are contiguous. Turning a spin changes K of them in the first layer, 2K - 1 in the second, and so on.
Such a change is carried from layer to layer: what ReLU lets through of it, about half of the numbers, is multiplied by
one row of K F weights each. Where a change is wider than the ring, its end is folded onto its beginning.

Shapes: U states, C chains; words as in `nqs.ansatz.window_table`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from nqs.ansatz.window_kernel import ONE, context, new_ring, pack, random_pair, turn, unpack


class Network(NamedTuple):
    """Weights of a network of L layers, as the kernels read them.

    biases (L, F): of the first layer with all spins down;  rise (K F,): what a spin that turns up adds to the first
    layer from the leftmost window that sees it on;  kernels (L - 1, F, K F): what one unit of a filter's activation
    adds to the next layer from the leftmost window that sees it on;  output (N F,): the same F on every site.
    """

    n_sites: int
    width: int
    biases: np.ndarray
    rise: np.ndarray
    kernels: np.ndarray
    output: np.ndarray


class Room(NamedTuple):
    """Working memory of one chain.

    inputs (L, 2 N F): pre-activations;  changes (2, L, 2 N F): of these, in up to two places that do not meet;  spans
    (2, L, 2): first site and number of sites of each;  values, bases, kinds: the changes that pass ReLU, the first
    number of the next layer that each one reaches, and its filter.
    """

    inputs: np.ndarray
    changes: np.ndarray
    spans: np.ndarray
    values: np.ndarray
    bases: np.ndarray
    kinds: np.ndarray


@njit(cache=True, nogil=True, error_model="numpy")
def new_room(net):
    """Room for a chain."""
    n_layers, filters = net.biases.shape
    units = net.n_sites * filters
    return Room(
        np.empty((n_layers, 2 * units)),
        np.empty((2, n_layers, 2 * units)),
        np.empty((2, n_layers, 2), np.int64),
        np.empty(units),
        np.empty(units, np.int64),
        np.empty(units, np.int64),
    )


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _add(target, base, value, row):
    """target[base:] += value row."""
    part = target[base : base + len(row)]
    for place in range(len(row)):
        part[place] += value * row[place]


@njit(cache=True, nogil=True, error_model="numpy")
def _settle(line, bias, units):
    """Add the bias to one layer's sums, fold what lies beyond the ring, and repeat the ring."""
    filters = len(bias)
    for start in range(0, units, filters):
        for place in range(filters):
            total = line[start + place] + line[units + start + place] + bias[place]
            line[start + place] = total
            line[units + start + place] = total


@njit(cache=True, nogil=True, error_model="numpy")
def forward(net, ring, inputs):
    """All pre-activations of a state: inputs (L, 2 N F)."""
    n_layers, filters = net.biases.shape
    units, back = net.n_sites * filters, net.n_sites - net.width + 1  # one step back is N - 1 steps on
    inputs[:] = 0.0
    for site in range(net.n_sites):
        if context(ring, site) & ONE:
            _add(inputs[0], (site + back) % net.n_sites * filters, 1.0, net.rise)
    _settle(inputs[0], net.biases[0], units)
    for layer in range(1, n_layers):
        for site in range(net.n_sites):
            base = (site + back) % net.n_sites * filters
            for place in range(filters):
                value = inputs[layer - 1, site * filters + place]
                if value > 0:
                    _add(inputs[layer], base, value, net.kernels[layer - 1, place])
        _settle(inputs[layer], net.biases[layer], units)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _passed(before, change):
    """Change of relu(before)."""
    return max(before + change, 0.0) - max(before, 0.0)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _read_out(before, change, output):
    """Change of ln psi from that of the last layer."""
    total = 0.0
    for unit in range(len(change)):
        total += output[unit] * _passed(before[unit], change[unit])
    return total


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _spread(before, change, filters, rows, reached, values, bases, kinds):
    """Write the change of the next layer's pre-activations to `reached`; inlined, since its arguments cost as much."""
    count = 0
    for base in range(0, len(change), filters):
        for kind in range(filters):
            value = _passed(before[base + kind], change[base + kind])
            values[count], bases[count], kinds[count] = value, base, kind
            count += int(value != 0)
    reached[:] = 0.0
    for place in range(count):
        _add(reached, bases[place], values[place], rows[kinds[place]])


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _carry(net, room, slot, start, n_changed):
    """Change of ln psi from that of n_changed sites of the first layer; leaves those of all layers in the slot."""
    n_layers, filters = net.biases.shape
    for layer in range(n_layers):
        whole = room.changes[slot, layer]
        for place in range(net.n_sites * filters, n_changed * filters):  # wider than the ring: fold
            whole[place - net.n_sites * filters] += whole[place]
        n_changed = min(n_changed, net.n_sites)
        room.spans[slot, layer, 0], room.spans[slot, layer, 1] = start, n_changed
        before, change = room.inputs[layer, start * filters :], whole[: n_changed * filters]
        if layer == n_layers - 1:
            return _read_out(before, change, net.output)
        n_changed += net.width - 1
        reached = room.changes[slot, layer + 1, : n_changed * filters]
        _spread(before, change, filters, net.kernels[layer], reached, room.values, room.bases, room.kinds)
        start += 0 if start >= net.width - 1 else net.n_sites
        start -= net.width - 1
    return 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def exchange(net, room, left, right, sign):
    """Change of ln psi if the spins of two sites are exchanged; sign: 1.0 if the left one is up.

    Returns it and the number of slots that hold the change.
    """
    filters, n_sites, width = net.biases.shape[1], net.n_sites, net.width
    gap = (right - left) % n_sites
    if 2 * gap > n_sites:
        left, right, gap, sign = right, left, n_sites - gap, -sign
    first, second = (left - width + 1) % n_sites, (right - width + 1) % n_sites
    if gap > len(net.biases) * (width - 1):  # no unit sees both
        for place in range(width * filters):
            room.changes[0, 0, place], room.changes[1, 0, place] = -sign * net.rise[place], sign * net.rise[place]
        return _carry(net, room, 0, first, width) + _carry(net, room, 1, second, width), 2
    change = room.changes[0, 0, : (gap + width) * filters]
    change[:] = 0.0
    _add(change, 0, -sign, net.rise)
    _add(change, gap * filters, sign, net.rise)
    return _carry(net, room, 0, first, gap + width), 1


@njit(cache=True, nogil=True, error_model="numpy")
def _accept(net, room, slots):
    """Apply the changes of the first slots."""
    n_layers, filters = net.biases.shape
    units = net.n_sites * filters
    for slot in range(slots):
        for layer in range(n_layers):
            first, inputs = room.spans[slot, layer, 0] * filters, room.inputs[layer]
            for place in range(room.spans[slot, layer, 1] * filters):
                unit = first + place
                unit -= units if unit >= units else 0
                inputs[unit] += room.changes[slot, layer, place]
                inputs[unit + units] = inputs[unit]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _try(net, room, ring, first, second, chance):
    """Exchange two spins if they differ and psi'^2 / psi^2 > chance; returns whether that was done."""
    up = context(ring, first) & ONE
    if up == context(ring, second) & ONE:
        return False
    change, slots = exchange(net, room, first, second, 1.0 if up else -1.0)
    if not np.exp(2 * change) > chance:
        return False
    _accept(net, room, slots)
    turn(ring, first, net.n_sites, net.n_sites)
    turn(ring, second, net.n_sites, net.n_sites)
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def exchange_moves(words, net, near, pairs, stride, rng, out):
    """As `window_kernel.neighbour_moves` if near, else `pair_moves`: same proposals for the same random numbers."""
    n_sites, accepted = net.n_sites, 0
    ring, room = new_ring(n_sites, 0), new_room(net)
    for chain in range(len(words)):
        unpack(words[chain], n_sites, 0, ring)
        forward(net, ring, room.inputs)
        for kept in range(len(out)):
            for _ in range(stride):
                if near:
                    draw = rng.random() * n_sites
                    chance = draw - int(draw)
                    first = (int(draw) + net.width - 1) % n_sites
                    second = (first + 1) % n_sites
                else:
                    first, second, chance = random_pair(pairs, n_sites, rng)
                accepted += int(_try(net, room, ring, first, second, chance))
            pack(ring, n_sites, out[kept, chain])
        words[chain] = out[-1, chain]
    return accepted


@njit(cache=True, nogil=True, error_model="numpy")
def log_psi(words, net, out):
    """ln psi: out (U,)."""
    ring, inputs = new_ring(net.n_sites, 0), new_room(net).inputs
    for row in range(len(words)):
        unpack(words[row], net.n_sites, 0, ring)
        forward(net, ring, inputs)
        total, last = 0.0, inputs[-1]
        for unit in range(len(net.output)):
            total += net.output[unit] * max(last[unit], 0.0)
        out[row] = total


@njit(cache=True, nogil=True, error_model="numpy")
def ring_energies(words, net, out):
    """Local energies of H = sum P_{n,n+1} in the Marshall gauge: out (U,)."""
    n_sites = net.n_sites
    ring, room = new_ring(n_sites, 0), new_room(net)
    for row in range(len(words)):
        unpack(words[row], n_sites, 0, ring)
        forward(net, ring, room.inputs)
        energy = 0.0
        for first in range(n_sites):
            second = (first + 1) % n_sites
            up = context(ring, first) & ONE
            if up == context(ring, second) & ONE:
                energy += 1.0
            else:
                energy -= np.exp(exchange(net, room, first, second, 1.0 if up else -1.0)[0])
        out[row] = energy


@njit(cache=True, nogil=True, error_model="numpy")
def swap_changes(words, net, pairs, out):
    """Change of ln psi if the spins of each pair (B, 2) are exchanged: out (U, B), 0 where they are equal."""
    ring, room = new_ring(net.n_sites, 0), new_room(net)
    for row in range(len(words)):
        unpack(words[row], net.n_sites, 0, ring)
        forward(net, ring, room.inputs)
        for place in range(len(pairs)):
            first, second = pairs[place, 0], pairs[place, 1]
            up = context(ring, first) & ONE
            out[row, place] = 0.0
            if up != context(ring, second) & ONE:
                out[row, place] = exchange(net, room, first, second, 1.0 if up else -1.0)[0]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True, inline="always")
def _dot(part, row):
    total = 0.0
    for place in range(len(row)):
        total += part[place] * row[place]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _close(slopes, units):
    """Repeat the ring of slopes."""
    for place in range(units):
        slopes[units + place] = slopes[place]


@njit(cache=True, nogil=True, error_model="numpy")
def add_slopes(words, net, weights, biases, rise, kernels, output):
    """Add the weighted sum over states of the derivatives of ln psi with respect to a `Network`'s arrays."""
    n_layers, filters = net.biases.shape
    n_sites, width = net.n_sites, net.width
    units, back = n_sites * filters, n_sites - width + 1
    ring, inputs = new_ring(n_sites, 0), new_room(net).inputs
    slopes, below = np.empty(2 * units), np.empty(2 * units)
    for row in range(len(words)):
        unpack(words[row], n_sites, 0, ring)
        forward(net, ring, inputs)
        for site in range(n_sites):
            for place in range(filters):
                value = inputs[-1, site * filters + place]
                output[place] += weights[row] * max(value, 0.0)
                slopes[site * filters + place] = weights[row] * net.output[place] if value > 0 else 0.0
        for layer in range(n_layers - 1, 0, -1):
            _close(slopes, units)
            for site in range(n_sites):
                part = slopes[(site + back) % n_sites * filters :]
                for place in range(filters):
                    unit = site * filters + place
                    value, below[unit] = inputs[layer - 1, unit], 0.0
                    biases[layer, place] += slopes[unit]
                    if value > 0:
                        _add(kernels[layer - 1, place], 0, value, part[: width * filters])
                        below[unit] = _dot(part, net.kernels[layer - 1, place])
            slopes, below = below, slopes
        _close(slopes, units)
        for site in range(n_sites):
            for place in range(filters):
                biases[0, place] += slopes[site * filters + place]
            if context(ring, site) & ONE:
                base = (site + back) % n_sites * filters
                _add(rise, 0, 1.0, slopes[base : base + width * filters])
