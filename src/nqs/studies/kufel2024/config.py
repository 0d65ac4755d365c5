"""The block `kufel2024` of the configuration: sizes of the small systems, one block a figure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from nqs.runtime.fields import Block, Iterations, Number, Positive, Whole, without_repeats

MOST_WIDTHS = 4  # colours of Fig. 4
MAJUMDAR_GHOSH = 0.5  # J2/J1 of a ring whose ground states are known and no test of a network


def even(value: int) -> int:
    """A number of sites with states of Sz = 0."""
    if value % 2:
        raise ValueError(f"{value} sites have no state with Sz = 0; choose an even number")
    return value


def listed(values: tuple) -> tuple:
    """Numbers in ascending order, none twice."""
    return tuple(sorted(without_repeats(values, "number")))


def named(values: tuple[str, ...]) -> tuple[str, ...]:
    """Clusters, none twice."""
    return without_repeats(values, "cluster")


Sites = Annotated[Whole, Field(ge=4, le=14)]
EvenSites = Annotated[Whole, Field(ge=4, le=14), AfterValidator(even)]
Counts = Annotated[tuple[Positive, ...], AfterValidator(listed)]
Numbers = Annotated[tuple[Annotated[Number, Field(gt=0)], ...], AfterValidator(listed)]
Seeds = Annotated[Whole, Field(ge=3, le=10_000, description="independent runs; three or more, for an error")]


class Method(Block):
    """Fig. 1: one run of the method on the Ising ring."""

    n_sites: Sites = 10
    hidden: Positive = 5
    iterations: Iterations = 120
    samples: Annotated[Positive, Field(ge=2, description="of each energy; two or more, for an error")] = 500
    sets: Annotated[
        Whole, Field(ge=20, le=10_000, description="sample sets of one size behind the error of the energy")
    ] = 200
    sizes: Counts = (30, 100, 300, 1000, 3000)


class Universality(Block):
    """Fig. 2: infidelity against hidden units per site."""

    sizes: Annotated[tuple[EvenSites, ...], AfterValidator(listed)] = (6,)
    densities: Counts = (1, 2, 4, 8)
    restarts: Seeds = 3
    iterations: Iterations = 150


class TensorNetworks(Block):
    """Fig. 3: matrix product states and Boltzmann machines at equal numbers of real parameters."""

    sizes: Annotated[tuple[EvenSites, ...], AfterValidator(listed)] = (6, 8, 10, 12)
    n_sites: EvenSites = 8
    bonds: Counts = (1, 2, 3, 4)
    restarts: Seeds = 3
    iterations: Iterations = 150


class Entanglement(Block):
    """Fig. 4: entropy of blocks of local, long-range and explicit machines."""

    n_sites: Annotated[Whole, Field(ge=6, le=20), AfterValidator(even)] = 14
    widths: Annotated[Counts, Field(description="sites that a unit of a local machine sees")] = (2, 3)
    instances: Seeds = 5
    scale: Number = Field(default=1.5, gt=0, description="standard deviation of the random complex weights")
    side: Literal[2, 4] = Field(default=4, description="of the square torus of arithmetic circuits, in sites")

    @field_validator("widths")
    @classmethod
    def local_and_told_apart(cls, widths: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        n_sites = info.data.get("n_sites", widths[-1] + 1)  # a wrong n_sites has its own error
        if widths[-1] >= n_sites:
            raise ValueError(f"{widths[-1]} of {n_sites} sites is not local; choose widths below n_sites = {n_sites}")
        if len(widths) > MOST_WIDTHS:
            raise ValueError(f"{len(widths)} widths, but the figure has {MOST_WIDTHS} colours; drop some")
        return widths


class GroundStates(Block):
    """Fig. 5: signs, local minima, parameters and rank, symmetries."""

    n_sites: EvenSites = 8
    hidden: Counts = (1, 2, 3, 4, 6, 8)
    seeds: Seeds = 5
    iterations: Iterations = 200
    frustration: Number = Field(default=0.8, gt=0, lt=2, description="J2/J1 of the harder model")
    broken: Annotated[
        tuple[Annotated[Number, Field(ge=0, lt=1)], ...],
        AfterValidator(listed),
        Field(description="scatter of the couplings that breaks the symmetries; 0 for comparison"),
    ] = (0, 0.05, 0.2)
    side: Annotated[Whole, Field(ge=3, le=4, description="of the square torus of the Ising model, in sites")] = 4
    fields: Numbers = (1, 2, 3, 4)
    square_iterations: Iterations = 40

    @field_validator("frustration")
    @classmethod
    def with_one_ground_state(cls, frustration: float) -> float:
        if frustration == MAJUMDAR_GHOSH:
            raise ValueError("at J2 = J1/2 the ring has two ground states, products of dimers; choose another coupling")
        return frustration


class Dynamics(Block):
    """Fig. 6: a quench of the Ising ring."""

    n_sites: Sites = 6
    density: Positive = 2
    field: Number = Field(default=0.5, gt=0, description="after the quench from infinite field")
    time: Number = Field(default=2.0, gt=0)
    points: Annotated[Whole, Field(ge=8, le=100_000)] = 21
    step: Number = Field(default=0.01, gt=0)
    shifts: Numbers = (1e-10, 1e-8, 1e-6, 1e-4, 1e-3, 1e-2)
    samples: Counts = (1000, 10000)
    seeds: Seeds = 4

    @field_validator("step")
    @classmethod
    def within_a_point(cls, step: float, info: ValidationInfo) -> float:
        if "time" not in info.data or "points" not in info.data:  # they have their own errors
            return step
        spacing = info.data["time"] / (info.data["points"] - 1)
        if step > spacing:
            raise ValueError(
                f"steps of {step:g} pass the points of the figure, {spacing:g} apart; choose {spacing:g} or less"
            )
        return step


class Sampling(Block):
    """Fig. 7: how long chains take, what diagnostics see, and sampling without a chain."""

    sizes: Annotated[tuple[Sites, ...], AfterValidator(listed)] = (4, 5, 6, 7, 8, 9)
    n_sites: Sites = 10
    chains: Annotated[Whole, Field(ge=2, le=10_000)] = 4
    lengths: Annotated[
        tuple[Annotated[Positive, Field(ge=4)], ...],
        AfterValidator(listed),
        Field(description="states of a chain; four or more, for split R-hat"),
    ] = (10, 30, 100, 300)
    repeats: Annotated[Whole, Field(ge=20, le=10_000)] = 40
    hidden: Positive = 8
    iterations: Iterations = 150


class Optimisation(Block):
    """Fig. 8: four rules of descent, and what the two solves cost."""

    n_sites: Sites = 8
    hidden: Positive = 8
    iterations: Iterations = 150
    seeds: Seeds = 4
    rates: Numbers = (0.01, 0.03, 0.1, 0.3)
    shift: Number = Field(default=1e-4, gt=0)
    timed: Counts = (64, 128, 256, 512, 1024)
    fixed: Positive = 64
    lengths: Annotated[tuple[Annotated[Whole, Field(ge=3, le=8)], ...], AfterValidator(listed)] = (4, 6, 8)
    exact: Annotated[
        tuple[str, ...],
        AfterValidator(named),
        Field(description="clusters whose exact ground states are counted"),
    ] = ("ring8",)


class Kufel2024(Block):
    """All figures of the primer."""

    fig1: Method = Method()
    fig2: Universality = Universality()
    fig3: TensorNetworks = TensorNetworks()
    fig4: Entanglement = Entanglement()
    fig5: GroundStates = GroundStates()
    fig6: Dynamics = Dynamics()
    fig7: Sampling = Sampling()
    fig8: Optimisation = Optimisation()
