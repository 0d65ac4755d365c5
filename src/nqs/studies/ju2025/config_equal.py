"""Configuration of grids of settings, and of Fig. X3, where all networks have the same ones."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from nqs.runtime.fields import Block, Iterations, Positive, Repeats, without_repeats
from nqs.studies.ju2025.sizes import Network, Rate, Size, Width


class GridBlock(Block):
    """Settings of Adam, each with each."""

    learning_rates: tuple[Rate, ...] = Field(description="Adam step sizes")
    steps: tuple[Positive, ...] = Field(description="steps of Adam for each sample")

    @field_validator("learning_rates")
    @classmethod
    def rates_differ(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return without_repeats(values, "learning rate")

    @field_validator("steps")
    @classmethod
    def steps_differ(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return without_repeats(values, "number of steps")


class EqualPanel(GridBlock):
    """One kernel size of Fig. X3."""

    width: Width = Field(description="kernel size K")
    repeats: Repeats = Field(description="seeds of each setting, the same for all networks")


class EqualRuns(EqualPanel):
    """A panel with what all of them share."""

    samples: Positive
    iterations: Iterations


class EqualBlock(Block):
    """Fig. X3: T_cv and energies where all networks have the same settings of the optimiser."""

    size: Size = Field(60, description="sites of the ring")
    networks: tuple[Network, ...] = Field(("original", "init", "traj"), description="symmetry forcing")
    samples: Positive = Field(description="samples per iteration")
    iterations: Iterations = Field(500, description="samples drawn and learnt from")
    panels: tuple[EqualPanel, ...] = Field(min_length=1, description="one for each kernel size")

    @field_validator("networks")
    @classmethod
    def networks_differ(cls, values: tuple) -> tuple:
        return without_repeats(values, "network")

    @model_validator(mode="after")
    def widths_differ(self) -> EqualBlock:
        without_repeats(tuple(panel.width for panel in self.panels), "width of panels")
        return self

    def at(self, width: int) -> EqualRuns:
        """The runs of one kernel size."""
        panel = next(panel for panel in self.panels if panel.width == width)
        return EqualRuns(**panel.model_dump(), samples=self.samples, iterations=self.iterations)
