"""Configuration of the study `westerhout2020`."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field, field_validator, model_validator

from nqs.config_blocks import Block, Coupling, Epsilon, Positive, pick, without_repeats


class DatasetBlock(Block):
    """Training and validation sets drawn from |psi|^2."""

    replacement: bool = Field(True, description="draw with replacement, duplicates kept")
    validation_ratio: float = Field(0.1, gt=0, description="validation-set size over training-set size")


class TrainingBlock(Block):
    """Supervised training with early stopping on the validation loss."""

    batch: Positive = Field(128, description="states per update")
    check_every: Positive = Field(10, description="updates between two validation checks")
    patience: Positive = Field(250, description="checks without improvement before a network stops")
    max_updates: Positive = Field(description="updates at most")


class ExpressibilityBlock(TrainingBlock):
    """Training on the whole ground state: every batch is a fresh draw from |psi|^2."""

    repeats: Positive = Field(1, description="networks per coupling")
    validation_states: Positive = Field(20_000, description="states of the fixed validation draw")


class OverlapBlock(Block):
    """Evaluation of trained networks."""

    samples: Positive = Field(100_000, description="fresh |psi|^2 samples of the `sampled` overlap")


class Couplings(Block):
    """Anything scanned over J2/J1."""

    j2: tuple[Coupling, ...] = Field(description="couplings J2/J1")

    @field_validator("j2")
    @classmethod
    def distinct(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return without_repeats(values, "coupling")


class Panel(Couplings):
    """One lattice of Fig. 2."""

    cluster: str = Field(description="cluster name")
    networks: tuple[str, ...] = Field(description="networks trained on its signs")
    j2_of: dict[str, tuple[Coupling, ...]] = Field({}, description="networks trained at some of the couplings only")
    expressibility: tuple[Coupling, ...] = Field((), description="couplings of the dashed line; a subset of j2")

    @field_validator("networks")
    @classmethod
    def networks_differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return without_repeats(values, "network")

    @field_validator("expressibility")
    @classmethod
    def couplings_differ(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return without_repeats(values, "coupling") if values else values

    @model_validator(mode="after")
    def subset(self) -> Panel:
        for name in self.j2_of:
            pick(name, self.networks, "network", "j2_of")
        for values in self.j2_of.values():
            without_repeats(values, "coupling in j2_of")
        for key, values in [("expressibility", self.expressibility), *self.j2_of.items()]:
            extra = sorted(set(values) - set(self.j2))
            if extra:
                raise ValueError(f"{key}: {extra} not in j2; list those couplings in j2 too")
        return self

    def couplings(self, network: str) -> tuple[float, ...]:
        """The couplings at which a network is trained."""
        return self.j2_of.get(network, self.j2)


class Fig1(Block):
    """The lattices."""

    clusters: tuple[str, ...] = Field(description="clusters drawn, left to right")

    @field_validator("clusters")
    @classmethod
    def clusters_differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return without_repeats(values, "cluster")


class Fig2(Block):
    """Sign overlap against J2/J1."""

    epsilon: Epsilon = Field(0.01, description="training-set size over Hilbert-space dimension")
    repeats: Positive = Field(4, description="networks per point, each on its own data set")
    expressibility_network: str = Field("dense2", description="network of the dashed line")
    panels: tuple[Panel, ...] = Field(min_length=1, description="one per lattice")

    @field_validator("panels")
    @classmethod
    def clusters_differ(cls, panels: tuple[Panel, ...]) -> tuple[Panel, ...]:
        without_repeats(tuple(panel.cluster for panel in panels), "cluster")
        return panels


class Fig5(Couplings):
    """Sign against amplitude overlap."""

    cluster: str = Field(description="cluster name")
    network: str = Field("dense2", description="network used for both targets")
    epsilon: Epsilon = Field(0.01, description="training-set size over Hilbert-space dimension")
    repeats: Positive = Field(4, description="networks per point")


class Westerhout2020(Block):
    """Study `westerhout2020`."""

    dataset: DatasetBlock
    training: TrainingBlock
    expressibility: ExpressibilityBlock
    overlaps: OverlapBlock
    fig1: Fig1
    fig2: Fig2
    fig5: Fig5

    def trained_on(self) -> Iterable[tuple[str, str, str]]:
        """Key, cluster and network of everything that is trained."""
        for number, panel in enumerate(self.fig2.panels):
            for name in panel.networks:
                yield f"westerhout2020.fig2.panels.{number}.networks", panel.cluster, name
            if panel.expressibility:
                yield "westerhout2020.fig2.expressibility_network", panel.cluster, self.fig2.expressibility_network
        yield "westerhout2020.fig5.network", self.fig5.cluster, self.fig5.network

    def cluster_names(self) -> Iterable[tuple[str, str]]:
        """Key and name of every cluster."""
        for name in self.fig1.clusters:
            yield "westerhout2020.fig1.clusters", name
        for number, panel in enumerate(self.fig2.panels):
            yield f"westerhout2020.fig2.panels.{number}.cluster", panel.cluster
        yield "westerhout2020.fig5.cluster", self.fig5.cluster

    def network_names(self) -> Iterable[tuple[str, str]]:
        """Key and name of every network."""
        for number, panel in enumerate(self.fig2.panels):
            for name in panel.networks:
                yield f"westerhout2020.fig2.panels.{number}.networks", name
        yield "westerhout2020.fig2.expressibility_network", self.fig2.expressibility_network
        yield "westerhout2020.fig5.network", self.fig5.network
