"""Registries: tables of what can be chosen by name, such as networks.

A constant annotated as a `Registry` does not enter the hash of the code that looks something up in it. Whoever chooses
an entry names it to the hash as well, so that a new entry reruns nothing that does without it.
"""

from __future__ import annotations

from collections.abc import Mapping

Registry = Mapping
