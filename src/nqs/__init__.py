"""Neural quantum states: from a Hamiltonian to the figures of four studies."""

from pathlib import Path

from nqs.runtime import numba_cache

__version__ = "0.2.0"

numba_cache.choose(Path(__file__).parent, Path("results"))  # before anything is compiled
