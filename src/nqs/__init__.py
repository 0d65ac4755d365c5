"""Neural quantum states: from a Hamiltonian to the figures of four studies."""

__version__ = "0.1.0"
