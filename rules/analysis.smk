"""Overlaps and the tables behind the figures.

needs   results/{scale}/supervised/…
makes   results/{scale}/overlaps/{study}/{cluster}/j2_{j2}.csv    one row per network
        results/{scale}/analysis/{study}/{figure}.csv             one row per point of the figure
"""


rule overlaps:
    input:
        ground_state=rules.ground_state.output[0],
        data=lambda wildcards: sorted(
            {path for key in cells_at(wildcards) for path in dataset_files(key)}
        ),
        weights=lambda wildcards: [weights_file(key) for key in cells_at(wildcards)],
    output:
        f"{RESULTS}/overlaps/{{study}}/{{cluster}}/j2_{{j2}}.csv",
    log:
        f"{RESULTS}/logs/overlaps/{{study}}/{{cluster}}/j2_{{j2}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/overlaps/{{study}}/{{cluster}}/j2_{{j2}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        **GPU,
        mem_mb=2000,
        runtime=60,
    params:
        data=lambda wildcards, input: [f"--data={path}" for path in input.data],
        weights=lambda wildcards, input: [f"--weights={path}" for path in input.weights],
        samples=lambda wildcards: getattr(CONFIG, wildcards.study).overlaps.samples,
        code=code_hash("nqs.analysis.overlaps"),
    shell:
        "python -m nqs overlaps --ground-state {input.ground_state:q}"
        f" --device {CONFIG.device}"
        " {params.weights:q} {params.data:q} --threads {threads}"
        " --samples {params.samples} --out {output:q} &> {log:q}"


rule summary:
    input:
        figure_couplings,
    output:
        f"{RESULTS}/analysis/{{study}}/{{figure}}.csv",
    log:
        f"{RESULTS}/logs/summary/{{study}}/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/summary/{{study}}/{{figure}}.tsv"
    wildcard_constraints:
        figure="fig(2|5)",
    conda:
        "../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        settings=lambda wildcards: as_json(
            {
                "cells": [
                    vars(key)
                    for key in cells.figure_cells(
                        CONFIG, wildcards.study, wildcards.figure
                    )
                ],
                "epsilon": getattr(
                    getattr(CONFIG, wildcards.study), wildcards.figure
                ).epsilon,
                "lattices": LATTICE_OF,
            }
        ),
        overlaps=lambda wildcards, input: [f"--overlaps={path}" for path in input],
        code=code_hash("nqs.analysis.summary"),
    shell:
        "python -m nqs summary --settings {params.settings:q} {params.overlaps:q}"
        " --out {output:q} &> {log:q}"
