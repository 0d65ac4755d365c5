"""Configuration of the figures and the table of the study `westerhout2020`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, TypeVar

from pydantic import Field, field_validator, model_validator

from nqs.model.clusters import CLUSTERS, MISSING_BONDS
from nqs.runtime.fields import Block, Coupling, Epsilon, Number, Repeats, pick, without_repeats
from nqs.studies.westerhout2020.tables.training_size import THRESHOLD
from nqs.supervised.keys import DISTINCT, UNIFORM

EPSILON = "training-set size over Hilbert-space dimension"


class ClusterPanel(Block):
    """One cluster at several couplings."""

    cluster: str = Field(description="cluster name")
    j2: tuple[Coupling, ...] = Field(description="couplings J2/J1")

    @field_validator("j2")
    @classmethod
    def couplings_listed_once(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return without_repeats(values, "coupling")


class NetworkPanel(ClusterPanel):
    """One lattice of Fig. S4."""

    networks: tuple[str, ...] = Field(description="networks trained on its signs")
    j2_of: dict[str, tuple[Coupling, ...]] = Field({}, description="networks trained at some of the couplings only")

    @field_validator("networks")
    @classmethod
    def networks_listed_once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return without_repeats(values, "network")

    @model_validator(mode="after")
    def couplings_of_networks_exist(self) -> NetworkPanel:
        for name, values in self.j2_of.items():
            pick(name, self.networks, "network", "j2_of")
            self.among_the_couplings(name, without_repeats(values, "coupling in j2_of"))
        return self

    def among_the_couplings(self, key: str, values: tuple[float, ...]) -> None:
        extra = sorted(set(values) - set(self.j2))
        if extra:
            raise ValueError(f"{key}: {extra} not in j2; list those couplings in j2 too")

    def couplings(self, network: str) -> tuple[float, ...]:
        """The couplings at which a network is trained."""
        return self.j2_of.get(network, self.j2)


class Panel(NetworkPanel):
    """One lattice of Fig. 2."""

    expressibility: tuple[Coupling, ...] = Field((), description="couplings of the dashed line; a subset of j2")

    @field_validator("expressibility")
    @classmethod
    def couplings_differ(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return without_repeats(values, "coupling") if values else values

    @model_validator(mode="after")
    def subset(self) -> Panel:
        self.among_the_couplings("expressibility", self.expressibility)
        return self


class EpsilonPanel(ClusterPanel):
    """One cluster of a scan over the size of the training set."""

    epsilons: tuple[Epsilon, ...] = Field(description=f"sizes scanned: {EPSILON}")

    @field_validator("epsilons")
    @classmethod
    def sizes_listed_once(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return without_repeats(values, "size")


class Banded(Block):
    """A figure of lines against J2/J1, some with a band about them."""

    band: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(
        {}, description="network shown -> variants of it, e.g. of other learning rates: their range of signs is a band"
    )

    def bands(self) -> dict[str, str]:
        """Variant -> the network shown that it belongs to."""
        return {variant: line for line, variants in self.band.items() for variant in variants}

    def lines(self) -> Iterable[str]:
        """Networks shown as lines."""
        raise NotImplementedError

    def check_bands(self) -> None:
        """ValueError unless bands are about networks shown and variants belong to one of them alone."""
        lines = [*dict.fromkeys(self.lines())]
        for line in self.band:
            pick(line, lines, "network shown", "band")
        try:
            without_repeats((*lines, *(variant for variants in self.band.values() for variant in variants)), "network")
        except ValueError as error:
            raise ValueError(f"band: {error}") from None


P = TypeVar("P", bound=ClusterPanel)


def clusters_listed_once(panels: tuple[P, ...]) -> tuple[P, ...]:
    """The panels, if no cluster has two of them."""
    without_repeats(tuple(panel.cluster for panel in panels), "cluster")
    return panels


class Fig1(Block):
    """The lattices."""

    clusters: tuple[str, ...] = Field(description="clusters drawn, left to right")

    @field_validator("clusters")
    @classmethod
    def clusters_differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return without_repeats(values, "cluster")


class Variational(Block):
    """Lower row of Fig. 2: networks driven by the energy."""

    network: str = Field("dense2", description="dense network, one for ln|psi| and one for the phase")
    methods: tuple[Literal["plain", "signs_first"], ...] = Field(
        ("plain", "signs_first"), min_length=1, description="plain: as published; signs_first: a flat amplitude first"
    )
    panels: tuple[ClusterPanel, ...] = Field(
        (), description="one per panel of the upper row, in its order, each of the same lattice; none: no lower row"
    )

    @field_validator("methods")
    @classmethod
    def methods_differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return without_repeats(values, "method")


class FigS4(Banded):
    """Sign overlap against J2/J1."""

    epsilon: Epsilon = Field(0.01, description=EPSILON)
    repeats: Repeats = Field(4, description="networks per point, each on its own data set")
    panels: tuple[NetworkPanel, ...] = Field(min_length=1, description="one per lattice")

    _clusters_differ = field_validator("panels")(clusters_listed_once)

    def trained_on(self) -> Iterable[tuple[str, str, str]]:
        """Key below the figure, cluster and network of everything that is trained."""
        for number, panel in enumerate(self.panels):
            for name in panel.networks:
                yield f"panels.{number}.networks", panel.cluster, name
        for variant, line in self.bands().items():
            yield from (("band", panel.cluster, variant) for panel in self.panels if line in panel.networks)

    def lines(self) -> Iterable[str]:
        """Networks of all panels."""
        return (name for panel in self.panels for name in panel.networks)


class Fig2(FigS4):
    """Sign overlap against J2/J1, also of networks trained on the whole ground state and of variational states."""

    expressibility_network: str = Field("dense2", description="network of the dashed line")
    panels: tuple[Panel, ...] = Field(min_length=1, description="one per lattice")
    variational: Variational = Field(description="lower row: variational states")

    def trained_on(self) -> Iterable[tuple[str, str, str]]:
        yield from super().trained_on()
        for panel in self.panels:
            if panel.expressibility:
                yield "expressibility_network", panel.cluster, self.expressibility_network


class OneNetwork(Block):
    """One network on several clusters."""

    network: str = Field("dense2", description="network trained")
    repeats: Repeats = Field(4, description="networks per point, each on its own data set")
    panels: tuple[ClusterPanel, ...] = Field(min_length=1, description="one per cluster")

    _clusters_differ = field_validator("panels")(clusters_listed_once)

    def trained_on(self) -> Iterable[tuple[str, str, str]]:
        """Key below the figure, cluster and network of everything that is trained."""
        return (("network", panel.cluster, self.network) for panel in self.panels)


class TargetScan(OneNetwork, Banded):
    """Sign and amplitude overlap against J2/J1."""

    def lines(self) -> Iterable[str]:
        """The one network."""
        return (self.network,)

    def trained_on(self) -> Iterable[tuple[str, str, str]]:
        yield from super().trained_on()
        for variant in self.bands():
            yield from (("band", panel.cluster, variant) for panel in self.panels)

    epsilon: Epsilon = Field(0.01, description=EPSILON)


class EpsilonScan(OneNetwork):
    """Overlap against the size of the training set."""

    target: Literal["sign", "amplitude"] = Field("sign", description="what the network learns")
    panels: tuple[EpsilonPanel, ...] = Field(min_length=1, description="one per cluster")

    @property
    def scanned(self) -> tuple[str, ...]:
        """Networks whose sizes are scanned."""
        return (self.network,)


class BatchScan(Block):
    """Overlap of signs against the size of the training set, for networks that differ in the states per update."""

    networks: tuple[str, ...] = Field(min_length=1, description="variants of one network with batches of their own")
    repeats: Repeats = Field(4, description="networks per point, each on its own data set")
    panels: tuple[EpsilonPanel, ...] = Field(min_length=1, description="one per cluster")

    _clusters_differ = field_validator("panels")(clusters_listed_once)

    @field_validator("networks")
    @classmethod
    def networks_listed_once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return without_repeats(values, "network")

    @property
    def target(self) -> str:
        """What the networks learn."""
        return "sign"

    @property
    def scanned(self) -> tuple[str, ...]:
        """Networks whose sizes are scanned."""
        return self.networks

    def trained_on(self) -> Iterable[tuple[str, str, str]]:
        """Key below the figure, cluster and network of everything that is trained."""
        return (("networks", panel.cluster, network) for panel in self.panels for network in self.networks)


class Crossings(Block):
    """Exact ground states against J2/J1."""

    epsilon: Epsilon = Field(0.01, description=f"draws whose weight is shown: {EPSILON}")
    panels: tuple[ClusterPanel, ...] = Field(min_length=1, description="one per cluster")

    _clusters_differ = field_validator("panels")(clusters_listed_once)

    @property
    def places(self) -> list[tuple[str, float]]:
        """Cluster and coupling of each ground state, couplings ascending."""
        return [(panel.cluster, j2) for panel in self.panels for j2 in sorted(panel.j2)]


class Fig4(Block):
    """Critical training-set size against the dimension of the Hilbert space."""

    threshold: Number = Field(THRESHOLD, gt=0, lt=1, description="overlap that a critical training set reaches")
    scans: tuple[str, ...] = Field(description="figures whose scans are searched")
    clusters: tuple[str, ...] = Field(description="clusters of those scans, of one lattice")
    j2: tuple[Coupling, ...] = Field(description="couplings of those scans, each at every cluster")

    @field_validator("scans", "clusters", "j2")
    @classmethod
    def listed_once(cls, values: tuple) -> tuple:
        return without_repeats(values, "entry")


class Point(Block):
    """One cluster at one coupling."""

    cluster: str = Field(description="cluster name")
    j2: Coupling = Field(description="coupling J2/J1")
    lacking: str = Field("", description="the same cluster without one bond, compared as well")

    @model_validator(mode="after")
    def same_cluster(self) -> Point:
        fitting = [name for name in MISSING_BONDS if CLUSTERS[name] == CLUSTERS.get(self.cluster)]
        if self.lacking and self.lacking not in fitting:
            known = f"take {' or '.join(fitting)}" if fitting else "none is known, leave it out"
            raise ValueError(f"lacking: '{self.lacking}' is not {self.cluster} without a bond; {known}")
        return self


class VariantTable(Block):
    """Overlap of one network and of others that differ in their settings."""

    networks: tuple[str, ...] = Field(description="the network compared with, then its variants")
    distinct: bool = Field(True, description="also training sets without repeated states")
    uniform: bool = Field(True, description="also training sets drawn from all states alike")
    epsilon: Epsilon = Field(0.01, description=EPSILON)
    repeats: Repeats = Field(4, description="networks per row, each on its own data set")
    points: tuple[Point, ...] = Field(min_length=1, description="where they are compared")

    @property
    def other_draws(self) -> list[str]:
        """Kinds of training sets compared with the usual one."""
        return [kind for kind, wanted in ((DISTINCT, self.distinct), (UNIFORM, self.uniform)) if wanted]

    @field_validator("networks")
    @classmethod
    def networks_differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return without_repeats(values, "network")

    @field_validator("points")
    @classmethod
    def points_differ(cls, values: tuple[Point, ...]) -> tuple[Point, ...]:
        without_repeats(tuple(f"{point.cluster} at J2 = {point.j2:g}" for point in values), "point")
        return values

    def trained_on(self) -> Iterable[tuple[str, str, str]]:
        """Key below the table, cluster and network of everything that is trained."""
        for point in self.points:
            yield from (("networks", point.cluster, name) for name in self.networks)
            if point.lacking:
                yield "networks", point.lacking, self.networks[0]
