"""Identities of supervised cells."""

from __future__ import annotations

from dataclasses import dataclass

from nqs.model.clusters import coupling_name

SAMPLED, WHOLE, DISTINCT, UNIFORM = "sampled", "whole", "distinct", "uniform"


@dataclass(frozen=True, order=True)
class NetworkKey:
    """One network at one coupling of a cluster."""

    study: str
    cluster: str
    j2: float
    network: str

    @property
    def coupling(self) -> tuple[str, float]:
        """Cluster and J2/J1."""
        return self.cluster, self.j2

    @property
    def name(self) -> str:
        """Last part of the cell's path."""
        return self.network

    @property
    def path(self) -> str:
        """Path of the cell below results/<scale>/<stage>/."""
        return f"{self.study}/{self.cluster}/{coupling_name(self.j2)}/{self.name}"


@dataclass(frozen=True, order=True)
class CellKey(NetworkKey):
    """Identity of a supervised cell.

    data: small training sets, as configured (`sampled`), without repeated states (`distinct`) or drawn from all states
    alike (`uniform`), or the whole ground state (`whole`).
    """

    target: str
    data: str

    @property
    def name(self) -> str:
        """Last part of the cell's path."""
        return f"{self.network}-{self.target}-{self.data}"


@dataclass(frozen=True, order=True)
class Member:
    """One network of a cell: its data-set size as a fraction of the Hilbert space, and its repeat."""

    epsilon: float
    repeat: int
