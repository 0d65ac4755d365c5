"""Rings, windows and networks that the study can compute, as fields of its configuration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from nqs.runtime.fields import Count, Number, Positive
from nqs.vmc.keys import DEEP

LONGEST_RING = 1000  # sites; beyond, nothing here has been tried
EXACT_RINGS = (4, 22)  # with a ground state as a vector; below, bonds coincide
IDENTITY_RINGS = (6, 12)  # of Table I, whose identities are checked state by state
SHORTEST_TRACED = 8  # sites; on shorter rings every state has the symmetries that Fig. 2 looks for
WIDEST = 60  # widest kernel evaluated window by window
TABLE_WIDTH = 16  # widest motifs that are listed
OPTIMA_WIDTH = 8  # widest motifs whose exact energies are cheap enough to descend on

Network = Literal["original", "init", "traj"]


def even_ring(n: int) -> int:
    """A number of sites with states of zero magnetisation."""
    if n % 2:
        raise ValueError(f"{n} sites: an odd number of spins has no Sz = 0 sector; choose an even number")
    if not 4 <= n <= LONGEST_RING:
        raise ValueError(f"{n} sites: choose a ring of 4 to {LONGEST_RING} sites")
    return n


def exact_ring(n: int) -> int:
    """A number of sites whose ring has a ground state as a vector."""
    low, high = EXACT_RINGS
    if not low <= even_ring(n) <= high:
        raise ValueError(f"{n} sites: exact ground states of rings are for {low} to {high} sites")
    return n


def deep_network(name: str) -> str:
    """deep{layers}x{filters}."""
    if not DEEP.fullmatch(name):
        raise ValueError(f"'{name}' is no deep network; write deep<layers>x<filters>, e.g. deep2x4, with 2 to 9 layers")
    return name


def tabulated(width: int) -> int:
    """A window narrow enough to list its motifs."""
    if width > TABLE_WIDTH:
        raise ValueError(
            f"windows of K = {width}: all 2^K motifs are listed up to K = {TABLE_WIDTH}; choose a smaller K"
        )
    return width


def identity_ring(n: int) -> int:
    """A ring short enough to check identities state by state."""
    low, high = IDENTITY_RINGS
    if not low <= even_ring(n) <= high:
        raise ValueError(f"{n} sites: the identities are checked on rings of {low} to {high} sites")
    return n


def traced_ring(n: int) -> int:
    """A ring with states that are not their own mirror image."""
    if exact_ring(n) < SHORTEST_TRACED:
        raise ValueError(f"{n} sites: choose a ring of at least {SHORTEST_TRACED} sites")
    return n


def kernel(width: int) -> int:
    """A window that fits into one machine word."""
    if width > WIDEST:
        raise ValueError(f"a kernel of K = {width} is too wide; at most {WIDEST} sites")
    return width


def optimised(width: int) -> int:
    """A window narrow enough to find exact optima with."""
    if not 2 <= width <= OPTIMA_WIDTH:
        raise ValueError(f"windows of K = {width}: exact optima are found for K = 2 to {OPTIMA_WIDTH}")
    return width


Size = Annotated[Count, AfterValidator(even_ring)]
ExactSize = Annotated[Count, AfterValidator(exact_ring)]
TableWidth = Annotated[Positive, AfterValidator(tabulated)]
TracedSize = Annotated[Count, AfterValidator(traced_ring)]
IdentitySize = Annotated[Count, AfterValidator(identity_ring)]
Width = Annotated[Positive, AfterValidator(kernel)]
OptimaWidth = Annotated[Positive, AfterValidator(optimised)]
Rate = Annotated[Number, Field(gt=0, le=1)]
