"""Supervised training.

needs   results/{scale}/ground_state/…, results/{scale}/dataset/…
makes   results/{scale}/supervised/{study}/{cluster}/j2_{j2}/{network}-{target}-{data}.safetensors
                                                       all data-set sizes and repeats of one cell
        …/{network}-{target}-{data}.csv                one row per network: updates, losses, time

An interrupted training goes on from results/{scale}/checkpoints.
"""


rule supervised:
    input:
        ground_state=rules.ground_state.output[0],
        data=lambda wildcards: dataset_files(cell_of(wildcards)),
    output:
        weights=f"{RESULTS}/supervised/{{study}}/{{cluster}}/j2_{{j2}}/{{network}}-{{target}}-{{data}}.safetensors",
        history=f"{RESULTS}/supervised/{{study}}/{{cluster}}/j2_{{j2}}/{{network}}-{{target}}-{{data}}.csv",
    log:
        f"{RESULTS}/logs/supervised/{{study}}/{{cluster}}/j2_{{j2}}/{{network}}-{{target}}-{{data}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/supervised/{{study}}/{{cluster}}/j2_{{j2}}/{{network}}-{{target}}-{{data}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        **GPU,
        mem_mb=by_size(2500, 2500, 4000),
        runtime=240,
    params:
        settings=lambda wildcards: as_json(
            cells.supervised_settings(
                CONFIG, cell_of(wildcards), members_of(cell_of(wildcards))
            )
        ),
        data=lambda wildcards, input: [f"--data={path}" for path in input.data],
        checkpoints=lambda wildcards: f"{RESULTS}/checkpoints/supervised/{cell_of(wildcards).path}",
        code=code_hash("nqs.supervised.stage"),
    shell:
        "python -m nqs supervised --settings {params.settings:q}"
        f" --device {CONFIG.device}"
        " --threads {threads} --code {params.code}"
        " --ground-state {input.ground_state:q} {params.data:q}"
        " --checkpoints {params.checkpoints:q}"
        " --out {output.weights:q} --history {output.history:q} &> {log:q}"
