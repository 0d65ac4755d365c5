"""Training and validation sets.

needs   results/{scale}/ground_state/{cluster}/j2_{j2}.h5
makes   results/{scale}/dataset/{study}/{cluster}/j2_{j2}/epsilon_{epsilon}.h5    all repeats of one size
        …/epsilon_{epsilon}_distinct.h5                                           the same without repeated states
"""


rule dataset:
    input:
        ground_state=rules.ground_state.output[0],
    output:
        f"{RESULTS}/dataset/{{study}}/{{cluster}}/j2_{{j2}}/epsilon_{{epsilon}}{{draw}}.h5",
    log:
        f"{RESULTS}/logs/dataset/{{study}}/{{cluster}}/j2_{{j2}}/epsilon_{{epsilon}}{{draw}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/dataset/{{study}}/{{cluster}}/j2_{{j2}}/epsilon_{{epsilon}}{{draw}}.tsv"
    conda:
        "../envs/ed.yaml"
    threads: 1
    resources:
        mem_mb=by_size(1000, 1500, 3000),
        runtime=10,
    params:
        settings=lambda wildcards: as_json(
            cells.dataset_settings(
                CONFIG,
                wildcards.study,
                (wildcards.cluster, float(wildcards.j2)),
                DISTINCT if wildcards.draw else SAMPLED,
                float(wildcards.epsilon),
                CELLS,
            )
        ),
        code=code_hash("nqs.supervised.dataset"),
    shell:
        "python -m nqs dataset --settings {params.settings:q}"
        " --ground-state {input.ground_state:q} --out {output:q} &> {log:q}"
