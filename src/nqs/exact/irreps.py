"""Real representations of a cluster's space group and spin flip that hold every level of the Sz = 0 space.

A state of an irrep D of dimension n is a function psi from basis states to R^n with psi(g s) = D(g) psi(s). Its
momenta are a star: k, -k and what point operations make of k. D is induced from the little group: a translation turns
the plane (Re psi, Im psi) by k.t, an operation that leaves k alone multiplies it by +-1, one that takes k to -k
conjugates it. Point operations that with the others would make up a translation are left out; their irreps split.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import h5py
import numpy as np

from nqs.exact.soundness import check_permutations
from nqs.model.symmetry import Generator, make_generator, make_group
from nqs.runtime.hdf5 import store

Momentum = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Irrep:
    """One real representation: momentum (2,) in units of 2 pi / L, one of the star, and spin flip +-1.

    matrices: generator -> (n, n);  block: size of the blocks (1 or 2) of which each row and column has one.
    """

    momentum: tuple[int, int]
    spin_flip: int
    parities: tuple[int, ...]
    complex_momentum: bool
    block: int
    matrices: Mapping[str, np.ndarray]

    @property
    def dimension(self) -> int:
        """Number of components n."""
        return len(self.matrices["spin_flip"])

    @property
    def name(self) -> str:
        """Momentum and spin flip, for people."""
        sign = "+-" if self.complex_momentum else ""
        return f"momentum {sign}{self.momentum}, spin flip {self.spin_flip:+d}"


@dataclass(frozen=True, eq=False)
class SpaceGroup:
    """Translations and point operations that form a group of products t p, each named once."""

    n_sites: int
    translations: Sequence[Generator]
    point: Sequence[Generator]

    @cached_property
    def moves(self) -> tuple[np.ndarray, np.ndarray]:
        """All translations (T, n_sites) and the exponents of the generators (T, generators)."""
        group, exponents = make_group(self.translations, self.n_sites)
        return group.permutations, exponents

    @cached_property
    def operations(self) -> np.ndarray:
        """All point operations (P, n_sites), the identity first."""
        return make_group(self.point, self.n_sites)[0].permutations

    @cached_property
    def places(self) -> dict[bytes, tuple[int, int]]:
        """Permutation t p -> numbers of t and p."""
        return {
            translation[operation].tobytes(): (t, p)
            for t, translation in enumerate(self.moves[0])
            for p, operation in enumerate(self.operations)
        }

    @cached_property
    def _tour(self) -> list[tuple[bytes, bytes, str]]:
        """Every element but the identity, reached by a generator from one before: (element, before, generator)."""
        reached, tour = [np.arange(self.n_sites)], []
        known = {reached[0].tobytes()}
        for element in reached:  # grows
            for g in [*self.translations, *self.point]:
                image = g.permutation[element]
                if image.tobytes() not in known:
                    known.add(image.tobytes())
                    reached.append(image)
                    tour.append((image.tobytes(), element.tobytes(), g.name))
        return tour

    def represented(self, matrices: Mapping[str, np.ndarray]) -> dict[bytes, np.ndarray]:
        """D of every element, from those of the generators."""
        result = {np.arange(self.n_sites).tobytes(): np.eye(len(matrices["spin_flip"]))}
        for element, before, name in self._tour:
            result[element] = matrices[name] @ result[before]
        return result

    def place(self, *factors: np.ndarray) -> tuple[int, int]:
        """Numbers of t and p of a product of permutations, the last applied first; KeyError outside the group."""
        result = np.arange(self.n_sites)
        for factor in reversed(factors):
            result = factor[result]
        return self.places[result.tobytes()]

    @property
    def closed(self) -> bool:
        """Whether this is a group whose products are all different and whose translations are normal."""
        try:
            if len(self.places) != len(self.moves[0]) * len(self.operations):
                return False
            generators = [g.permutation for g in [*self.translations, *self.point]]
            products = [self.place(p, q) for p in self.operations for q in generators]
            turned = [self.place(np.argsort(p), t, p) for p in self.operations for t in self.moves[0]]
        except (KeyError, ValueError):
            return False
        pure = [self.place(p, q)[0] == 0 for p in self.operations for q in self.operations]
        return all(pure) and bool(products) and all(p == 0 for _, p in turned)

    def phase(self, translation: int, momentum: Momentum) -> float:
        """k.t over 2 pi."""
        orders = [g.order for g in self.translations]
        return float(sum(self.moves[1][translation] * np.array(momentum) / np.array(orders))) if orders else 0.0

    def turned(self, operation: int, momentum: Momentum) -> Momentum:
        """The momentum that a point operation makes of k: (p k).t = k.(p^-1 t p)."""
        p = self.operations[operation]
        images = [self.place(np.argsort(p), g.permutation, p)[0] for g in self.translations]
        phases = [self.phase(t, momentum) for t in images]
        return tuple(round(g.order * x) % g.order for g, x in zip(self.translations, phases, strict=True))

    def reversed(self, momentum: Momentum) -> Momentum:
        """The momentum -k."""
        return tuple(-k % g.order for k, g in zip(momentum, self.translations, strict=True))


def space_group(translations: Sequence[Generator], point: Sequence[Generator], n_sites: int) -> SpaceGroup:
    """The group of the translations and as many of the point operations as keep it closed."""
    group = SpaceGroup(n_sites, translations, [])
    for generator in point:
        larger = SpaceGroup(n_sites, translations, [*group.point, generator])
        group = larger if larger.closed else group
    return group


def write_space_group(file: h5py.File, translations: Mapping[str, np.ndarray], point: Mapping[str, np.ndarray]) -> None:
    """Add the symmetries of a cluster to its Hamiltonian file, also those that its sectors do not use."""
    for kind, moves in (("translations", translations), ("point", point)):
        group = file.create_group(f"space_group/{kind}", track_order=True)
        for name, permutation in moves.items():
            store(group, name, permutation)


def read_space_group(file: h5py.File) -> SpaceGroup:
    """The symmetries of the cluster of a Hamiltonian file."""
    n_sites = int(file.attrs["n_sites"])
    kinds = {kind: file[f"space_group/{kind}"] for kind in ("translations", "point")}
    moves = {kind: {name: move[...] for name, move in group.items()} for kind, group in kinds.items()}
    for group in moves.values():
        check_permutations(np.array([*group.values()]).reshape(-1, n_sites))
    found = {kind: [make_generator(name, move) for name, move in group.items()] for kind, group in moves.items()}
    moving = [g for g in found["translations"] if g.order > 1]
    return space_group(moving, found["point"], n_sites)


def irreps(group: SpaceGroup) -> Iterator[Irrep]:
    """Representations that together hold every level; each is irreducible, or a sum of irreps of one star.

    Sectors of real characters may hold a part of such a sum: `nqs.exact.all_momenta.unsearched` tells.
    """
    for momentum in product(*(range(g.order) for g in group.translations)):
        turned = [group.turned(p, momentum) for p in range(len(group.operations))]
        if momentum == min([*turned, *map(group.reversed, turned)]):
            yield from _of_star(group, momentum, turned)


def _of_star(group: SpaceGroup, momentum: Momentum, turned: Sequence[Momentum]) -> Iterator[Irrep]:
    is_complex = momentum != group.reversed(momentum)
    little = _commuting_involutions(group, [p for p, k in enumerate(turned) if k == momentum])
    kept = _products(group, little)
    conjugation = [p for p, k in enumerate(turned) if k == group.reversed(momentum) and _fits(group, p, kept)]
    named = dict(zip((g.name for g in group.translations), momentum, strict=True))
    same = [p for p, k in enumerate(turned) if k == momentum]
    for parities in product((1, -1), repeat=len(little)):
        signs = _products(group, little, parities)
        if any(_conjugated(group, p, little, signs) > parities for p in same):
            continue  # equivalent to the other one
        induced = _Induced(group, momentum, signs, conjugation[0] if is_complex and conjugation else None, is_complex)
        matrices = {g.name: induced.matrix(g.permutation) for g in [*group.translations, *group.point]}
        for flip in (1, -1):
            yield Irrep(
                momentum=(named.get("tx", 0), named.get("ty", 0)),
                spin_flip=flip,
                parities=parities,
                complex_momentum=is_complex,
                block=2 if is_complex else 1,
                matrices={**matrices, "spin_flip": flip * np.eye(induced.dimension)},
            )


def _commuting_involutions(group: SpaceGroup, candidates: Sequence[int]) -> list[int]:
    """Independent ones among the point operations, first come first served."""
    chosen: list[int] = []
    for p in candidates:
        products = _products(group, chosen)
        if p not in products and _fits(group, p, products):
            chosen.append(p)
    return chosen


def _fits(group: SpaceGroup, p: int, others: Mapping[int, int]) -> bool:
    """Whether p is an involution that commutes with the others."""
    move = group.operations[p]
    pairs = [(group.place(move, group.operations[q]), group.place(group.operations[q], move)) for q in others]
    return group.place(move, move) == (0, 0) and all(left == right for left, right in pairs)


def _products(group: SpaceGroup, chosen: Sequence[int], parities: Sequence[int] | None = None) -> dict[int, int]:
    """All products of commuting involutions, with the product of their parities."""
    found = {0: 1}
    for p, parity in zip(chosen, parities or [1] * len(chosen), strict=True):
        more = {group.place(group.operations[p], group.operations[q])[1]: parity * sign for q, sign in found.items()}
        found = {**found, **more}
    return found


def _conjugated(group: SpaceGroup, p: int, little: Sequence[int], signs: Mapping[int, int]) -> tuple[int, ...]:
    """Parities of the operations p^-1 q p, q in `little`; those of q where they are not among the known."""
    move = group.operations[p]
    images = [group.place(np.argsort(move), group.operations[q], move)[1] for q in little]
    return tuple(signs.get(image, signs[q]) for image, q in zip(images, little, strict=True))


class _Induced:
    """The representation of the whole group that one of the little group induces."""

    def __init__(
        self, group: SpaceGroup, momentum: Momentum, signs: Mapping[int, int], conjugation: int | None, plane: bool
    ) -> None:
        self.group, self.momentum, self.plane = group, momentum, plane
        # Point operations of the inducing subgroup: sign, and whether they conjugate
        self.known = {p: (sign, False) for p, sign in signs.items()}
        if conjugation is not None:
            by = group.operations[conjugation]
            self.known |= {group.place(by, group.operations[p])[1]: (sign, True) for p, sign in signs.items()}
        self.cosets: list[np.ndarray] = []
        for move in group.operations:
            if all(group.place(np.argsort(c), move)[1] not in self.known for c in self.cosets):
                self.cosets.append(move)

    @property
    def dimension(self) -> int:
        """Number of components."""
        return len(self.cosets) * (2 if self.plane else 1)

    def matrix(self, move: np.ndarray) -> np.ndarray:
        """D of one symmetry (n, n)."""
        size = 2 if self.plane else 1
        result = np.zeros((self.dimension, self.dimension))
        for i, to in enumerate(self.cosets):
            for j, origin in enumerate(self.cosets):
                t, p = self.group.place(np.argsort(to), move, origin)
                if p in self.known:
                    result[i * size : (i + 1) * size, j * size : (j + 1) * size] = self._little(t, p)
        return result

    def _little(self, translation: int, operation: int) -> np.ndarray:
        """Matrix of t p on the plane of one momentum, or its sign where k = -k."""
        angle = 2 * np.pi * self.group.phase(translation, self.momentum)
        sign, conjugates = self.known[operation]
        cosine, sine = np.cos(angle), np.sin(angle)
        if not self.plane:
            return np.array([[sign * np.rint(cosine)]])
        return sign * np.array([[cosine, -sine], [sine, cosine]]) @ np.diag([1.0, -1.0 if conjugates else 1.0])
