"""Numbers as readers see them: as many digits as their error allows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

ERROR_DIGITS = 2
DIGITS = 4  # significant, where there is no error


def is_number(value: Any) -> bool:
    """Whether a cell of a table holds a finite number."""
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def with_error(value: Any, error: Any) -> str:
    """Value ± error, both to two digits of the error; the value alone where it has none; empty without a value."""
    if not is_number(value):
        return "" if value is None or value != value else str(value)
    if not is_number(error) or float(error) <= 0:
        return minus(f"{float(value):.{DIGITS}g}")
    number, spread = float(value), float(error)
    if not 1e-4 <= max(abs(number), spread) < 1e5:
        return minus(f"{number:.{DIGITS}g} ± {spread:.{ERROR_DIGITS}g}")
    places = max(0, ERROR_DIGITS - 1 - math.floor(math.log10(spread)))
    return minus(f"{number:.{places}f} ± {spread:.{places}f}")


def minus(text: str) -> str:
    """Text with a minus sign in place of the hyphen before a number."""
    return text.replace("-", "\N{MINUS SIGN}")


def distance(value: Any) -> str:
    """Standard errors from what a claim allows."""
    if not is_number(value):
        return "outside, exactly" if value is not None and value == math.inf else ""
    return f"{float(value):.1f} \N{GREEK SMALL LETTER SIGMA}" if float(value) else "inside"


def published(value: Any, error: Any = None) -> str:
    """A printed value: a number with its error, a range, a mapping by condition, or words."""
    if isinstance(value, Mapping):
        errors = error if isinstance(error, Mapping) else {}
        return ", ".join(f"{key}: {published(one, errors.get(key, None))}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return " to ".join(published(one) for one in value) if len(value) == 2 else ", ".join(map(published, value))
    return with_error(value, None if isinstance(error, (list, tuple, Mapping)) else error)


def memory(megabytes: float) -> str:
    """Memory as people read it."""
    return f"{megabytes / 1024:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"
