"""Variational states by stochastic reconfiguration.

needs   results/{scale}/ground_state/…
makes   results/{scale}/reconfiguration/{study}/{cluster}/j2_{j2}/{network}.safetensors    all repeats of one cell
        …/{network}.csv                                                                    one row per repeat
        …/{network}_trace.parquet                                                          one row per iteration

An interrupted optimisation goes on from results/{scale}/checkpoints.
"""


rule reconfiguration:
    input:
        ground_state=rules.ground_state.output[0],
    output:
        weights=f"{RESULTS}/reconfiguration/{{study}}/{{cluster}}/j2_{{j2}}/{{network}}.safetensors",
        table=f"{RESULTS}/reconfiguration/{{study}}/{{cluster}}/j2_{{j2}}/{{network}}.csv",
        trace=f"{RESULTS}/reconfiguration/{{study}}/{{cluster}}/j2_{{j2}}/{{network}}_trace.parquet",
    log:
        f"{RESULTS}/logs/reconfiguration/{{study}}/{{cluster}}/j2_{{j2}}/{{network}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/reconfiguration/{{study}}/{{cluster}}/j2_{{j2}}/{{network}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=720,
    params:
        settings=lambda wildcards: as_json(
            cells.reconfiguration_settings(CONFIG, reconfiguration_cell_of(wildcards))
        ),
        checkpoints=lambda wildcards: f"{RESULTS}/checkpoints/reconfiguration/{reconfiguration_cell_of(wildcards).path}",
        code=code_hash("nqs.vmc.stages.amplitude_phase"),
    shell:
        "python -m nqs reconfiguration --settings {params.settings:q}"
        " --threads {threads} --code {params.code} --ground-state {input.ground_state:q}"
        " --checkpoints {params.checkpoints:q} --out {output.weights:q}"
        " --table {output.table:q} --trace {output.trace:q} &> {log:q}"
