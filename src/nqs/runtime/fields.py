"""What the blocks of the configuration share: strict models, ranges of numbers, and checks of names and lists."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def six_digits(value: float) -> float:
    """A number that its file name gives back; -0 becomes 0."""
    if float(f"{value:g}") != value:
        raise ValueError(f"{value} has more than six digits; round it")
    return value + 0.0


def whole_number(value: object) -> object:
    """Text of digits as a number: Snakemake hands on numbers inside `--config key={...}` as text."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


Epsilon = Annotated[float, Field(gt=0, lt=1), AfterValidator(six_digits)]
Coupling = Annotated[float, AfterValidator(six_digits)]
Count = Annotated[int, BeforeValidator(whole_number), Field(ge=0, strict=True)]
Positive = Annotated[int, BeforeValidator(whole_number), Field(ge=1, strict=True)]


class Block(BaseModel):
    """A block of the configuration: unknown keys are errors, values do not change after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def without_repeats(values: tuple, noun: str) -> tuple:
    """The values, if there are any and none twice."""
    if not values:
        raise ValueError(f"is empty; give at least one {noun}")
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"{noun} {', '.join(map(str, twice))} listed twice; remove the repeat")
    return values


def pick(name: str, known: Iterable[str], noun: str, key: str = "") -> str:
    """The name, if it is known; otherwise an error that offers the nearest one."""
    known = list(known)
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    raise ValueError(
        f"{key + ': ' if key else ''}unknown {noun} '{name}'"
        + (f"; did you mean '{near[0]}'? Known: {', '.join(known)}" if near else "")
    )
