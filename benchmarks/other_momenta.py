"""Products with H for the representations that the sectors of a ground-state search leave out: alone and side by side.

usage   python benchmarks/other_momenta.py [cluster] [--pairs 3]
prints  CPU seconds of the links and, per kind of representation, of one product: the baseline takes the representations
        one after the other, and is compared in pairs, in one run, with as many as share a vector.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from nqs.exact.all_momenta import LONGEST
from nqs.exact.irreps import Irrep, irreps, space_group
from nqs.exact.kernel.lane_vectors import zeros
from nqs.exact.kernel.links import LinkedOrbits, link_orbits
from nqs.exact.kernel.representations import side_by_side
from nqs.model.lattices import cluster
from nqs.model.symmetry import make_generator

COUPLINGS = {"j1": 1.0, "j2": 0.5}


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of a call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def step(linked: LinkedOrbits, group: list[Irrep]) -> Callable[[], None]:
    """One product for representations that share a vector, compiled before."""
    space = linked.space(group, np.float32)
    hamiltonian, x, beta = space.hamiltonian(COUPLINGS), space.start(0), np.ones(len(group))
    y = zeros(x.shape, np.float32)

    def product() -> None:
        hamiltonian.recur(x, y, beta)

    product()
    return product


def main(name: str, pairs: int) -> None:
    """Measure one group of every kind."""
    made = cluster(name)
    translations, point = (
        [make_generator(*move) for move in moves.items()] for moves in (made.translations, made.point_group)
    )
    symmetries = space_group([g for g in translations if g.order > 1], point, made.n_sites)
    flip = make_generator("spin_flip", np.arange(made.n_sites), flip=True)
    generators = [*symmetries.translations, *symmetries.point, flip]
    with TemporaryDirectory() as folder:
        begun = time.process_time()
        linked = link_orbits(generators, made.n_sites, {"j1": made.j1, "j2": made.j2}, Path(folder))
        print(f"{name}: {len(linked.orbits.sizes):,} orbits, links {time.process_time() - begun:.1f} s of CPU")
        measured = set()
        for group in side_by_side(linked, list(irreps(symmetries)), LONGEST):
            kind = len(group), group[0].dimension, group[0].block
            if kind not in measured:
                measured.add(kind)
                compare(linked, group, pairs)


def compare(linked: LinkedOrbits, group: list[Irrep], pairs: int) -> None:
    """One after the other against side by side."""
    together, alone = step(linked, group), step(linked, group[:1])
    ratios = []
    for _ in range(pairs):
        one_by_one = sum(cpu_seconds(alone) for _ in group)
        at_once = cpu_seconds(together)
        ratios.append(one_by_one / at_once)
    print(
        f"  {len(group)} of dimension {group[0].dimension}: {one_by_one:.2f} s one by one, {at_once:.2f} s at once, "
        f"ratios {', '.join(f'{ratio:.1f}' for ratio in sorted(ratios))}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cluster", nargs="?", default="square30")
    parser.add_argument("--pairs", type=int, default=3)
    arguments = parser.parse_args()
    main(arguments.cluster, arguments.pairs)
