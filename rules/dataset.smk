"""Training and validation sets.

needs   results/{scale}/ground_state/{cluster}/j2_{j2}.h5
makes   results/{scale}/dataset/{study}/{cluster}/j2_{j2}/epsilon_{epsilon}.h5    all repeats of one size
"""


rule dataset:
    input:
        ground_state=rules.ground_state.output[0],
    output:
        f"{RESULTS}/dataset/{{study}}/{{cluster}}/j2_{{j2}}/epsilon_{{epsilon}}.h5",
    log:
        f"{RESULTS}/logs/dataset/{{study}}/{{cluster}}/j2_{{j2}}/epsilon_{{epsilon}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/dataset/{{study}}/{{cluster}}/j2_{{j2}}/epsilon_{{epsilon}}.tsv"
    conda:
        "../envs/ed.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=lambda wildcards: as_json(
            cells.dataset_settings(
                CONFIG,
                wildcards.study,
                wildcards.cluster,
                float(wildcards.j2),
                float(wildcards.epsilon),
            )
        ),
        code=code_hash("nqs.dataset"),
    shell:
        "python -m nqs dataset --settings {params.settings:q}"
        " --ground-state {input.ground_state:q} --out {output:q} &> {log:q}"
