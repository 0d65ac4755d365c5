"""What the blocks of the configuration share: strict models, ranges of numbers, and checks of names and lists."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from nqs.runtime import yaml_text


def six_digits(value: float) -> float:
    """A number that its file name gives back; -0 becomes 0."""
    if float(f"{value:g}") != value:
        raise ValueError(f"{value} has more than six digits; round it")
    return value + 0.0


def number(value: object) -> object:
    """Text of a number as the number; true and false are none."""
    if isinstance(value, bool):
        raise ValueError(f"should be a number, not {str(value).lower()}")
    if not isinstance(value, str):
        return value
    read = yaml_text.number(value)
    return value if read is None else read


def whole_number(value: object) -> object:
    """A number without a fraction as an integer: 4e4 is 40000."""
    value = number(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


Number = Annotated[float, BeforeValidator(number)]
Whole = Annotated[int, BeforeValidator(whole_number), Field(strict=True)]
Epsilon = Annotated[Number, Field(gt=0, lt=1), AfterValidator(six_digits)]
Coupling = Annotated[Number, Field(ge=-1e6, le=1e6), AfterValidator(six_digits)]
Count = Annotated[Whole, Field(ge=0)]
Positive = Annotated[Whole, Field(ge=1)]
Repeats = Annotated[Whole, Field(ge=1, le=10_000)]  # each is an entry of a list before anything runs
Iterations = Annotated[Whole, Field(ge=1, le=10_000_000)]  # each is a row of a table


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


def pick(name: str, known: Iterable[str], noun: str, key: str = "", more: str = "") -> str:
    """The name, if it is known; otherwise an error that offers the nearest one; more: key that describes others."""
    known = list(known)
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    raise ValueError(
        f"{key + ': ' if key else ''}unknown {noun} '{name}'"
        + (f"; did you mean '{near[0]}'? Known: {', '.join(known)}" if near else "")
        + (f"; your own go under '{more}'" if more else "")
    )
