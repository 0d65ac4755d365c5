"""Networks by the name of their architecture: every module of `nqs.networks.architectures` is one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from nqs.networks import architectures
from nqs.runtime.errors import InputError

if TYPE_CHECKING:
    from nqs.networks.protocol import Geometry, Network


@cache
def known() -> tuple[str, ...]:
    """Names of all architectures; imports none of them."""
    return tuple(sorted(module.name for module in iter_modules(architectures.__path__)))


def entry(architecture: str) -> str:
    """What of the code builds an architecture, as "module:function"."""
    return f"{architectures.__name__}.{architecture}:make"


def make(architecture: str, geometry: Geometry, target: str, options: Mapping[str, Any]) -> Network:
    """A network for signs or amplitudes of a cluster; options: its block of the configuration."""
    if architecture not in known():
        (near,) = difflib.get_close_matches(architecture, known(), n=1, cutoff=0.0)
        raise InputError(f"unknown architecture '{architecture}'; did you mean '{near}'? Known: {', '.join(known())}")
    network: Network = import_module(f"{architectures.__name__}.{architecture}").make(geometry, target, options)
    return network
