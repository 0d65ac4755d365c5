"""Configuration of the study `westerhout2020`. Blocks of its figures: config_westerhout2020_figures.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from nqs.runtime.fields import Block, Iterations, Number, Positive, Repeats, pick
from nqs.studies.westerhout2020.config_figures import (
    BatchScan,
    Crossings,
    EpsilonScan,
    Fig1,
    Fig2,
    Fig4,
    FigS4,
    TargetScan,
    VariantTable,
)
from nqs.vmc.keys import SIGNS_FIRST

STUDY = "westerhout2020"
NETWORK_SCANS = ("fig2", "figS4")  # several networks against J2
TARGET_SCANS = ("fig5", "figS2", "figS6")  # signs and amplitudes against J2
EPSILON_SCANS = ("fig3", "figS1", "figS3", "figS5", "figS7")  # against the size of the training set
BATCH_SCAN = "figX1"  # the same for several batches
VARIANT_TABLES = ("tableX1", "tableX2")  # one network beside others
MOST_SUMMED_SITES = 30  # exact sums over 155 million basis states for every network
Shift = Annotated[Number, Field(gt=0)]
FEWEST_SAMPLES = 1000  # for a standard error of 0.03 at most


class DatasetBlock(Block):
    """Training and validation sets drawn from |psi|^2."""

    replacement: bool = Field(True, description="draw with replacement, duplicates kept")
    validation_ratio: Number = Field(0.1, gt=0, description="validation-set size over training-set size")


class TrainingBlock(Block):
    """Supervised training with early stopping on the validation loss."""

    batch: Positive = Field(128, description="states per update")
    check_every: Positive = Field(10, description="updates between two validation checks")
    patience: Positive = Field(250, description="checks without improvement before a network stops")
    max_updates: Iterations = Field(description="updates at most")


class ExpressibilityBlock(TrainingBlock):
    """Training on the whole ground state: every batch is a fresh draw from |psi|^2."""

    repeats: Repeats = Field(1, description="networks per coupling")
    validation_states: Positive = Field(20_000, description="states of the fixed validation draw")


class OverlapBlock(Block):
    """Evaluation of trained networks."""

    samples: Positive = Field(
        100_000, ge=FEWEST_SAMPLES, description="fresh |psi|^2 samples of the `sampled` overlap, at least 1000"
    )
    exact_up_to: Positive = Field(24, description="sites, at most 30; `rest`, `full` of larger clusters are estimated")
    large_samples: Positive = Field(
        1_000_000, ge=FEWEST_SAMPLES, description="fresh samples of all overlaps of larger clusters, at least 1000"
    )

    @field_validator("exact_up_to")
    @classmethod
    def sums_end(cls, value: int) -> int:
        if value > MOST_SUMMED_SITES:
            raise ValueError(
                f"must be at most {MOST_SUMMED_SITES}: exact sums evaluate each network on all basis states, "
                "155 million on 30 sites and 601 million on 32; larger clusters are estimated"
            )
        return value


class Descent(Block):
    """What all runs of stochastic reconfiguration have."""

    samples: Positive = Field(2000, description="exact samples of |psi|^2 per iteration")
    learning_rate: Number = Field(2e-2, gt=0, description="step along the reconfigured force, S.S units")
    iterations: Iterations = Field(description="iterations of every run")
    repeats: Repeats = Field(4, description="runs per coupling")
    average_over: Iterations = Field(50, description="last iterations whose mean energy is given")

    @model_validator(mode="after")
    def average_within_the_run(self) -> Descent:
        if self.average_over > self.iterations:
            raise ValueError(f"average_over = {self.average_over} is more than iterations = {self.iterations}")
        return self


class PlainBlock(Descent):
    """Variational states by the published method."""

    shift: Number = Field(3e-2, gt=0, description="added to the diagonal of S")


class SignsFirstBlock(Descent):
    """Variational states whose signs are learned on a flat amplitude first."""

    signs_until: Positive = Field(150, description="iterations in which the amplitude rests")
    amplitude_shift: tuple[Shift, Shift] = Field((0.1, 3e-3), description="added to the diagonal of S: first, last")
    phase_shift: tuple[Shift, Shift] = Field((3.0, 3e-3), description="the same for the phases")
    annealed_over: Number = Field(
        0.6, ge=0, le=1, description="share of the later iterations in which the shifts fall from the first to the last"
    )

    @model_validator(mode="after")
    def signs_within_the_run(self) -> SignsFirstBlock:
        if self.signs_until + self.average_over > self.iterations:
            raise ValueError(
                f"signs_until = {self.signs_until} and average_over = {self.average_over} are together more than "
                f"iterations = {self.iterations}"
            )
        return self


class ReconfigurationBlock(PlainBlock):
    """Variational states by stochastic reconfiguration."""

    signs_first: SignsFirstBlock = Field(description="of the method that learns signs first")

    def of(self, method: str) -> Descent:
        """The block of one method."""
        return self.signs_first if method == SIGNS_FIRST else PlainBlock(**self.model_dump(exclude={"signs_first"}))


class Westerhout2020(Block):
    """Study `westerhout2020`."""

    dataset: DatasetBlock
    training: TrainingBlock
    expressibility: ExpressibilityBlock
    overlaps: OverlapBlock
    reconfiguration: ReconfigurationBlock
    fig1: Fig1
    fig2: Fig2
    fig3: EpsilonScan
    fig4: Fig4
    fig5: TargetScan
    figS1: EpsilonScan
    figS2: TargetScan
    figS3: EpsilonScan
    figS4: FigS4
    figS5: EpsilonScan
    figS6: TargetScan
    figS7: EpsilonScan
    figX1: BatchScan
    figX2: Crossings
    tableX1: VariantTable
    tableX2: VariantTable

    @model_validator(mode="after")
    def critical_sizes_are_scanned(self) -> Westerhout2020:
        for name in self.fig4.scans:
            pick(name, EPSILON_SCANS, "scan", "fig4.scans")
        scans = [getattr(self, name) for name in self.fig4.scans]
        if {scan.target for scan in scans} != {"sign"} or len({scan.network for scan in scans}) > 1:
            raise ValueError("fig4.scans: must be scans of the signs by one network; choose others")
        here, known = " and ".join(self.fig4.scans), sorted({panel.cluster for scan in scans for panel in scan.panels})
        for cluster in self.fig4.clusters:
            pick(cluster, known, f"cluster of the scans {here}:", "fig4.clusters")
            scanned = {j2 for scan in scans for panel in scan.panels if panel.cluster == cluster for j2 in panel.j2}
            missing = [f"{j2:g}" for j2 in self.fig4.j2 if j2 not in scanned]
            if missing:
                raise ValueError(
                    f"fig4.j2: {', '.join(missing)} not scanned on '{cluster}' by {here}; add it there or drop it here"
                )
        return self

    @model_validator(mode="after")
    def distinct_sets_differ(self) -> Westerhout2020:
        for name in VARIANT_TABLES:
            if getattr(self, name).distinct and not self.dataset.replacement:
                raise ValueError(
                    f"{name}.distinct: dataset.replacement = false draws distinct states already; set it to false"
                )
        return self

    @property
    def trained(self) -> Mapping[str, Fig2 | FigS4 | TargetScan | EpsilonScan | BatchScan | VariantTable]:
        """Blocks that train networks on samples of a ground state, by name."""
        named = (*NETWORK_SCANS, *TARGET_SCANS, *EPSILON_SCANS, BATCH_SCAN, *VARIANT_TABLES)
        return {name: getattr(self, name) for name in named}

    @property
    def banded(self) -> Mapping[str, FigS4 | TargetScan]:
        """Blocks of lines against J2, which may have bands."""
        return {name: getattr(self, name) for name in (*NETWORK_SCANS, *TARGET_SCANS)}

    def trained_on(self) -> Iterator[tuple[str, str, str]]:
        """Key, cluster and network of everything that is trained."""
        for name, block in self.trained.items():
            for key, cluster, network in block.trained_on():
                yield f"{STUDY}.{name}.{key}", cluster, network

    def network_names(self) -> Iterator[tuple[str, str]]:
        """Key and name of every network."""
        yield f"{STUDY}.fig2.expressibility_network", self.fig2.expressibility_network
        yield f"{STUDY}.fig2.variational.network", self.fig2.variational.network
        yield from ((key, network) for key, _, network in self.trained_on())

    def cluster_names(self) -> Iterator[tuple[str, str]]:
        """Key and name of every cluster."""
        yield from ((f"{STUDY}.fig1.clusters", name) for name in self.fig1.clusters)
        for name, block in [*self.trained.items(), ("fig2.variational", self.fig2.variational), ("figX2", self.figX2)]:
            part = "points" if isinstance(block, VariantTable) else "panels"
            for number, place in enumerate(getattr(block, part)):
                yield f"{STUDY}.{name}.{part}.{number}.cluster", place.cluster
                if getattr(place, "lacking", None):
                    yield f"{STUDY}.{name}.{part}.{number}.lacking", place.lacking

    def coupled(self) -> Iterator[tuple[str, str, tuple[float, ...]]]:
        """Key, cluster and couplings of every panel and point."""
        for name, block in [*self.trained.items(), ("fig2.variational", self.fig2.variational), ("figX2", self.figX2)]:
            part = "points" if isinstance(block, VariantTable) else "panels"
            for number, place in enumerate(getattr(block, part)):
                couplings = (place.j2,) if isinstance(place.j2, float) else place.j2
                yield f"{STUDY}.{name}.{part}.{number}.j2", place.cluster, couplings

    def training_sets(self) -> Iterator[tuple[str, str, float]]:
        """Key, cluster and size of every training set."""
        for name, block in self.trained.items():
            if isinstance(block, EpsilonScan | BatchScan):
                for number, panel in enumerate(block.panels):
                    for epsilon in panel.epsilons:
                        yield f"{STUDY}.{name}.panels.{number}.epsilons", panel.cluster, epsilon
            else:
                for _, cluster, _ in block.trained_on():
                    yield f"{STUDY}.{name}.epsilon", cluster, block.epsilon

    def same_lattices(self) -> list[tuple[str, str, str]]:
        """Key of a cluster in the lower row of Fig. 2, the cluster, and the one above; ValueError if not in pairs."""
        above, below = self.fig2.panels, self.fig2.variational.panels
        key = f"{STUDY}.fig2.variational.panels"
        if len(below) not in (0, len(above)):
            raise ValueError(f"{key}: {len(below)} below {len(above)} panels; give one for each of them, or none")
        pairs = enumerate(zip(below, above, strict=False))  # there may be none below
        return [(f"{key}.{number}.cluster", one.cluster, other.cluster) for number, (one, other) in pairs]

    def on_the_whole_basis(self) -> Iterator[tuple[str, str]]:
        """Key and name of clusters whose whole basis is needed as a list."""
        for number, panel in enumerate(self.fig2.panels):
            if panel.expressibility:
                yield f"{STUDY}.fig2.panels.{number}.expressibility", panel.cluster
        for number, place in enumerate(self.fig2.variational.panels):
            yield f"{STUDY}.fig2.variational.panels.{number}.cluster", place.cluster
