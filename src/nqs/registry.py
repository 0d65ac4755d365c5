"""Registries: adding an entry changes no other result."""

from collections.abc import Mapping

Registry = Mapping
