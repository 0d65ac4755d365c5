"""Sums over the walks of a ring's transfer matrix, compiled; see `nqs.exact.transfer_matrix`.

A walk stands on a row of K - 1 spins, its place; motif w leads from place w mod 2^(K-1) to w // 2 and leaves the first
spin behind. Its counter stands at the up spins left behind, 0..N/2 (`half`); arrays of counters have a zero in front,
so that one more up spin is one place further. After j steps it is at least j - N/2: else too many spins were down.

weights (2^K,): of the motifs.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nqs.runtime.compiled import COMPILED, dot


@njit(**COMPILED)
def _walk_on(weights, now, after, least, most):
    """One step of all walks: sums (place, 1 + ups) `now` to `after`, whose counters run from least to most."""
    side = len(now)
    for place in range(side):
        down, up = now[(2 * place) & (side - 1)], now[(2 * place + 1) & (side - 1)]  # by the spin left behind
        of_down, of_up, new = weights[2 * place], weights[2 * place + 1], after[place]
        for ups in range(least + 1, most + 2):
            new[ups] = of_down * down[ups] + of_up * up[ups - 1]


@njit(**COMPILED)
def _all_walks(weights, start, half, history):
    """Sums over the walks from one place, after each number of steps: history (steps + 1, place, 1 + ups)."""
    history[0] = 0.0
    history[0, start, 1] = 1.0
    for step in range(1, len(history)):
        _walk_on(weights, history[step - 1], history[step], max(step - half, 0), min(step, half))


@njit(**COMPILED)
def environments(weights, half, steps):
    """Sums over the walks of some steps from R to L that leave behind so many up spins: (R, L, ups)."""
    side = len(weights) // 2
    history = np.zeros((steps + 1, side, half + 2))
    environments = np.empty((side, side, half + 1))
    for start in range(side):
        _all_walks(weights, start, half, history)
        environments[start] = history[steps, :, 1:]
    return environments


@njit(**COMPILED)
def environments_and_slopes(weights, half, steps, seeds):
    """`environments`, and half the derivative of sum(seeds environments) by each C: (2^K,)."""
    side = len(weights) // 2
    history = np.zeros((steps + 1, side, half + 2))
    environments = np.empty((side, side, half + 1))
    slopes = np.zeros(len(weights))
    later, sooner = np.zeros((side, half + 2)), np.zeros((side, half + 2))
    for start in range(side):
        _all_walks(weights, start, half, history)
        environments[start] = history[steps, :, 1:]
        later[:, :-1] = seeds[start]
        for step in range(steps - 1, -1, -1):
            least, most = max(step - half, 0), min(step, half)
            if step >= half:
                later[:, least] = 0.0  # this counter was out of reach a step later
            _walk_back(weights, history[step], later, sooner, least, most, slopes)
            later, sooner = sooner, later
    return environments, slopes


@njit(**COMPILED)
def _walk_back(weights, walks, later, sooner, least, most, slopes):
    """One step of `_walk_on` in reverse: from the derivatives by the sums after it to those by the sums before."""
    side = len(walks)
    for place in range(side):
        spin = place & 1
        here, out = walks[place, least + 1 : most + 2], sooner[place, least : most + 1]
        for motif in (place, place + side):
            weight, there = weights[motif], later[motif >> 1, spin + least : spin + most + 1]
            for ups in range(len(out)):
                product = weight * there[ups]
                out[ups] = product if motif == place else out[ups] + product
            slopes[motif] += weight * dot(here, there)


@njit(**COMPILED)
def distant_bonds(weights, half, steps, exchanged, seeds):
    """sum_r Z <P P'> of two bonds with r motifs between them one way round and steps - r the other, r = 0..steps.

    exchanged (3, L, R): psi P psi of one bond, by its ups;  seeds (R, L, ups): of the other, what multiplies its
    environment.
    """
    side = len(weights) // 2
    history = np.zeros((steps + 1, side, half + 2))
    now, after = np.zeros((side, half + 2)), np.zeros((side, half + 2))
    total = 0.0
    for start in range(side):
        _all_walks(weights, start, half, history)
        now[:] = 0.0  # walks that have passed the other bond
        for step in range(steps + 1):
            _walk_on(weights, now, after, 0, half)
            now, after = after, now
            _pass_bond(history[step], exchanged, now)
        total += (seeds[start] * now[:, 1:]).sum()
    return total


@njit(**COMPILED)
def _pass_bond(walks, exchanged, passed):
    """Add the walks to those that have passed a bond: they leave L and the bond behind and stand at R."""
    side, width = walks.shape
    for left in range(side):
        behind, rest = 0, left
        while rest:
            behind += rest & 1
            rest >>= 1
        for right in range(side):
            for on_bond in range(3):
                factor, shift = exchanged[on_bond, left, right], behind + on_bond
                for ups in range(1, width - shift):
                    passed[right, ups + shift] += factor * walks[left, ups]


@njit(**COMPILED)
def near_bonds(coefficients, length, distance, environments):
    """Z <P_0 P_d> of two bonds at distance d = 1..K, from rows of 2K + d spins around both.

    <psi|P_0 P_d|psi> = sum_s (P_0 psi)(s) (P_d psi)(s), so each psi sees one exchange.
    """
    spins, side = 2 * length + distance, 1 << (length - 1)
    half = environments.shape[2] - 1
    total = 0.0
    for row in range(1 << spins):
        unlike_0 = ((row >> (length - 1)) ^ (row >> length)) & 1
        unlike_d = ((row >> (length + distance - 1)) ^ (row >> (length + distance))) & 1
        row_0 = row ^ (unlike_0 * (3 << (length - 1)))
        row_d = row ^ (unlike_d * (3 << (length + distance - 1)))
        log_weight, ups = 0.0, half
        for motif in range(length + distance + 1):
            log_weight += coefficients[(row_0 >> motif) & (2 * side - 1)]
            log_weight += coefficients[(row_d >> motif) & (2 * side - 1)]
            ups -= (row >> motif) & 1
        if ups >= 0:
            sign = 1.0 if unlike_0 == unlike_d else -1.0
            total += sign * np.exp(log_weight) * environments[row >> (spins - length + 1), row & (side - 1), ups]
    return total
