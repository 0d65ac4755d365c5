"""Configuration of the study `ju2025`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator, model_validator

from nqs.runtime.fields import Block, Count, Iterations, Positive, Repeats, without_repeats
from nqs.studies.ju2025.config_equal import EqualBlock, GridBlock
from nqs.studies.ju2025.sizes import (
    ExactSize,
    IdentitySize,
    Network,
    OptimaWidth,
    Size,
    TableWidth,
    TracedSize,
    Width,
    deep_network,
)


class ChainsBlock(Block):
    """Metropolis chains at zero magnetisation, random pairs of sites exchanged; they go on from sample to sample."""

    chains: Positive = Field(500, description="chains; every number of samples is a multiple")
    burn_in: Count = Field(100, description="sweeps before the first sample")
    discard: Count = Field(0, description="sweeps passed over before each sample")


class TrainingBlock(ChainsBlock):
    """What all runs share."""

    evaluation: Positive = Field(20000, description="fresh samples for the energy at the final parameters of every run")


class SearchBlock(GridBlock):
    """Where the settings of each network and kernel are chosen: a shorter ring, fewer samples, all settings."""

    size: Size = Field(description="sites of the ring")
    samples: Positive = Field(description="samples per iteration")
    repeats: Repeats = Field(description="seeds of each setting")
    iterations: Iterations = Field(description="samples drawn and learnt from")


class RunsBlock(Block):
    """Runs with the chosen settings."""

    samples: Positive = Field(description="samples per iteration")
    repeats: Repeats = Field(5, description="seeds")
    iterations: Iterations = Field(500, description="samples drawn and learnt from")


class DeepBlock(RunsBlock, ChainsBlock):
    """Deep networks of Fig. 3; with fewer chains, whose burn-in is most of a short run's work."""

    networks: tuple[Annotated[str, AfterValidator(deep_network)], ...] = Field(
        description="deep<layers>x<filters>, e.g. deep2x4; [] runs none"
    )
    sizes: tuple[Size, ...] = Field(description="sites of the rings; a subset of fig3.sizes")
    widths: tuple[Width, ...] = Field(description="kernel sizes K")
    search: SearchBlock

    @field_validator("sizes", "widths")
    @classmethod
    def numbers_differ(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return without_repeats(values, "number")

    @field_validator("networks")
    @classmethod
    def networks_differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return without_repeats(values, "network") if values else values


class SingleBlock(Block):
    """One chain as in Yang et al.: every step a sample, no burn-in; with the settings chosen for the many chains."""

    width: Width = Field(6, description="kernel size K")
    network: Network = Field("traj", description="symmetry forcing")
    samples: Annotated[Count, Field(ge=2)] = Field(20000, description="samples per iteration")
    repeats: Repeats = Field(1, description="seeds")
    iterations: Iterations = Field(500, description="samples drawn and learnt from")


class Fig3Block(RunsBlock):
    """Fig. 3: convergence and energy against kernel size and number of parameters."""

    sizes: tuple[Size, ...] = Field(description="sites of the rings")
    widths: tuple[Width, ...] = Field(description="kernel sizes K")
    networks: tuple[Network, ...] = Field(
        ("original", "init", "traj"), description="symmetry forcing: never, at the start, after every update"
    )
    search: SearchBlock
    deep: DeepBlock
    single: SingleBlock
    optima_widths: tuple[OptimaWidth, ...] = Field(description="kernel sizes with exact variational optima; may be []")

    @field_validator("sizes", "widths", "networks")
    @classmethod
    def values_differ(cls, values: tuple) -> tuple:
        return without_repeats(values, "entry")

    @model_validator(mode="after")
    def deep_sizes_are_shown(self) -> Fig3Block:
        if odd := [size for size in self.deep.sizes if size not in self.sizes]:
            raise ValueError(f"deep.sizes: {odd} not in sizes; the figure has one panel for each of sizes")
        return self

    @model_validator(mode="after")
    def single_is_compared(self) -> Fig3Block:
        if self.single.width not in self.widths:
            raise ValueError(f"single.width: {self.single.width} is not in widths; one chain is compared with many")
        if self.single.network not in self.networks:
            raise ValueError(f"single.network: '{self.single.network}' is not in networks; choose one of them")
        return self


class TracesBlock(GridBlock):
    """Figs. 1b and 2: training on a small ring, with its parameters kept along the way."""

    size: TracedSize = Field(8, description="sites of the ring")
    widths: tuple[TableWidth, ...] = Field(description="kernel sizes K; Fig. 1 shows the first")
    networks: tuple[Network, ...] = Field(description="symmetry forcing; Fig. 1 shows the first")
    samples: Positive = Field(description="samples per iteration")
    repeats: Repeats = Field(description="seeds of each setting")
    iterations: Iterations = Field(500, description="samples drawn and learnt from")
    snapshot_every: Iterations = Field(5, description="iterations from one set of kept parameters to the next")
    shown: tuple[Count, ...] = Field(description="iterations shown in Fig. 1b, among the kept ones")

    @field_validator("widths", "networks", "shown")
    @classmethod
    def values_differ(cls, values: tuple) -> tuple:
        return without_repeats(values, "entry")

    @model_validator(mode="after")
    def shown_are_kept(self) -> TracesBlock:
        lost = [number for number in self.shown if number not in self.snapshots]
        if lost:
            raise ValueError(
                f"shown: iterations {lost} are not kept; choose multiples of snapshot_every = {self.snapshot_every} "
                f"up to iterations = {self.iterations}"
            )
        return self

    @property
    def snapshots(self) -> tuple[int, ...]:
        """Iterations whose parameters are kept."""
        return tuple(range(0, self.iterations + 1, self.snapshot_every))


class OptimaBlock(Block):
    """Exact variational optima, by descent on the energy that the transfer matrix gives."""

    starts: Repeats = Field(description="random starts of the network's parameters")


class IdentitiesBlock(Block):
    """Table I: the identities between the three ansaetze."""

    size: IdentitySize = Field(8, description="sites of the ring")
    width: TableWidth = Field(4, description="motif length K")


class RegressionBlock(Block):
    """Table II: motif expectation values regressed on features of the motifs."""

    size: Size = Field(60, description="sites of the ring of the networks")
    width: OptimaWidth = Field(6, description="motif length K")
    exact_sizes: tuple[ExactSize, ...] = Field(description="sites of the rings with exact ground states")

    @field_validator("exact_sizes")
    @classmethod
    def sizes_differ(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return without_repeats(values, "size")


class MultipliersBlock(Block):
    """Table S1: multipliers of the network against those of the correlator product state."""

    size: ExactSize = Field(16, description="sites of the ring")
    widths: tuple[OptimaWidth, ...] = Field(description="motif lengths K")

    @field_validator("widths")
    @classmethod
    def widths_differ(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return without_repeats(values, "width")


class EntanglementBlock(Block):
    """Figs. S1 and S2: reduced density matrices of K sites in a row."""

    size: ExactSize = Field(description="sites of the ring of Fig. S1")
    widths: tuple[TableWidth, ...] = Field(description="block lengths K of Fig. S1")
    sizes: tuple[ExactSize, ...] = Field(description="sites of the rings of Fig. S2")

    @field_validator("sizes", "widths")
    @classmethod
    def values_differ(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return without_repeats(values, "entry")


class UniquenessBlock(Block):
    """Fig. X1: which window lengths tell all classes of states apart, and how unique multipliers are."""

    sizes: tuple[ExactSize, ...] = Field(description="sites of the rings")

    @field_validator("sizes")
    @classmethod
    def sizes_differ(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return without_repeats(values, "size")


class LandscapeBlock(Block):
    """Fig. X2: local minima of the network's exact energy."""

    size: Size = Field(60, description="sites of the ring")
    width: OptimaWidth = Field(6, description="kernel size K")
    starts: Repeats = Field(description="random starts of the network's parameters")


class Ju2025(Block):
    """Study `ju2025`."""

    training: TrainingBlock
    fig3: Fig3Block
    traces: TracesBlock
    optima: OptimaBlock
    table1: IdentitiesBlock
    table2: RegressionBlock
    tableS1: MultipliersBlock
    entanglement: EntanglementBlock
    uniqueness: UniquenessBlock
    landscape: LandscapeBlock
    equal: EqualBlock

    @model_validator(mode="after")
    def chains_share_the_samples(self) -> Ju2025:
        for key, samples, owner, chains in self._samples():
            if samples % chains:
                raise ValueError(
                    f"{key}: {samples} is not a multiple of {owner}.chains = {chains}; choose e.g. "
                    f"{-(-samples // chains) * chains}"
                )
        return self

    @model_validator(mode="after")
    def windows_fit(self) -> Ju2025:
        for key, width, noun, size in self._windows():
            if width > size:
                raise ValueError(f"{key}: K = {width} is more than the {size} sites of {noun}; choose a smaller K")
        for key, width, noun, size in self._halves():
            if 2 * width > size:
                raise ValueError(
                    f"{key}: K = {width} needs a ring of 2K sites or more, {noun} has {size}; choose a smaller K"
                )
        return self

    def _samples(self) -> Iterator[tuple[str, int, str, int]]:
        """Every number of samples that chains share: key, samples, block of the chains, their number."""
        fig3, deep = self.fig3, self.fig3.deep
        shallow, few = ("training", self.training.chains), ("fig3.deep", deep.chains)
        yield "fig3.samples", fig3.samples, *shallow
        yield "training.evaluation", self.training.evaluation, *shallow
        yield "fig3.search.samples", fig3.search.samples, *shallow
        yield "traces.samples", self.traces.samples, *shallow
        yield "equal.samples", self.equal.samples, *shallow
        yield "training.evaluation", self.training.evaluation, *few
        yield "fig3.deep.samples", deep.samples, *few
        yield "fig3.deep.search.samples", deep.search.samples, *few

    def _windows(self) -> Iterator[tuple[str, int, str, int]]:
        """Every window with the shortest ring it is put on: key, K, key of the ring, N."""
        fig3, shortest = self.fig3, min(self.fig3.sizes)
        for width in fig3.widths:
            yield "fig3.widths", width, "fig3.search.size", fig3.search.size
            yield "fig3.widths", width, "fig3.sizes", shortest
        for width in fig3.deep.widths:
            yield "fig3.deep.widths", width, "fig3.deep.search.size", fig3.deep.search.size
            yield "fig3.deep.widths", width, "fig3.deep.sizes", min(fig3.deep.sizes)
        yield "fig3.single.width", fig3.single.width, "fig3.search.size", fig3.search.size
        yield "fig3.single.width", fig3.single.width, "fig3.sizes", shortest
        yield "table2.width", self.table2.width, "fig3.search.size", fig3.search.size
        yield "table2.width", self.table2.width, "table2.exact_sizes", min(self.table2.exact_sizes)
        for panel in self.equal.panels:
            yield "equal.panels", panel.width, "equal.size", self.equal.size
        for width in self.traces.widths:
            yield "traces.widths", width, "traces.size", self.traces.size

    def _halves(self) -> Iterator[tuple[str, int, str, int]]:
        """Every window that half of its ring must hold: key, K, key of the ring, N."""
        yield "table1.width", self.table1.width, "table1.size", self.table1.size
        for width in self.entanglement.widths:
            yield "entanglement.widths", width, "entanglement.size", self.entanglement.size
        for width in self.fig3.optima_widths:
            yield "fig3.optima_widths", width, "fig3.sizes", min(self.fig3.sizes)
        yield "table2.width", self.table2.width, "table2.size", self.table2.size
        for width in self.tableS1.widths:
            yield "tableS1.widths", width, "tableS1.size", self.tableS1.size
        yield "landscape.width", self.landscape.width, "landscape.size", self.landscape.size
