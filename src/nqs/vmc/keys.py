"""What a result is called and what its random numbers depend on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nqs.supervised.keys import NetworkKey

SWEEP, TRACE = "sweep", "trace"
PLAIN, SIGNS_FIRST = "plain", "signs_first"


SEARCH, FINAL, SINGLE, EQUAL = "search", "final", "single", "equal"


DEEP = re.compile(r"deep([2-9])x([1-9]\d*)")  # layers and filters of a deep network


@dataclass(frozen=True, order=True)
class ReconfigurationKey(NetworkKey):
    """Identity of a cell of stochastic reconfiguration.

    method: `plain`, the published one, or `signs_first` (nqs.vmc.signs_first).
    """

    method: str

    @property
    def name(self) -> str:
        """Last part of the cell's path."""
        return self.network if self.method == PLAIN else f"{self.network}-{self.method}"


@dataclass(frozen=True, order=True)
class VmcKey:
    """Identity of a cell of variational Monte Carlo: restricted Boltzmann machines with alpha n_sites hidden units.

    mode: the protocol of sampling, `paper` or `sound`; run: `sweep` stops at an energy criterion, `trace` does not.
    """

    study: str
    cluster: str
    alpha: int
    mode: str
    run: str

    @property
    def name(self) -> str:
        """Last part of the cell's path."""
        return f"rbm{self.alpha}-{self.mode}-{self.run}"

    @property
    def path(self) -> str:
        """Path of the cell below results/<scale>/<stage>/."""
        return f"{self.study}/{self.cluster}/{self.name}"


@dataclass(frozen=True, order=True)
class MotifKey:
    """Identity of a cell of energy descent on a ring: networks that see windows of `width` sites.

    network: the shallow one by its symmetry forcing, `original`, `init` or `traj`, or deep{layers}x{filters};
    run: `search` over settings of the optimiser, `final` with the chosen one, `single` the same with one chain, `trace`
    over settings with parameters kept along the way, `equal` over the same settings for all networks.
    """

    study: str
    n_sites: int
    width: int
    network: str
    run: str

    @property
    def deep(self) -> bool:
        """True for deep{layers}x{filters}."""
        return DEEP.fullmatch(self.network) is not None

    @property
    def depth(self) -> tuple[int, int]:
        """Layers and filters; (1, 1) for the shallow network."""
        match = DEEP.fullmatch(self.network)
        return (int(match[1]), int(match[2])) if match else (1, 1)

    @property
    def name(self) -> str:
        """Last part of the cell's path."""
        return f"k{self.width}-{self.network}-{self.run}"

    @property
    def path(self) -> str:
        """Path of the cell below results/<scale>/<stage>/."""
        return f"{self.study}/n{self.n_sites}/{self.name}"


@dataclass(frozen=True, order=True)
class OptimaKey:
    """Identity of a cell of exact variational optima: one ring and motif length."""

    study: str
    n_sites: int
    width: int

    @property
    def path(self) -> str:
        """Path of the cell below results/<scale>/<stage>/."""
        return f"{self.study}/n{self.n_sites}/k{self.width}"
