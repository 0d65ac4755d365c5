"""Snakemake's way to the view of a run: `snakemake --logger nqs`; Snakemake finds the package by its name."""

from nqs.workflow.run_log import LogHandler

__all__ = ["LogHandler"]
