"""Files that describe a cluster, JSON or YAML.

Either lists of bonds, `j1` and `j2` at the top or below `bonds`, with `sites`, `positions` and `symmetries` where there
are any; further entries are notes. Or an input of SpinED and lattice-symmetries: `basis` with `number_spins` and
`symmetries`, `hamiltonian` with up to two terms, the J1 and the J2 bonds in this order, each with the matrix of
sigma.sigma. Everything else in such a file, the sectors of its symmetries included, says what to compute and not on
which cluster; it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isclose
from pathlib import Path
from typing import Any

from nqs.model.bond_lists import BOND_SETS, BondList, check, whole
from nqs.runtime import yaml_text
from nqs.runtime.errors import InputError

EXCHANGE = ((1, 0, 0, 0), (0, -1, 2, 0), (0, 2, -1, 0), (0, 0, 0, 1))  # sigma.sigma of two spins


def read(path: Path, shown: str = "") -> BondList:
    """The cluster of a file; InputError that names the file, as `shown`, and the key."""
    name = shown or str(path)
    content = yaml_text.read_mapping(path, name)
    try:
        if "hamiltonian" in content:
            return _of_operator(content)
        if "bonds" in content and (stray := [key for key in BOND_SETS if key in content]):
            raise InputError(f"{stray[0]}: stands at the top and bonds are given as well; keep one")
        lists = content.get("bonds", {key: content[key] for key in BOND_SETS if key in content})
        noun = "bonds." if "bonds" in content else ""
        if not lists:
            raise InputError("bonds: missing; give j1 and, if there are any, j2 as lists of pairs of sites")
        return check(lists, content.get("positions"), content.get("symmetries"), content.get("sites"), noun)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _of_operator(content: Mapping[str, Any]) -> BondList:
    basis, operator = content.get("basis"), content["hamiltonian"]
    if not isinstance(basis, Mapping) or "number_spins" not in basis:
        raise InputError("basis.number_spins: missing")
    n_sites = whole(basis["number_spins"], "basis.number_spins")
    weight = basis.get("hamming_weight")
    if weight is not None and 2 * whole(weight, "basis.hamming_weight") != n_sites:
        raise InputError(f"basis.hamming_weight: {weight} of {n_sites} spins up; ground states are sought at Sz = 0")
    terms = operator.get("terms") if isinstance(operator, Mapping) else None
    if not isinstance(terms, Sequence) or not 1 <= len(terms) <= len(BOND_SETS):
        raise InputError("hamiltonian.terms: must be a list of one or two terms, the J1 and the J2 bonds")
    factors = [_factor(f"hamiltonian.terms.{number}", term) for number, term in enumerate(terms)]
    if not all(isclose(factor, factors[0]) for factor in factors):
        raise InputError(
            f"hamiltonian.terms.1: its matrix is {factors[1] / factors[0]:g} times that of term 0; "
            "J2/J1 is set by the configuration, so give both the same matrix"
        )
    bonds = {name: term.get("sites") for name, term in zip(BOND_SETS, terms, strict=False)}
    try:
        return check(bonds, None, _permutations(basis.get("symmetries")), n_sites)
    except InputError as error:
        raise InputError(_in_operator(str(error))) from None


def _in_operator(message: str) -> str:
    """A message about a list of bonds, in the words of such a file."""
    for number, name in enumerate(BOND_SETS):
        message = message.replace(f"bonds.{name}", f"hamiltonian.terms.{number}.sites")
    return message.replace("symmetries.", "basis.symmetries.")


def _factor(key: str, term: Any) -> float:
    """What the matrix of a term is times sigma.sigma; InputError if it is something else or ferromagnetic."""
    matrix = term.get("matrix") if isinstance(term, Mapping) else None
    try:
        rows = [tuple(float(value) for value in row) for row in matrix]  # type: ignore[union-attr]
        factor = rows[0][0]
        exact = [tuple(round(value / factor, 12) for value in row) for row in rows]
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        factor, exact = 0.0, []
    if factor <= 0 or exact != [*EXCHANGE]:
        raise InputError(
            f"{key}.matrix: must be a positive multiple of the Heisenberg exchange "
            f"{[list(row) for row in EXCHANGE]}; other interactions are not computed here"
        )
    return factor


def _permutations(symmetries: Any) -> dict[str, Any] | None:
    """Permutations by their number; none given means that they are found from the bonds."""
    if not symmetries:
        return None
    if not isinstance(symmetries, Sequence) or not all(isinstance(entry, Mapping) for entry in symmetries):
        raise InputError("basis.symmetries: must be a list of permutations with their sectors")
    return {str(number): entry.get("permutation") for number, entry in enumerate(symmetries)}
