"""Sites, bonds and symmetries of rectangular periodic clusters, of rings, and of clusters given by their bonds.

Square, triangle and ring: site i = x + Lx y; a ring has Ly = 1, bonds between neighbours and no J2. Kagome: unit cell
X + Lx Y holds sites 3 cell + (0, 1, 2) at (2X, 2Y), (2X+1, 2Y), (2X, 2Y+1) of a grid of 2Lx x 2Ly points whose odd-odd
points are empty. The ten cells of kagome30 fill a tilted torus, written as one row of shape (10, 1): a step along y is
the same as seven steps along x, so that `tx` alone generates all translations. A cluster with a missing bond keeps the
symmetries that leave this bond alone.

A cluster given by its bonds has the lattice "bonds" and the shape (N, 1). Its `translations` are commuting involutions,
so that the sectors of the ground-state search cover the whole Sz = 0 space; `point_group` makes the group larger. Both
are found from the bonds (nqs.model.automorphisms), unless symmetries are given: then from their products.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np

from nqs.model.automorphisms import find_symmetries
from nqs.model.bond_lists import check as check_bonds
from nqs.model.clusters import BY_BONDS, CLUSTERS, LATTICES, MISSING_BONDS, Point, sites
from nqs.runtime.errors import InputError

# Steps along x that equal one along y on tilted tori of one row; `ty` takes them back and is the identity.
TILTS = {("kagome", (10, 1)): 7}
# Sites of kagome30 in the order of the published list of bonds, as 3 cell + place 0, 1, 2 in the cell; cell (X, Y) has
# the number X + 7 Y modulo 10. Then the cells (X, Y) where these numbers are drawn.
KAGOME30_SITES = (
    0, 2, 21, 28, 19, 10, 29, 18, 20, 9, 11, 16, 7, 15, 17, 6, 8, 27, 13, 4, 25, 14, 3, 5, 24, 26, 1, 22, 23, 12,
)  # fmt: skip
KAGOME30_CELLS = ((0, 0), (1, 0), (2, 0), (3, 0), (0, 2), (1, 2), (2, 2), (0, 1), (1, 1), (2, 1))


@dataclass(frozen=True, eq=False)
class Cluster:
    """A cluster with its two bond sets and its symmetry generators.

    positions (n_sites, 2) Cartesian, for drawing;  j1, j2 (bonds, 2), pairs i < j, rows sorted;
    a symmetry is an array (n_sites,) whose entry i is the site that site i moves to.
    """

    name: str
    lattice: str
    shape: tuple[int, int]
    n_sites: int
    positions: np.ndarray
    j1: np.ndarray
    j2: np.ndarray
    translations: dict[str, np.ndarray]
    point_group: dict[str, np.ndarray]


def cluster(name: str, extra: Mapping[str, Mapping] | None = None) -> Cluster:
    """The cluster called `name`, built in or described in `extra`.

    extra: name -> settings as of `cluster_of`;  ValueError for an unknown name.
    """
    if extra and name in extra:
        return cluster_of({"name": name, **extra[name]})
    if name not in CLUSTERS:
        known = [*CLUSTERS, *(extra or {})]
        near = get_close_matches(name, known, n=1, cutoff=0.0)[0]
        raise InputError(f"unknown cluster '{name}'; the nearest known name is '{near}'")
    return make_cluster(name, *CLUSTERS[name])


def cluster_of(settings: Mapping[str, Any]) -> Cluster:
    """The cluster that settings describe: name, lattice and shape; in place of a shape also bonds.

    bonds: set -> pairs;  positions: [x, y] of each site, or None;  permutations: given symmetries by name, or None.
    """
    if settings["lattice"] != BY_BONDS:
        width, height = settings["shape"]
        return make_cluster(settings["name"], settings["lattice"], (width, height))
    return bond_cluster(settings["name"], *(settings.get(key) for key in ("bonds", "positions", "permutations")))


def bond_cluster(name: str, bonds: Any, positions: Any = None, symmetries: Any = None) -> Cluster:
    """A cluster given by its bonds; without positions its sites are drawn on a circle. InputError for broken lists."""
    listed = check_bonds(bonds, positions, symmetries)
    n_sites = listed.n_sites
    given = None if listed.symmetries is None else list(listed.symmetries.values())
    found = find_symmetries(n_sites, list(listed.bonds.values()), given)
    # With no involution there still is a translation, so that nothing else is taken for what labels the sectors.
    commuting = found.commuting or [tuple(range(n_sites))]
    moves = {f"s{n}": np.array(move) for n, move in enumerate([*commuting, *found.further])}
    names = list(moves)
    made = Cluster(
        name=name,
        lattice=BY_BONDS,
        shape=(n_sites, 1),
        n_sites=n_sites,
        positions=_circle(n_sites) if listed.positions is None else np.array(listed.positions),
        j1=np.array(listed.bonds["j1"], dtype=int).reshape(-1, 2),
        j2=np.array(listed.bonds["j2"], dtype=int).reshape(-1, 2),
        translations={key: moves[key] for key in names[: len(commuting)]},
        point_group={key: moves[key] for key in names[len(commuting) :]},
    )
    check_symmetries(made)
    return made


def make_cluster(name: str, lattice: str, shape: tuple[int, int]) -> Cluster:
    """A torus of `shape` unit cells along x and y, a ring of shape (N, 1), or kagome30.

    InputError if a side is so short that two bonds coincide, if a ring is odd, shorter than 4 sites or has two rows,
    or if a symmetry breaks a bond set.
    """
    n_sites = sites(lattice, shape)
    pattern = LATTICES[lattice]
    if pattern.one_row:
        _check_ring(name, shape, pattern.smallest_side)
    grid = _grid(lattice, shape)
    wrap = _wrap(lattice, shape)
    index = {wrap(point): i for i, point in enumerate(grid)}

    def permutation(move: Callable[[int, int], Point]) -> np.ndarray:
        return np.array([index[wrap(move(a, b))] for a, b in grid])

    j1 = _bonds(name, grid, index, wrap, pattern.j1)
    j2 = _bonds(name, grid, index, wrap, pattern.j2)
    step = pattern.step
    made = Cluster(
        name=name,
        lattice=lattice,
        shape=shape,
        n_sites=n_sites,
        positions=_cartesian(lattice, grid),
        j1=j1,
        j2=j2,
        translations={
            "tx": permutation(lambda a, b: (a + step, b)),
            "ty": permutation(lambda a, b: (a - step * TILTS.get((lattice, shape), 0), b + step)),
        },
        point_group={key: permutation(move) for key, move in _point_group(lattice, shape).items()},
    )
    if name in MISSING_BONDS:
        made = without_bond(made, MISSING_BONDS[name])
    check_symmetries(made)
    return made


def without_bond(cluster: Cluster, bond: tuple[int, int]) -> Cluster:
    """The cluster without one J1 bond; its symmetries are commuting involutions that map the bond onto itself.

    InputError if there is no such bond.
    """
    removed = (cluster.j1 == sorted(bond)).all(axis=1)
    if not removed.any():
        raise InputError(f"{cluster.name}: sites {bond[0]} and {bond[1]} share no J1 bond that could be left out")
    left: list[np.ndarray] = []
    known = {tuple(range(cluster.n_sites))}
    for move in _products([*cluster.translations.values(), *cluster.point_group.values()]):
        keeps = set(move[list(bond)].tolist()) == set(bond)
        involution = np.array_equal(move[move], np.arange(cluster.n_sites))
        commutes = all(np.array_equal(move[other], other[move]) for other in left)
        if keeps and involution and commutes and tuple(move) not in known:
            left.append(move)
            known |= {tuple(move[list(element)]) for element in known}
    symmetries = {f"s{n}": move for n, move in enumerate(left)}
    return replace(cluster, j1=cluster.j1[~removed], translations={}, point_group=symmetries)


def _products(generators: list[np.ndarray]) -> list[np.ndarray]:
    """All elements of the group of these permutations, sorted."""
    found = {tuple(range(len(generators[0])))}
    fresh = found
    while fresh:
        fresh = {tuple(move[list(element)].tolist()) for element in fresh for move in generators} - found
        found |= fresh
    return [np.array(element) for element in sorted(found)]


def check_symmetries(cluster: Cluster) -> None:
    """ValueError unless every generator maps each bond set onto itself and no pair is in both."""
    pairs = {tuple(bond) for bond in cluster.j1} & {tuple(bond) for bond in cluster.j2}
    if pairs:
        raise InputError(f"{cluster.name}: bond {min(pairs)} belongs to both J1 and J2")
    for key, permutation in {**cluster.translations, **cluster.point_group}.items():
        for bonds in (cluster.j1, cluster.j2):
            if not np.array_equal(_sorted_bonds(permutation[bonds]), bonds):
                raise InputError(f"{cluster.name}: {key} does not map the bonds onto themselves")


def _check_ring(name: str, shape: tuple[int, int], shortest: int) -> None:
    length, rows = shape
    if rows != 1 or length < shortest or length % 2:
        raise InputError(f"{name}: a ring has shape (N, 1) with N even and at least {shortest}, not {tuple(shape)}")


def _grid(lattice: str, shape: tuple[int, int]) -> list[Point]:
    """Integer coordinates of the sites, in site order."""
    basis, step = LATTICES[lattice].basis, LATTICES[lattice].step
    if (lattice, shape) in TILTS:
        places = ((KAGOME30_CELLS[site // 3], basis[site % 3]) for site in KAGOME30_SITES)
        return [(2 * x + a, 2 * y + b) for (x, y), (a, b) in places]
    cells = [(x, y) for y in range(shape[1]) for x in range(shape[0])]
    return [(step * x + a, step * y + b) for x, y in cells for a, b in basis]


def _wrap(lattice: str, shape: tuple[int, int]) -> Callable[[Point], Point]:
    step = LATTICES[lattice].step
    width, height = step * shape[0], step * shape[1]
    tilt = step * TILTS.get((lattice, shape), 0)
    return lambda point: ((point[0] + tilt * (point[1] // height)) % width, point[1] % height)


def _bonds(
    name: str,
    grid: list[Point],
    index: dict[Point, int],
    wrap: Callable[[Point], Point],
    directions: Iterable[Point],
) -> np.ndarray:
    """Sorted bonds along `directions`, each once; grid points without a site have none."""
    pairs = []
    for da, db in directions:
        ends = ((index[wrap((a, b))], index.get(wrap((a + da, b + db)))) for a, b in grid)
        pairs += [(i, j) for i, j in ends if j is not None]
    bonds = _sorted_bonds(np.array(pairs, dtype=int).reshape(-1, 2))
    if len(np.unique(bonds, axis=0)) < len(bonds) or (bonds[:, 0] == bonds[:, 1]).any():
        raise InputError(f"{name}: a side is too short, two of its bonds coincide")
    return bonds


def _sorted_bonds(bonds: np.ndarray) -> np.ndarray:
    bonds = np.sort(bonds, axis=1)
    return bonds[np.lexsort((bonds[:, 1], bonds[:, 0]))]


def _cartesian(lattice: str, grid: list[Point]) -> np.ndarray:
    points = np.array(grid, dtype=float)
    if LATTICES[lattice].one_row:
        return _circle(len(points))
    if not LATTICES[lattice].oblique:
        return points
    return points @ np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])


def _circle(n_sites: int) -> np.ndarray:
    """Sites on a circle, clockwise from the top, neighbours at distance 1: (n_sites, 2)."""
    angle = 2 * np.pi * np.arange(n_sites, dtype=float) / n_sites
    return np.column_stack([np.sin(angle), np.cos(angle)]) / (2 * np.sin(np.pi / n_sites))


def _point_group(lattice: str, shape: tuple[int, int]) -> dict[str, Callable[[int, int], Point]]:
    """Point-group generators that fit the torus, as moves of grid coordinates."""
    width, height = shape
    moves: dict[str, Callable[[int, int], Point]] = {}
    if lattice == "square":
        moves["px"] = lambda x, y: (-x, y)
        moves["py"] = lambda x, y: (x, -y)
    if LATTICES[lattice].inversion:
        moves["inv"] = lambda a, b: (-a, -b)
    if lattice in ("square", "triangle") and width == height:
        moves["pd"] = lambda x, y: (y, x)
    if lattice == "kagome" and width % height == 0 and (lattice, shape) not in TILTS:
        # Mirror through site 1 that swaps the two J1 directions and reverses the J2 chains.
        moves["pm"] = lambda a, b: (a, 1 - a - b)
    return moves
