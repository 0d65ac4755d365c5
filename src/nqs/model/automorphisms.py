"""Symmetries of a cluster given by its bonds: permutations of the sites that map every set of bonds onto itself.

Standard library only, because the configuration asks how many symmetries a cluster has. Permutations are tuples; entry
i is the site that site i moves to. A graph may have more symmetries than could be listed (n! where all sites are
joined), so that both the search and the group that is chosen from its results are bounded: fewer symmetries make more
work for the exact ground state, never another result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

Permutation = tuple[int, ...]
Neighbours = list[dict[int, int]]  # of each site: neighbour -> number of the set of bonds

PER_IMAGE = 64  # automorphisms listed for each image of one site
MOST_STEPS = 200_000  # of the search
MOST_ELEMENTS = 512  # of the group chosen
MOST_COMMUTING = 4  # involutions of which every sector is searched: 2^4 of them
MOST_EVEN = 5  # generators of even order: with the spin flip six, as many as the fast kernel has bits for
STARTS = 16  # involutions that a set of commuting ones may start with


class Symmetries(NamedTuple):
    """Generators whose products of powers name each element of their group once.

    commuting: involutions, all representations of which are real;  further: what makes the group larger.
    """

    commuting: list[Permutation]
    further: list[Permutation]

    @property
    def order(self) -> int:
        """Number of elements of the group."""
        total = 1
        for move in (*self.commuting, *self.further):
            total *= order(move)
        return total


def find_symmetries(
    n_sites: int, bonds: Sequence[Sequence[Sequence[int]]], given: Sequence[Permutation] | None = None
) -> Symmetries:
    """Symmetries to search a ground state with, of all that the bonds have or of those `given` and their products."""
    found = automorphisms(n_sites, bonds, PER_IMAGE) if given is None else products(given, n_sites)
    pool = [tuple(range(n_sites)), *islice(found, PER_IMAGE * n_sites)]
    commuting = commuting_involutions(pool)
    return Symmetries(commuting, extensions(pool, commuting))


def automorphisms(
    n_sites: int, bonds: Sequence[Sequence[Sequence[int]]], per_image: int | None = None
) -> Iterator[Permutation]:
    """Automorphisms of a connected graph, at most `per_image` for each image of one site; the identity is one of them.

    bonds: pairs of sites, one list for each set.
    """
    joined: Neighbours = [{} for _ in range(n_sites)]
    for number, pairs in enumerate(bonds):
        for i, j in pairs:
            joined[i][j] = joined[j][i] = number
    classes = _classes(joined)
    sizes = Counter(classes)
    root = min(range(n_sites), key=lambda site: (sizes[classes[site]], site))
    sites, parents = _breadth_first(joined, root)
    relations = _relations(joined)
    steps = iter(range(MOST_STEPS))
    for image in range(n_sites):
        if classes[image] == classes[root]:
            yield from islice(_completions({root: image}, sites, parents, joined, relations, steps), per_image)


def _completions(
    images: dict[int, int],
    sites: Sequence[int],
    parents: Mapping[int, int],
    joined: Neighbours,
    relations: Sequence[Sequence[tuple[int, int]]],
    steps: Iterator[int],
) -> Iterator[Permutation]:
    """All automorphisms in which the first sites have these images, until the steps are used up."""
    if len(images) == len(sites):
        yield tuple(images[site] for site in range(len(sites)))
        return
    site = sites[len(images)]
    taken = set(images.values())
    for image in sorted(joined[images[parents[site]]]):
        if next(steps, None) is None:
            return
        if image in taken or relations[image][image] != relations[site][site]:
            continue
        if all(relations[site][other] == relations[image][moved] for other, moved in images.items()):
            yield from _completions(images | {site: image}, sites, parents, joined, relations, steps)


def _classes(joined: Neighbours) -> list[int]:
    """Sites that differ in their surroundings have different numbers: colours refined until they stay."""
    colours = [0] * len(joined)
    while True:
        seen = [
            (colour, tuple(sorted((number, colours[other]) for other, number in neighbours.items())))
            for colour, neighbours in zip(colours, joined, strict=True)
        ]
        numbers = {key: rank for rank, key in enumerate(sorted(set(seen)))}
        if len(numbers) == len(set(colours)):
            return colours
        colours = [numbers[key] for key in seen]


def _relations(joined: Neighbours) -> list[list[tuple[int, int]]]:
    """What an automorphism keeps of a pair of sites: bond and distance; of a site and itself: its class.

    Bonds alone would do, but distances show early that a beginning has no end.
    """
    classes = _classes(joined)
    table = []
    for site, neighbours in enumerate(joined):
        reached, parents = _breadth_first(joined, site)
        distances = {site: 0}
        for other in reached[1:]:
            distances[other] = distances[parents[other]] + 1
        row = [(neighbours.get(other, -1), distances[other]) for other in range(len(joined))]
        row[site] = (classes[site], 0)
        table.append(row)
    return table


def _breadth_first(joined: Neighbours, root: int) -> tuple[list[int], dict[int, int]]:
    """Sites by their distance from the root, and the site through which each was reached."""
    sites, parents = [root], {root: root}
    for site in sites:
        for other in sorted(joined[site]):
            if other not in parents:
                parents[other] = site
                sites.append(other)
    return sites, parents


def after(second: Permutation, first: Permutation) -> Permutation:
    """The permutation that moves sites by `first`, then by `second`."""
    return tuple(second[site] for site in first)


def order(move: Permutation) -> int:
    """The power of a permutation that is the identity."""
    return len(powers(move))


def powers(move: Permutation) -> list[Permutation]:
    """All powers of a permutation, the identity first."""
    found = [tuple(range(len(move)))]
    while (image := after(move, found[-1])) != found[0]:
        found.append(image)
    return found


def products(moves: Sequence[Permutation], n_sites: int) -> Iterator[Permutation]:
    """All products of permutations, the shortest first."""
    found = [tuple(range(n_sites))]
    known = set(found)
    for element in found:
        yield element
        for move in moves:
            image = after(move, element)
            if image not in known:
                known.add(image)
                found.append(image)


def commuting_involutions(pool: Sequence[Permutation]) -> list[Permutation]:
    """The largest set found of involutions that commute and are no products of each other, at most MOST_COMMUTING.

    Involutions that leave few sites where they are come first: they make larger orbits.
    """
    involutions = [move for move in pool if order(move) == 2]
    involutions.sort(key=lambda move: (sum(site == image for site, image in enumerate(move)), move))
    best: list[Permutation] = []
    for start in involutions[:STARTS]:
        chosen, known = [start], {start, tuple(range(len(start)))}
        for move in involutions:
            if len(chosen) == MOST_COMMUTING:
                return chosen
            if move not in known and all(after(move, other) == after(other, move) for other in chosen):
                chosen.append(move)
                known |= {after(move, element) for element in known}
        best = max(best, chosen, key=len)
    return best


def extensions(pool: Sequence[Permutation], commuting: Sequence[Permutation]) -> list[Permutation]:
    """Further generators, each of which makes a larger group with all before it; odd orders first, the highest first.

    Other even orders than 2 are left out: a power of theirs is an involution.
    """
    orders = {move: order(move) for move in pool}
    candidates = [move for move in pool if orders[move] == 2 or (orders[move] % 2 and orders[move] > 1)]
    candidates.sort(key=lambda move: (-(orders[move] % 2) * orders[move], move))
    group = set(products(commuting, len(pool[0])))
    chosen: list[Permutation] = []
    even = len(commuting)
    for move in candidates:
        is_even = orders[move] % 2 == 0
        if len(group) * orders[move] > MOST_ELEMENTS or even + is_even > MOST_EVEN:
            continue
        if _extends(move, group):
            chosen.append(move)
            even += is_even
            group = {after(power, element) for power in powers(move) for element in group}
    return chosen


def _extends(move: Permutation, group: set[Permutation]) -> bool:
    """Whether the products of powers of `move` and elements of `group` are a group and name each element once."""
    moves = powers(move)
    if any(power in group for power in moves[1:]):
        return False
    return all(any(after(after(move, element), power) in group for power in moves) for element in group)
