"""Compiled arithmetic of the restricted Boltzmann machine: no transcendental function inside any loop.

With t_j = tanh theta_j, turning spin i changes every cosh theta_j by the factor

    cosh(theta_j - 2 W_ij s_i) / cosh theta_j = cosh 2W_ij - s_i t_j sinh 2W_ij

and t_j by a rational function of the same numbers, so cosh and sinh of the weights are taken once per parameter set.
Exchanging two antiparallel spins i, k is the same with W_ij - W_kj for W_ij. Splitting the sites into two halves,

    2cosh(x + y) = e^(|x|+|y|) (p p' + q q'),   p = e^(x-|x|), q = e^(-x-|x|), p' and q' with y,

gives all 2^N amplitudes for a few products per state and hidden unit, of positive numbers that cancel nothing. Weights
are (site, unit) here.
"""

from __future__ import annotations

import numpy as np
from numba import njit

TINY = 1e-300  # keeps the logarithm of an underflown product finite
REFRESH = 16  # sweeps between two evaluations of tanh from scratch, against rounding


@njit(cache=True, nogil=True, error_model="numpy")
def spins_of(states, spins):
    """Write the spins (+-1) of each state into the rows of `spins`; bit i is site i."""
    for row in range(len(states)):
        for site in range(spins.shape[1]):
            spins[row, site] = 1 if (states[row] >> np.uint64(site)) & np.uint64(1) else -1


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _refresh(word, weights, bias, tanh):
    """tanh theta of one state."""
    for unit in range(len(bias)):
        tanh[unit] = bias[unit]
    for site in range(len(weights)):
        sign = np.float32(1) if (word >> np.uint64(site)) & np.uint64(1) else np.float32(-1)
        for unit in range(len(bias)):
            tanh[unit] += sign * weights[site, unit]
    for unit in range(len(bias)):
        tanh[unit] = np.tanh(tanh[unit])


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _factor(cosh, sinh, tanh, sign):
    """Product over units of cosh 2W - s t sinh 2W; `sign` is s."""
    product = np.float32(1)
    for unit in range(len(tanh)):
        product *= cosh[unit] - sign * tanh[unit] * sinh[unit]
    return product


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _move(cosh, sinh, tanh, sign):
    """tanh theta after the move whose factor `_factor` gives."""
    for unit in range(len(tanh)):
        t = sign * tanh[unit]
        tanh[unit] = sign * (t * cosh[unit] - sinh[unit]) / (cosh[unit] - t * sinh[unit])


@njit(cache=True, nogil=True, error_model="numpy")
def flip_sweeps(states, visible, cosh, sinh, weights, bias, rng, out):
    """Metropolis chains of single-spin flips, in place; returns the number of accepted moves.

    states uint64 (chain,);  visible = exp(2a) (site,);  cosh, sinh of 2W and weights (site, unit), float32;
    out uint64 (sweep, chain): the state of each chain after each sweep of N proposals.
    """
    n_sites, accepted, one = len(visible), 0, np.float32(1)
    tanh = np.empty(len(bias), np.float32)
    for chain in range(len(states)):
        word = states[chain]
        for sweep in range(len(out)):
            if sweep % REFRESH == 0:
                _refresh(word, weights, bias, tanh)
            for _ in range(n_sites):
                site = int(rng.random() * n_sites)
                up = (word >> np.uint64(site)) & np.uint64(1)
                sign = one if up else -one
                ratio = _factor(cosh[site], sinh[site], tanh, sign) * (one / visible[site] if up else visible[site])
                if ratio * ratio > rng.random():
                    _move(cosh[site], sinh[site], tanh, sign)
                    word ^= np.uint64(1) << np.uint64(site)
                    accepted += 1
            out[sweep, chain] = word
        states[chain] = word
    return accepted


@njit(cache=True, nogil=True, error_model="numpy")
def exchange_sweeps(states, bonds, visible, cosh, sinh, weights, bias, rng, out):
    """Metropolis chains that exchange the spins of random bonds, in place; returns the number of accepted moves.

    As `flip_sweeps`, but visible = exp(2(a_i - a_k)) (bond,), cosh and sinh of 2(W_i - W_k) (bond, unit).
    """
    n_sites, accepted, one = len(weights), 0, np.float32(1)
    tanh = np.empty(len(bias), np.float32)
    for chain in range(len(states)):
        word = states[chain]
        for sweep in range(len(out)):
            if sweep % REFRESH == 0:
                _refresh(word, weights, bias, tanh)
            for _ in range(n_sites):
                bond = int(rng.random() * len(bonds))
                first, second = np.uint64(bonds[bond, 0]), np.uint64(bonds[bond, 1])
                up = (word >> first) & np.uint64(1)
                if up == (word >> second) & np.uint64(1):
                    continue
                sign = one if up else -one
                ratio = _factor(cosh[bond], sinh[bond], tanh, sign) * (one / visible[bond] if up else visible[bond])
                if ratio * ratio > rng.random():
                    _move(cosh[bond], sinh[bond], tanh, sign)
                    word ^= (np.uint64(1) << first) | (np.uint64(1) << second)
                    accepted += 1
            out[sweep, chain] = word
        states[chain] = word
    return accepted


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def swap_ratios(states, tanh, bonds, visible, cosh, sinh, out):
    """psi(s') / psi(s) for the exchange of each bond's spins: out (state, bond), 0 where they are parallel.

    tanh (state, unit); visible, cosh, sinh as in `exchange_sweeps`; float64.
    """
    for row in range(len(states)):
        for bond in range(len(bonds)):
            up = (states[row] >> np.uint64(bonds[bond, 0])) & np.uint64(1)
            if up == (states[row] >> np.uint64(bonds[bond, 1])) & np.uint64(1):
                out[row, bond] = 0.0
                continue
            sign = 1.0 if up else -1.0
            product = 1.0 / visible[bond] if up else visible[bond]
            for unit in range(tanh.shape[1]):
                product *= cosh[bond, unit] - sign * tanh[row, unit] * sinh[bond, unit]
            out[row, bond] = product


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def flip_ratios(states, tanh, sites, visible, cosh, sinh, out):
    """psi(s') / psi(s) after turning the spin of each site: out (state, site).

    tanh (state, unit); visible, cosh, sinh as in `flip_sweeps`; float64.
    """
    for row in range(len(states)):
        for place in range(len(sites)):
            up = (states[row] >> np.uint64(sites[place])) & np.uint64(1)
            sign = 1.0 if up else -1.0
            product = 1.0 / visible[place] if up else visible[place]
            for unit in range(tanh.shape[1]):
                product *= cosh[place, unit] - sign * tanh[row, unit] * sinh[place, unit]
            out[row, place] = product


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def log_psi_of_halves(low_up, low_down, low_log, high_up, high_down, high_log, out):
    """ln psi of all states from p, q (state, unit) and the rest of ln psi of their two halves: out (upper, lower)."""
    for high in range(len(high_log)):
        for low in range(len(low_log)):
            product = 1.0
            for unit in range(low_up.shape[1]):
                product *= low_up[low, unit] * high_up[high, unit] + low_down[low, unit] * high_down[high, unit]
            out[high, low] = np.log(max(product, TINY)) + low_log[low] + high_log[high]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def tangent_kernel(spin_gram, gram, mean_overlap, centre, root_weight, shift):
    """Weighted, centred tangent kernel plus shift, lower triangle, in place of `gram`.

    On entry spin_gram = s s^T and gram = t t^T (state, state), lower triangles. The derivatives of ln psi are s, t and
    s t, so their products are (1 + s.s')(1 + t.t') - 1.  mean_overlap (state,): product with the mean derivative;
    centre: the mean derivative's square.
    """
    one = np.float32(1)
    for u in range(len(gram)):
        for v in range(u + 1):
            overlap = (one + spin_gram[u, v]) * (one + gram[u, v]) - one
            gram[u, v] = (overlap - mean_overlap[u] - mean_overlap[v] + centre) * root_weight[u] * root_weight[v]
        gram[u, u] += shift


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def centred_derivatives(spins, tanh, mean, root_weight, out):
    """sqrt(w) (O - <O>): out (state, P), from the derivatives s (state, N), t (state, M), s t and their mean (P,)."""
    n_sites, n_hidden = spins.shape[1], tanh.shape[1]
    for u in range(len(spins)):
        root = root_weight[u]
        for site in range(n_sites):
            out[u, site] = root * (spins[u, site] - mean[site])
        for unit in range(n_hidden):
            out[u, n_sites + unit] = root * (tanh[u, unit] - mean[n_sites + unit])
        place = n_sites + n_hidden
        for site in range(n_sites):
            spin = spins[u, site]
            for unit in range(n_hidden):
                out[u, place + unit] = root * (spin * tanh[u, unit] - mean[place + unit])
            place += n_hidden
