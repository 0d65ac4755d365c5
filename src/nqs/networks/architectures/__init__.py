"""Architectures of networks, one module each: its name is the name in the configuration, its `make` builds it."""
