"""Snakemake's way to the view of a run: `snakemake --logger nqs`; Snakemake finds the package by its name.

Every Snakemake imports it, so it imports nothing of nqs before a run begins: a Snakefile brings its own.
"""

from snakemake_logger_plugin_nqs.handler import LogHandler

__all__ = ["LogHandler"]
