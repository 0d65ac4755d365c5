"""Configuration of the study `mummaneni2026`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from nqs.runtime.fields import Block, Count, Iterations, Number, Positive, Repeats, six_digits, without_repeats

SIZES = (4, 22)  # rings: below, bonds coincide; above, sums over all 2^N states take too long


def even_ring(n: int) -> int:
    """A number of sites whose ring has an Sz = 0 ground state and sums over all states."""
    if n % 2:
        raise ValueError(f"{n} sites: an odd number of spins has no Sz = 0 sector; choose an even number")
    if not SIZES[0] <= n <= SIZES[1]:
        raise ValueError(f"{n} sites: sums over all states are for rings of {SIZES[0]} to {SIZES[1]} sites")
    return n


Size = Annotated[Count, AfterValidator(even_ring)]
Threshold = Annotated[Number, Field(gt=0, lt=1), AfterValidator(six_digits)]
Mode = Literal["paper", "sound"]


class VmcBlock(Block):
    """Optimisation of a restricted Boltzmann machine, whatever the sampling."""

    samples: Positive = Field(4096, description="samples per iteration, over all chains")
    shift: Number = Field(1e-3, ge=0, description="added to the diagonal of the metric S")
    learning_rate: Number = Field(1e-3, gt=0, description="Adam step size, on the preconditioned force")
    tolerance: Number = Field(1e-3, gt=0, lt=1, description="sweep: relative error of the sampled energy that ends it")
    max_iterations: Iterations = Field(description="sweep: iterations at most")
    initial_std: Number = Field(0.01, gt=0, description="standard deviation of the initial parameters")
    snapshots: tuple[Count, ...] = Field(description="iterations after which traces keep their parameters")

    @field_validator("snapshots")
    @classmethod
    def distinct(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(without_repeats(values, "iteration")))


class ChainBlock(Block):
    """Markov chains."""

    chains: Positive = Field(16, description="persistent chains")
    sweeps: Positive = Field(1, description="sweeps of N proposals between two samples")
    discard: Count = Field(5, description="sweeps discarded per chain and iteration")


class SoundBlock(ChainBlock):
    """Independent exact samples of all 2^N states on small rings, exchange moves at Sz = 0 on larger ones."""

    enumerate_up_to: Count = Field(16, le=SIZES[1], description="sites of the largest ring sampled exactly")


class Grid(Block):
    """Densities of hidden units, and networks of each."""

    alphas: tuple[Positive, ...] = Field(description="hidden units per site")
    repeats: Repeats = Field(10, description="networks per ring and density, differing in their seeds")

    @field_validator("alphas")
    @classmethod
    def alphas_differ(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return without_repeats(values, "density")


class SweepBlock(Grid):
    """The systematic study, Figs. 9 to 11: every network stops at the energy criterion."""

    sizes: tuple[Size, ...] = Field(description="sites of the rings")

    @field_validator("sizes")
    @classmethod
    def sizes_differ(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return without_repeats(values, "size")


class SmallBlock(Block):
    """Figs. 2 to 8: a fixed number of iterations on small rings."""

    sizes: tuple[Size, ...] = Field(description="sites of the rings")
    alpha: Positive = Field(2, description="hidden units per site")
    repeats: Repeats = Field(10, description="networks per ring, differing in their seeds")
    iterations: Iterations = Field(1500, description="iterations of every network")

    @field_validator("sizes")
    @classmethod
    def sizes_differ(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return without_repeats(values, "size")


class DensityBlock(Grid):
    """Fig. 12: a fixed number of iterations at several densities of hidden units."""

    size: Size = Field(10, description="sites of the ring")
    iterations: Iterations = Field(1500, description="iterations of every network")


class PolarisedBlock(Block):
    """Fig. X2, first row: a ring on which nearly polarised states gain weight that the chains do not see."""

    size: Size = Field(12, description="sites of the ring; the weight grows from about 12 on")
    alpha: Positive = Field(2, description="hidden units per site")
    repeats: Repeats = Field(5, description="networks, differing in their seeds")
    iterations: Iterations = Field(6000, description="iterations of every network")
    snapshots: tuple[Count, ...] = Field((), description="iterations besides those of vmc when it keeps its parameters")

    @field_validator("snapshots")
    @classmethod
    def distinct(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(without_repeats(values, "iteration")))


class ImportanceBlock(Block):
    """Which hidden units count as important."""

    tau: Threshold = Field(0.3, description="threshold on relative changes of energy and correlations")
    taus: tuple[Threshold, ...] = Field(description="thresholds of Fig. 11; tau is one of them")

    @field_validator("taus")
    @classmethod
    def taus_differ(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return without_repeats(values, "threshold")

    @model_validator(mode="after")
    def headline_is_scanned(self) -> ImportanceBlock:
        if self.tau not in self.taus:
            raise ValueError(f"tau: {self.tau} is not in taus; list it there too")
        return self


class SampledBlock(Block):
    """Fig. X3: units of the networks of `sweep` removed under Markov chains, with the samples and chains of `paper`.

    The networks are those of `paper` mode, or of the first mode there is.
    """

    warm: Count = Field(20, description="draws of the whole network before chains go on without one of its units")


class Mummaneni2026(Block):
    """Study `mummaneni2026`."""

    modes: tuple[Mode, ...] = Field(("paper", "sound"), description="protocols of sampling; every cell runs in each")
    vmc: VmcBlock
    paper: ChainBlock
    sound: SoundBlock
    sweep: SweepBlock
    small: SmallBlock
    density: DensityBlock
    polarised: PolarisedBlock
    importance: ImportanceBlock
    sampled: SampledBlock

    @field_validator("modes")
    @classmethod
    def modes_differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return without_repeats(values, "mode")

    @model_validator(mode="after")
    def chains_share_the_samples(self) -> Mummaneni2026:
        for mode in dict.fromkeys((*self.modes, "paper")):  # whose chains also measure networks without a unit
            chains, samples = getattr(self, mode).chains, self.vmc.samples
            if samples % chains:
                raise ValueError(
                    f"vmc.samples: {samples} is not a multiple of {mode}.chains = {chains}; choose e.g. "
                    f"{-(-samples // chains) * chains}"
                )
        return self

    @model_validator(mode="after")
    def snapshots_are_reached(self) -> Mummaneni2026:
        lasts = [("vmc", block) for block in ("small", "density", "polarised")]
        for of, block in [*lasts, ("polarised", "polarised")]:
            last = max(getattr(self, of).snapshots, default=0)
            iterations = getattr(self, block).iterations
            if last > iterations:
                raise ValueError(
                    f"{of}.snapshots: {last} is beyond {block}.iterations = {iterations}; remove it or run longer"
                )
        return self
