"""Figures of neural quantum states, from Hamiltonian to PDF.

snakemake --cores all                        every figure at laptop scale
snakemake --cores all westerhout2020_fig2    one figure
snakemake --cores all --config scale=smoke   another scale
snakemake --cores all --config scale=archive figures of finished runs, nothing computed
"""

from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")


include: "rules/common.smk"
include: "rules/cluster.smk"
include: "rules/cells.smk"
include: "rules/target_files.smk"


if GALLERY:

    include: "rules/archive.smk"

else:

    include: "rules/stages.smk"


include: "rules/targets.smk"
include: "rules/studies.smk"


rule all:
    default_target: True
    input:
        [file for study in WORK.studies.values() for file in all_files(study)],
    localrule: True
