"""Energy descent of networks on rings, and exact variational optima.

makes   results/{scale}/motif_vmc/{study}/n{n_sites}/k{width}-{network}-{run}.safetensors    all runs of one cell
        …_runs.csv                                                                           one row per run
        …_trace.parquet                                                    one row per run and iteration
        results/{scale}/motif_optima/{study}/n{n_sites}/k{width}.csv       one row per descent
        ….safetensors                                                      the lowest of each family

A `final` or `single` cell needs the _runs.csv of the `search` of its network and width. An interrupted cell goes on
from results/{scale}/checkpoints.
"""


rule motif_vmc:
    input:
        search=lambda wildcards: search_file(motif_cell_of(wildcards)),
    output:
        weights=f"{RESULTS}/motif_vmc/{{study}}/n{{n_sites}}/k{{width}}-{{network}}-{{run}}.safetensors",
        runs=f"{RESULTS}/motif_vmc/{{study}}/n{{n_sites}}/k{{width}}-{{network}}-{{run}}_runs.csv",
        trace=f"{RESULTS}/motif_vmc/{{study}}/n{{n_sites}}/k{{width}}-{{network}}-{{run}}_trace.parquet",
    log:
        f"{RESULTS}/logs/motif_vmc/{{study}}/n{{n_sites}}/k{{width}}-{{network}}-{{run}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/motif_vmc/{{study}}/n{{n_sites}}/k{{width}}-{{network}}-{{run}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        **GPU,
        mem_mb=1000,
        runtime=720,
    params:
        settings=lambda wildcards: as_json(
            cells_ju2025.motif_settings(CONFIG, motif_cell_of(wildcards))
        ),
        search=lambda wildcards, input: options(search=input.search),
        checkpoints=lambda wildcards: f"{RESULTS}/checkpoints/motif_vmc/{motif_cell_of(wildcards).path}",
        code=lambda wildcards: code_hash(
            "nqs.vmc.stages.ring", *deep_code(motif_cell_of(wildcards))
        ),
    shell:
        "python -m nqs motif-vmc --settings {params.settings:q} {params.search:q}"
        f" --device {CONFIG.device}"
        " --threads {threads} --code {params.code} --checkpoints {params.checkpoints:q}"
        " --out {output.weights:q} --runs {output.runs:q} --trace {output.trace:q} &> {log:q}"


rule motif_optima:
    output:
        optima=f"{RESULTS}/motif_optima/{{study}}/n{{n_sites}}/k{{width}}.csv",
        arrays=f"{RESULTS}/motif_optima/{{study}}/n{{n_sites}}/k{{width}}.safetensors",
    log:
        f"{RESULTS}/logs/motif_optima/{{study}}/n{{n_sites}}/k{{width}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/motif_optima/{{study}}/n{{n_sites}}/k{{width}}.tsv"
    conda:
        "../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=240,
    params:
        settings=lambda wildcards: as_json(
            cells_ju2025.optima_settings(CONFIG, optima_cell_of(wildcards))
        ),
        code=code_hash("nqs.vmc.stages.ring_optima"),
    shell:
        "python -m nqs motif-optima --settings {params.settings:q} --threads {threads}"
        " --out {output.arrays:q} --optima {output.optima:q} &> {log:q}"
