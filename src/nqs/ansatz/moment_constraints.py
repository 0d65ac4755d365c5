"""Whether numbers can be the motif expectation values of a distribution over the states of a ring, and if not, why.

Counts obey identities in every state, so their expectation values do: a row of K - 1 spins is left as often as it is
entered, all counts add up to N, half of the spins are up. Numbers that pass can still be out of reach, e.g. two long
domains without the walls between them; only the search for a distribution tells (`nqs.ansatz.maximum_entropy`).
"""

from __future__ import annotations

import numpy as np

from nqs.model.motifs import bits, motif_classes, spell
from nqs.runtime.errors import InputError

CONSISTENT = 1e-8  # relative to N: to what the expectation values of a distribution obey the identities of counts


def checked_length(n_sites: int, target: np.ndarray, symmetric: bool) -> int:
    """K, if numbers (2^K,) can be expectation values as far as identities tell; InputError names what rules them out.

    symmetric: they must also agree within each class of motifs.
    """
    length = target.size.bit_length() - 1
    if target.shape != (1 << length,) or not 1 <= length <= n_sites:
        raise InputError(f"expectation values of shape {target.shape}: give one for each of the 2^K motifs, K <= N")
    if not np.isfinite(target).all():
        raise InputError(f"motif {spell(int(np.argmin(np.isfinite(target))), length)}: not a finite expectation value")
    spins = bits(np.arange(1 << length), length).astype(int)
    possible = np.maximum(spins.sum(axis=1), length - spins.sum(axis=1)) <= n_sites // 2
    for wrong, reason in (
        (target < 0, "an expected count cannot be negative"),
        (possible & (target == 0), "only an infinite multiplier makes a motif never occur; give a positive count"),
        (~possible & (target != 0), "more than N/2 equal spins cannot occur on this ring; give 0"),
    ):
        if wrong.any():
            motif = int(np.argmax(wrong))
            raise InputError(f"motif {spell(motif, length)}: expected count {target[motif]:.6g}; {reason}")
    _check_identities(n_sites, target, length, spins)
    if symmetric:
        _check_classes(n_sites, target, length)
    return length


def _check_identities(n_sites: int, target: np.ndarray, length: int, spins: np.ndarray) -> None:
    allowed = CONSISTENT * n_sites
    if abs(target.sum() - n_sites) > allowed:
        raise InputError(f"the expectation values add up to {target.sum():.10g}, not to N = {n_sites}; rescale them")
    side = 1 << (length - 1)
    motifs = np.arange(1 << length)
    left, entered = np.bincount(motifs % side, target, side), np.bincount(motifs >> 1, target, side)
    row = int(np.argmax(np.abs(left - entered)))
    if abs(left[row] - entered[row]) > allowed:
        raise InputError(
            f"the {length - 1} spins {spell(row, length - 1)} begin a motif {left[row]:.8g} times and end one "
            f"{entered[row]:.8g} times; expectation values on a ring give both the same"
        )
    ups = float(target @ spins[:, 0])
    if abs(ups - n_sites / 2) > allowed:
        raise InputError(f"the expectation values hold {ups:.8g} spins up, not N/2 = {n_sites / 2:g}")


def _check_classes(n_sites: int, target: np.ndarray, length: int) -> None:
    classes = motif_classes(length)
    apart = np.abs(target - classes.spread(classes.means(target)))
    motif = int(np.argmax(apart))
    if apart[motif] > CONSISTENT * n_sites:
        name = spell(int(classes.representatives[classes.labels[motif]]), length)
        raise InputError(
            f"motif {spell(motif, length)}: its expected count is {apart[motif]:.3g} from the mean of its class, that "
            f"of {name}; average over classes, or ask for one multiplier per motif (symmetric=False)"
        )


def unreachable(n_sites: int, length: int, target: np.ndarray, closest: np.ndarray) -> str:
    """What to say if the search got no closer than this (2^K,): the class of motifs farthest from its target."""
    classes = motif_classes(length)
    asked, reached = classes.sums(target), classes.sums(closest)
    worst = int(np.argmax(np.abs(asked - reached)))
    rarest = np.abs(closest - target)[target > 0] / target[target > 0]
    name = spell(int(classes.representatives[worst]), length)
    return (
        f"no distribution on the ring of N = {n_sites} has these expectation values as exactly as asked: at the "
        f"closest found the class of motif {name}, asked for {asked[worst]:.6g} times in all, occurs "
        f"{reached[worst]:.6g} times, and some motif is {rarest.max():.1e} of its count off; give reachable counts "
        "or a larger tolerance"
    )
