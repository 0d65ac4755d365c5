"""Lists of bonds: what is taken, and that every mistake is refused with its key."""

import pytest

from nqs.model.bond_lists import check
from nqs.runtime.errors import InputError

RING = [[i, (i + 1) % 6] for i in range(6)]
ROUND = {"turn": [1, 2, 3, 4, 5, 0]}


def ring(*more):
    return {"j1": [*RING, *more]}


def test_bonds_are_sorted_and_text_of_digits_is_a_number():
    listed = check({"j1": [["1", "0"], [2, 1], [3, 2]], "j2": [[3, 0]]})
    assert listed.n_sites == 4
    assert listed.bonds == {"j1": ((0, 1), (1, 2), (2, 3)), "j2": ((0, 3),)}
    assert (listed.positions, listed.symmetries) == (None, None)


def test_what_was_checked_is_accepted_again():
    listed = check(ring(), [[i, 0.5] for i in range(6)], ROUND, 6)
    assert check(**listed.settings()) == listed


MISTAKES: dict[str, tuple[dict, str]] = {
    "site beyond the last": ({"bonds": ring([0, 7]), "n_sites": 6}, r"bonds\.j1\.6: site 7 is out of range"),
    "site below zero": ({"bonds": ring([0, -1])}, r"bonds\.j1\.6: site -1 is out of range"),
    "bond twice": ({"bonds": ring([1, 0])}, r"bonds\.j1\.6: sites 0 and 1 are joined already by bonds\.j1\.0"),
    "bond in both sets": ({"bonds": ring() | {"j2": [[5, 0]]}}, r"bonds\.j2\.0: sites 0 and 5 .* bonds\.j1\.5"),
    "bond to itself": ({"bonds": ring([2, 2])}, r"bonds\.j1\.6: joins site 2 to itself"),
    "fraction of a site": ({"bonds": ring([0, 1.5])}, r"bonds\.j1\.6: 1\.5 is not a whole number"),
    "word for a site": ({"bonds": ring(["a", 1])}, r"bonds\.j1\.6: 'a' is not a whole number"),
    "truth for a site": ({"bonds": ring([True, 3])}, r"bonds\.j1\.6: True is not a whole number"),
    "three sites": ({"bonds": ring([0, 2, 4])}, r"bonds\.j1\.6: \[0, 2, 4\] is not a pair"),
    "number for a bond": ({"bonds": ring(3)}, r"bonds\.j1\.6: 3 is not a pair"),
    "number for bonds": ({"bonds": {"j1": 3}}, r"bonds\.j1: must be a list"),
    "no mapping": ({"bonds": RING}, "bonds: must be a mapping"),
    "no bonds": ({"bonds": {"j1": []}}, r"bonds\.j1: missing"),
    "only J2": ({"bonds": {"j2": RING}}, r"bonds\.j1: missing"),
    "third set": ({"bonds": ring() | {"j3": [[0, 3]]}}, r"bonds\.j3: unknown set of bonds"),
    "two parts": ({"bonds": ring([6, 7])}, "not connected: no bonds lead from site 0 to 6, 7"),
    "site without a bond": ({"bonds": ring(), "n_sites": 8}, "not connected: .* to 6, 7"),
    "odd number of sites": ({"bonds": ring([0, 6])}, "7 sites: an odd number of spins"),
    "far too many sites": ({"bonds": ring([0, 10**9])}, "1000000001 sites: too many .*; at most 36"),
    "far too many sites by their number": ({"bonds": ring(), "n_sites": 10**12}, "1000000000000 sites: too many"),
    "single bond": ({"bonds": {"j1": [[0, 1]]}}, "2 sites: give at least 4"),
    "too few positions": ({"bonds": ring(), "positions": [[0, 0]] * 5}, "positions: 5 positions for 6 sites"),
    "position of three numbers": ({"bonds": ring(), "positions": [[0, 0, 0]] * 6}, r"positions\.0: .* pair of numbers"),
    "position that is no number": ({"bonds": ring(), "positions": [[0, "x"]] * 6}, r"positions\.0: .* pair of numbers"),
    "position at infinity": ({"bonds": ring(), "positions": [[0, float("inf")]] * 6}, r"positions\.0: .* not finite"),
    "no permutation": ({"bonds": ring(), "symmetries": {"t": [0, 0, 2, 3, 4, 5]}}, r"symmetries\.t: is no permutation"),
    "short permutation": ({"bonds": ring(), "symmetries": {"t": [1, 0]}}, r"symmetries\.t: is no permutation"),
    "permutation that breaks bonds": (
        {"bonds": ring(), "symmetries": {"t": [1, 0, 2, 3, 4, 5]}},
        r"symmetries\.t: moves the j1 bond \(0, 5\) to \(1, 5\), where there is none",
    ),
    "permutation that breaks J2 bonds": (
        {"bonds": ring() | {"j2": [[0, 3]]}, "symmetries": ROUND},
        r"symmetries\.turn: moves the j2 bond \(0, 3\) to \(1, 4\)",
    ),
    "list of symmetries": ({"bonds": ring(), "symmetries": [[1, 2]]}, "symmetries: must be a mapping"),
    "number for a symmetry": ({"bonds": ring(), "symmetries": {"t": 3}}, r"symmetries\.t: must be a list"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_refused_with_their_key(mistake):
    given, message = MISTAKES[mistake]
    with pytest.raises(InputError, match=message):
        check(**given)
