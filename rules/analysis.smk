"""Overlaps and the tables behind the figures.

needs   results/{scale}/supervised/…
makes   results/{scale}/overlaps/{study}/{cluster}/j2_{j2}/{cell}.csv    one row per network
        results/{scale}/analysis/{study}/{figure}.csv                    one row per point of the figure
"""


rule overlaps:
    input:
        ground_state=rules.ground_state.output[0],
        data=lambda wildcards: dataset_files(cell_of(wildcards)),
        weights=rules.supervised.output.weights,
    output:
        f"{RESULTS}/overlaps/{{study}}/{{cluster}}/j2_{{j2}}/{{network}}-{{target}}-{{data}}.csv",
    log:
        f"{RESULTS}/logs/overlaps/{{study}}/{{cluster}}/j2_{{j2}}/{{network}}-{{target}}-{{data}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/overlaps/{{study}}/{{cluster}}/j2_{{j2}}/{{network}}-{{target}}-{{data}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        **GPU,
        mem_mb=2000,
        runtime=60,
    params:
        data=lambda wildcards, input: [f"--data={path}" for path in input.data],
        samples=lambda wildcards: getattr(CONFIG, wildcards.study).overlaps.samples,
        code=code_hash("nqs.analysis.overlaps"),
    shell:
        "python -m nqs overlaps --ground-state {input.ground_state:q}"
        f" --device {CONFIG.device}"
        " --weights {input.weights:q} {params.data:q} --threads {threads}"
        " --samples {params.samples} --out {output:q} &> {log:q}"


rule summary:
    input:
        lambda wildcards: [
            f"{RESULTS}/overlaps/{key.path}.csv"
            for key in cells.figure_cells(CONFIG, wildcards.study, wildcards.figure)
        ],
    output:
        table=f"{RESULTS}/analysis/{{study}}/{{figure}}.csv",
        cost=f"{RESULTS}/analysis/{{study}}/{{figure}}_cost.json",
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
            cells.figure_summary(CONFIG, wildcards.study, wildcards.figure)
        ),
        overlaps=lambda wildcards, input: [f"--overlaps={path}" for path in input],
        code=code_hash("nqs.analysis.summary"),
    shell:
        "python -m nqs summary --settings {params.settings:q} {params.overlaps:q}"
        " --out {output.table:q} --cost {output.cost:q} &> {log:q}"
