"""Figures of neural quantum states, from Hamiltonian to PDF.

snakemake --cores all                        every figure at laptop scale
snakemake --cores all westerhout2020_fig2    one figure
snakemake --cores all --config scale=smoke   another scale
"""

from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")


include: "rules/common.smk"
include: "rules/ground_state.smk"
include: "rules/dataset.smk"
include: "rules/supervised.smk"
include: "rules/reconfiguration.smk"
include: "rules/vmc.smk"
include: "rules/motif_vmc.smk"
include: "rules/analysis.smk"
include: "rules/figures_westerhout2020.smk"
include: "rules/figures_mummaneni2026.smk"
include: "rules/figures_ju2025.smk"


rule all:
    default_target: True
    input:
        rules.westerhout2020.input,
        rules.mummaneni2026.input,
        rules.ju2025.input,
    localrule: True
