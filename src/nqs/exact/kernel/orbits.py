"""Orbits of the Sz = 0 states under a symmetry group: smallest members, sizes, and the sectors each survives in.

The group is a spin flip times site permutations, given by generators whose products of powers name each element once.
A permutation moves the bits of a state by masked shifts, one for each distance that a bit travels. A walk applies one
generator after the other and so visits all images of many states at once; the running smallest and largest image give
the smallest member of the orbit, since the smallest flipped image is the complement of the largest one.

An element's parity has one bit for each generator of even order: whether the generator occurs in it an odd number of
times. The character of a real one-dimensional representation depends on the parity alone, so one set of orbits and
parities serves all sectors.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial

import numba as nb
import numpy as np

from nqs.model.clusters import dimension
from nqs.model.symmetry import Generator
from nqs.runtime.errors import InputError

LANES = 512  # states that walk together; they stay in the first cache
STEP = 3  # bits that a prefix grows by between two tests
PREFIXES = 512  # prefixes of one piece of work


@dataclass(frozen=True, eq=False)
class Walk:
    """A tour of all permutations of the group, starting at the identity.

    Step n applies permutation `steps[n]`; its parity bits are `parities[n]` and its masked shifts, bits `masks` by
    `left` up and `right` down, are those from `ends[k]` to `ends[k + 1]`. Where `new[n]`, the element reached was not
    met before. flip_parity: parity of the spin flip, -1 if the group has none.
    """

    n_sites: int
    steps: np.ndarray
    new: np.ndarray
    parities: np.ndarray
    ends: np.ndarray
    masks: np.ndarray
    left: np.ndarray
    right: np.ndarray
    elements: np.ndarray  # (new ones + 1, n_sites): the permutations in the order of the tour
    flip_parity: int
    parity_bits: int

    @property
    def order(self) -> int:
        """Number of group elements, flipped ones included."""
        return len(self.elements) * (1 + (self.flip_parity >= 0))

    @cached_property
    def moves(self) -> tuple:
        """The tour as the compiled functions take it."""
        return self.steps, self.new, self.parities, self.ends, self.masks, self.left, self.right


def make_walk(generators: Sequence[Generator], n_sites: int) -> Walk:
    """The walk through the group of these generators.

    InputError if a generator flips spins and moves sites at once.
    """
    parity, bits = {}, 0
    for g in generators:
        parity[g.name] = 1 << bits if g.order % 2 == 0 else 0
        bits += g.order % 2 == 0
    flips = [g for g in generators if g.flip]
    if any(not np.array_equal(g.permutation, np.arange(n_sites)) for g in flips) or len(flips) > 1:
        raise InputError("the spin flip must be one generator of its own, without moving sites")
    movers = movers_in_order(generators, n_sites)
    steps, new, elements = _tour(movers, n_sites)
    shifts = [_shifts(g.permutation) for g in movers]
    flat = [(mask, distance) for terms in shifts for distance, mask in terms.items()]
    distances = np.array([distance for _, distance in flat], dtype=np.int64)
    return Walk(
        n_sites=n_sites,
        steps=steps,
        new=new,
        parities=np.array([parity[movers[k].name] for k in steps], dtype=np.int64),
        ends=np.cumsum([0, *map(len, shifts)]),
        masks=np.array([mask for mask, _ in flat], dtype=np.int64),
        left=np.maximum(distances, 0),
        right=np.maximum(-distances, 0),
        elements=elements,
        flip_parity=parity[flips[0].name] if flips else -1,
        parity_bits=bits,
    )


def movers_in_order(generators: Sequence[Generator], n_sites: int) -> list[Generator]:
    """The generators that move sites, in the order of the walk: those of the fewest shifts first, as they step most.

    As given, if products in that other order do not name each element once.
    """
    given = [g for g in generators if not g.flip]
    cheapest_first = sorted(given, key=lambda g: len(_shifts(g.permutation)))
    elements = _tour(cheapest_first, n_sites)[2]
    return cheapest_first if len(np.unique(elements, axis=0)) == len(elements) else given


def _shifts(permutation: np.ndarray) -> dict[int, int]:
    """Distance -> mask of the bits that travel it, upward distances first."""
    terms: dict[int, int] = {}
    for site, target in enumerate(permutation.tolist()):
        terms[target - site] = terms.get(target - site, 0) | 1 << site
    return dict(sorted(terms.items(), reverse=True))


def _tour(movers: Sequence[Generator], n_sites: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counting through all exponents, the first generator's fastest: steps, new, elements.

    A generator whose exponent wraps is applied once more, which undoes its powers.
    """
    exponents = [0] * len(movers)
    steps, new, elements = [], [], [np.arange(n_sites)]
    image = elements[0]
    for _ in range(1, int(np.prod([g.order for g in movers]))):
        for k, generator in enumerate(movers):
            image = generator.permutation[image]
            exponents[k] = (exponents[k] + 1) % generator.order
            steps.append(k)
            new.append(exponents[k] != 0)
            if new[-1]:
                break
        elements.append(image)
    return np.array(steps, dtype=np.int64), np.array(new, dtype=np.bool_), np.array(elements)


@dataclass(frozen=True, eq=False)
class Orbits:
    """All orbits of the Sz = 0 states.

    representatives (d,) uint64, ascending: smallest members;  sizes (d,) int64;
    fixed (m,): orbits smaller than the group;  parities (m,) uint64: bit p is set if an element of parity p leaves
    their states alone.
    """

    representatives: np.ndarray
    sizes: np.ndarray
    fixed: np.ndarray
    parities: np.ndarray

    def absent(self, odd: int) -> np.ndarray:
        """Orbits that vanish in the sector where the generators with parity bits `odd` have the value -1."""
        against = sum(1 << p for p in range(64) if (p & odd).bit_count() % 2)
        return self.fixed[self.parities & np.uint64(against) != 0]


def find_orbits(walk: Walk, threads: int = 1) -> Orbits:
    """All orbits of the Sz = 0 states.

    Bits are fixed from the highest down; a beginning is dropped as soon as an element moves a smaller one there.
    RuntimeError if the sizes do not add up to the number of states.
    """
    depths = [*range(walk.n_sites % STEP or STEP, walk.n_sites, STEP), walk.n_sites]
    tests = [_hidden_bits(walk, depth) for depth in depths]
    early = len(depths) // 2
    prefixes = _grow(walk, np.zeros(1, dtype=np.int64), 0, depths[:early], tests[:early])[0]
    pieces = np.array_split(prefixes, -(-len(prefixes) // PREFIXES))
    grow = partial(_grow, walk, depth=depths[early - 1], depths=depths[early:], tests=tests[early:])
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(grow, pieces))
    states = np.concatenate([part for part, _ in found])
    stabilisers = np.concatenate([part for _, part in found])
    del found
    sizes = walk.order // stabilisers
    if sizes.sum() != dimension(walk.n_sites):
        raise RuntimeError("the orbits do not add up to the number of basis states")
    fixed = np.flatnonzero(stabilisers > 1)
    parities = _stabiliser_parities(states[fixed], _full(walk), walk.flip_parity, walk.moves)
    return Orbits(states.view(np.uint64), sizes.astype(np.int64), fixed, parities)


def _full(walk: Walk) -> int:
    return (1 << walk.n_sites) - 1


def _hidden_bits(walk: Walk, depth: int) -> np.ndarray:
    """Low bits of each image that are unknown while only the `depth` highest bits of a state are."""
    sources = np.argsort(walk.elements, axis=1)[:, ::-1]  # site that moves to the highest bit, the next, ...
    unknown = sources < walk.n_sites - depth
    first = np.where(unknown.any(axis=1), unknown.argmax(axis=1), walk.n_sites)
    return walk.n_sites - first


def _grow(
    walk: Walk, prefixes: np.ndarray, depth: int, depths: Sequence[int], tests: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Prefixes (n,) int64 of `depth` bits grown to the last depth, and the size of their stabilisers."""
    stabilisers = np.ones(len(prefixes), dtype=np.int64)
    for target, hidden in zip(depths, tests, strict=True):
        prefixes = _extend(prefixes, walk.n_sites, depth, target)
        keep, stabilisers = _smallest(prefixes, hidden, _full(walk), walk.flip_parity >= 0, walk.moves)
        prefixes, stabilisers, depth = prefixes[keep], stabilisers[keep], target
    return prefixes, stabilisers


def _extend(prefixes: np.ndarray, n_sites: int, depth: int, target: int) -> np.ndarray:
    """All ways to fix the bits from `depth` to `target` of each prefix, ascending, with at most N / 2 equal bits."""
    endings = np.arange(1 << (target - depth), dtype=np.int64) << (n_sites - target)
    longer = (prefixes[:, None] | endings).ravel()
    ones = np.bitwise_count(longer)
    return longer[(ones <= n_sites // 2) & (target - ones <= n_sites // 2)]


@nb.njit(cache=True, nogil=True)
def _advance(t, u, n, k, ends, masks, left, right):
    """Apply permutation k to the states t[:n]; u is scratch. Bit 63 is never set, so the shifts are those of int64."""
    first, last = ends[k], ends[k + 1]
    m, up, down = masks[first], left[first], right[first]
    if last - first == 2:  # one term up, one down
        other, fall = masks[first + 1], right[first + 1]
        for i in range(n):
            t[i] = ((t[i] & m) << up) | ((t[i] & other) >> fall)
        return
    for i in range(n):
        u[i] = ((t[i] & m) << up) >> down
    for j in range(first + 1, last - 1):
        m, up, down = masks[j], left[j], right[j]
        for i in range(n):
            u[i] |= ((t[i] & m) << up) >> down
    m, up, down = masks[last - 1], left[last - 1], right[last - 1]
    for i in range(n):
        t[i] = u[i] | ((t[i] & m) << up) >> down if last - first > 1 else u[i]


@nb.njit(cache=True, nogil=True)
def _smallest(states, hidden, full, flip, moves):
    """Whether no image is smaller in the bits known of it, and how many images equal the state (if all are known)."""
    steps, new, _parities, ends, masks, left, right = moves
    keep = np.ones(len(states), dtype=np.bool_)
    stabilisers = np.ones(len(states), dtype=np.int64)
    t, u = np.empty(LANES, dtype=np.int64), np.empty(LANES, dtype=np.int64)
    for begin in range(0, len(states), LANES):
        n = min(LANES, len(states) - begin)
        own, kept, count = states[begin : begin + n], keep[begin : begin + n], stabilisers[begin : begin + n]
        t[:n] = own
        if flip:  # the identity flipped
            for i in range(n):
                kept[i] = (full ^ own[i]) >> hidden[0] >= own[i] >> hidden[0]
        element = 0
        for step in range(len(steps)):
            _advance(t, u, n, steps[step], ends, masks, left, right)
            if new[step]:
                element += 1
                h = hidden[element]
                if flip:
                    for i in range(n):
                        kept[i] &= (t[i] >> h >= own[i] >> h) & ((full ^ t[i]) >> h >= own[i] >> h)
                        count[i] += (t[i] == own[i]) + (full ^ t[i] == own[i])
                else:
                    for i in range(n):
                        kept[i] &= t[i] >> h >= own[i] >> h
                        count[i] += t[i] == own[i]
    return keep, stabilisers


@nb.njit(cache=True, nogil=True)
def _stabiliser_parities(states, full, flip_parity, moves):
    """Bit p of entry n: an element of parity p maps state n onto itself."""
    steps, _new, parities, ends, masks, left, right = moves
    found = np.ones(len(states), dtype=np.uint64)
    t, u = np.empty(1, dtype=np.int64), np.empty(1, dtype=np.int64)
    one = np.uint64(1)
    for n in range(len(states)):
        t[0], parity = states[n], 0
        for step in range(len(steps)):
            _advance(t, u, 1, steps[step], ends, masks, left, right)
            parity ^= parities[step]
            if t[0] == states[n]:
                found[n] |= one << np.uint64(parity)
            if flip_parity >= 0 and full ^ t[0] == states[n]:
                found[n] |= one << np.uint64(parity ^ flip_parity)
    return found


@nb.njit(cache=True, nogil=True)
def smallest_images(t, u, low, high, n, shift, full, flip_parity, moves):
    """For states t[:n]: low[i] = smallest member of the orbit << shift | parity of an element that leads there.

    shift: number of parity bits;  t, u and high are scratch.
    """
    steps, new, parities, ends, masks, left, right = moves
    for i in range(n):
        low[i] = high[i] = t[i] << shift
    parity = 0
    for step in range(len(steps)):
        parity ^= parities[step]
        first = ends[steps[step]]
        if new[step] and ends[steps[step] + 1] - first == 2:  # the common step, in one loop
            m, up, other, fall = masks[first], left[first], masks[first + 1], right[first + 1]
            for i in range(n):
                t[i] = ((t[i] & m) << up) | ((t[i] & other) >> fall)
                key = t[i] << shift | parity
                low[i] = min(low[i], key)
                high[i] = max(high[i], key)
            continue
        _advance(t, u, n, steps[step], ends, masks, left, right)
        if new[step]:
            for i in range(n):
                key = t[i] << shift | parity
                low[i] = min(low[i], key)
                high[i] = max(high[i], key)
    if flip_parity >= 0:
        flipped_bits = (full << shift) | flip_parity
        for i in range(n):
            low[i] = min(low[i], high[i] ^ flipped_bits)
