"""Clusters given by their bonds: what a list of bonds must be, checked before anything is built.

Standard library only, for config validation. Errors begin with the key that they are about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

from nqs.runtime.errors import InputError

BOND_SETS = ("j1", "j2")
FEWEST_SITES = 4
MOST_SITES = 36  # exact ground states end here

Pair = tuple[int, int]


class BondList(NamedTuple):
    """A checked cluster: pairs i < j, sorted; positions (n_sites, 2); None where there is nothing given."""

    n_sites: int
    bonds: dict[str, tuple[Pair, ...]]
    positions: tuple[tuple[float, float], ...] | None
    symmetries: dict[str, tuple[int, ...]] | None

    def settings(self) -> dict[str, Any]:
        """As it stands in a configuration."""
        return {"bonds": self.bonds, "positions": self.positions, "symmetries": self.symmetries}


def check(
    bonds: Any, positions: Any = None, symmetries: Any = None, n_sites: Any = None, noun: str = "bonds."
) -> BondList:
    """The cluster of these bonds; InputError that names the entry that is wrong.

    noun: what stands before the name of a set of bonds in messages.
    """
    pairs = {name: _pairs(f"{noun}{name}", bonds[name]) for name in _sets(bonds, noun)}
    pairs.setdefault("j2", [])
    _no_bond_twice(pairs, noun)
    number = _number_of_sites(pairs, n_sites, noun)
    if number > MOST_SITES:  # before anything has a place for each site
        raise InputError(f"{number} sites: too many for an exact ground state; at most {MOST_SITES}")
    _connected(number, [pair for name in BOND_SETS for pair in pairs[name]])
    if number % 2:
        raise InputError(f"{number} sites: an odd number of spins has no Sz = 0 sector; choose an even number")
    if number < FEWEST_SITES:
        raise InputError(f"{number} sites: give at least {FEWEST_SITES}")
    sorted_bonds = {name: tuple(sorted(pairs[name])) for name in BOND_SETS}
    return BondList(
        number,
        sorted_bonds,
        None if positions is None else _positions(positions, number),
        None if symmetries is None else _symmetries(symmetries, number, sorted_bonds),
    )


def whole(value: Any, key: str) -> int:
    """A whole number, also as text or as 4.0; InputError for anything else."""
    if (isinstance(value, str) and value.isdecimal()) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{key}: {value!r} is not a whole number")
    return value


def _sets(bonds: Any, noun: str) -> Iterable[str]:
    """Names of the sets of bonds."""
    if not isinstance(bonds, Mapping):
        raise InputError(f"{noun.rstrip('.')}: must be a mapping of j1 and, if there are any, j2 to lists of pairs")
    unknown = sorted({str(name) for name in bonds} - {*BOND_SETS})
    if unknown:
        raise InputError(f"{noun}{unknown[0]}: unknown set of bonds; known: {', '.join(BOND_SETS)}")
    if not bonds.get("j1"):
        raise InputError(f"{noun}j1: missing; give at least one pair of sites")
    return [name for name in BOND_SETS if bonds.get(name)]


def _pairs(key: str, pairs: Any) -> list[Pair]:
    if isinstance(pairs, str) or not isinstance(pairs, Sequence):
        raise InputError(f"{key}: must be a list of pairs of sites")
    return [_pair(f"{key}.{number}", pair) for number, pair in enumerate(pairs)]


def _pair(key: str, pair: Any) -> Pair:
    if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
        raise InputError(f"{key}: {pair!r} is not a pair of sites")
    i, j = sorted(whole(site, key) for site in pair)
    if i < 0:
        raise InputError(f"{key}: site {i} is out of range; sites are counted from 0")
    if i == j:
        raise InputError(f"{key}: joins site {i} to itself")
    return i, j


def _no_bond_twice(bonds: Mapping[str, Sequence[Pair]], noun: str) -> None:
    met: dict[Pair, str] = {}
    for name in BOND_SETS:
        for number, pair in enumerate(bonds[name]):
            key = f"{noun}{name}.{number}"
            if pair in met:
                raise InputError(f"{key}: sites {pair[0]} and {pair[1]} are joined already by {met[pair]}; keep one")
            met[pair] = key


def _number_of_sites(bonds: Mapping[str, Sequence[Pair]], n_sites: Any, noun: str) -> int:
    """As given, or one more than the highest site of a bond."""
    highest = max(pair[1] for pairs in bonds.values() for pair in pairs)
    number = highest + 1 if n_sites is None else whole(n_sites, "sites")
    for name, pairs in bonds.items():
        for place, pair in enumerate(pairs):
            if pair[1] >= number:
                raise InputError(
                    f"{noun}{name}.{place}: site {pair[1]} is out of range; {number} sites are 0 to {number - 1}"
                )
    return number


def _connected(n_sites: int, pairs: Sequence[Pair]) -> None:
    reached, joined = {0}, True
    while joined:
        fresh = {site for pair in pairs if len(reached & {*pair}) == 1 for site in pair} - reached
        reached, joined = reached | fresh, bool(fresh)
    apart = sorted({*range(n_sites)} - reached)
    if apart:
        shown = ", ".join(map(str, apart[:5])) + (", …" if len(apart) > 5 else "")
        raise InputError(f"the cluster is not connected: no bonds lead from site 0 to {shown}; give each part its own")


def _positions(positions: Any, n_sites: int) -> tuple[tuple[float, float], ...]:
    if isinstance(positions, str) or not isinstance(positions, Sequence) or len(positions) != n_sites:
        given = f"{len(positions)} positions" if isinstance(positions, Sequence) else repr(positions)
        raise InputError(f"positions: {given} for {n_sites} sites; give [x, y] of each")
    return tuple(_position(f"positions.{site}", position) for site, position in enumerate(positions))


def _position(key: str, position: Any) -> tuple[float, float]:
    try:
        x, y = (float(value) for value in position)
    except (TypeError, ValueError):
        raise InputError(f"{key}: {position!r} is not a pair of numbers") from None
    if not (isfinite(x) and isfinite(y)):
        raise InputError(f"{key}: {position!r} is not finite")
    return x, y


def _symmetries(symmetries: Any, n_sites: int, bonds: Mapping[str, Sequence[Pair]]) -> dict[str, tuple[int, ...]]:
    """Permutations by name, each of which maps every set of bonds onto itself."""
    if not isinstance(symmetries, Mapping):
        raise InputError("symmetries: must be a mapping of names to permutations of the sites")
    return {str(name): _symmetry(f"symmetries.{name}", move, n_sites, bonds) for name, move in symmetries.items()}


def _symmetry(key: str, move: Any, n_sites: int, bonds: Mapping[str, Sequence[Pair]]) -> tuple[int, ...]:
    if isinstance(move, str) or not isinstance(move, Sequence):
        raise InputError(f"{key}: must be a list, entry i the site that site i moves to")
    permutation = tuple(whole(site, key) for site in move)
    if sorted(permutation) != list(range(n_sites)):
        raise InputError(f"{key}: is no permutation of the {n_sites} sites; each of 0 to {n_sites - 1} must stand once")
    for name in BOND_SETS:
        for i, j in bonds[name]:
            image = tuple(sorted((permutation[i], permutation[j])))
            if image not in bonds[name]:
                raise InputError(f"{key}: moves the {name} bond ({i}, {j}) to {image}, where there is none")
    return permutation
