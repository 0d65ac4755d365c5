"""Overlaps, important hidden units, and the tables behind the figures.

needs   results/{scale}/supervised/…, results/{scale}/reconfiguration/…, results/{scale}/vmc/…,
        results/{scale}/observables/…, results/{scale}/motif_vmc/…, results/{scale}/motif_optima/…
makes   results/{scale}/overlaps/{study}/{cluster}/j2_{j2}/{cell}.csv    one row per network
        results/{scale}/analysis/westerhout2020/{figure}.csv             one row per point of the figure
        …/fig4.csv                                                       critical sizes of training sets
        …/tableX1.csv                                                    other settings of the training, compared
        results/{scale}/analysis/ju2025/{target}.csv                     rows of a figure or table
        results/{scale}/analysis/mummaneni2026/importance.csv            important units of every network
        …/fractions.csv, …/power_laws.csv                                their means over repeats, and fits
        …/claims.csv                                                     the paper's statements, tested
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
        mem_mb=by_size(2000, 2000, 4000),
        runtime=by_size(60, 60, 120),
    params:
        data=lambda wildcards, input: [f"--data={path}" for path in input.data],
        settings=lambda wildcards: as_json(
            cells.overlap_settings(CONFIG, wildcards.study, wildcards.cluster)
        ),
        code=code_hash("nqs.analysis.overlaps"),
    shell:
        "python -m nqs overlaps --ground-state {input.ground_state:q}"
        f" --device {CONFIG.device}"
        " --weights {input.weights:q} {params.data:q} --threads {threads}"
        " --settings {params.settings:q} --out {output:q} &> {log:q}"


rule summary:
    input:
        overlaps=lambda wildcards: cell_files(wildcards.figure, "overlaps"),
        reconfiguration=lambda wildcards: reconfiguration_files(wildcards.figure),
    output:
        table=f"{RESULTS}/analysis/westerhout2020/{{figure}}.csv",
        cost=f"{RESULTS}/analysis/westerhout2020/{{figure}}_cost.json",
    log:
        f"{RESULTS}/logs/summary/westerhout2020/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/summary/westerhout2020/{{figure}}.tsv"
    wildcard_constraints:
        figure="|".join(cells.SUMMARISED),
    conda:
        "../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        settings=lambda wildcards: as_json(
            cells.figure_summary(CONFIG, wildcards.figure)
        ),
        files=lambda wildcards, input: options(**dict(input.items())),
        code=code_hash("nqs.studies.westerhout2020.tables.summary"),
    shell:
        "python -m nqs summary --settings {params.settings:q} {params.files:q}"
        " --out {output.table:q} --cost {output.cost:q} &> {log:q}"


rule critical_sizes:
    input:
        overlaps=cell_files("fig4", "overlaps"),
    output:
        table=f"{RESULTS}/analysis/westerhout2020/fig4.csv",
        cost=f"{RESULTS}/analysis/westerhout2020/fig4_cost.json",
    log:
        f"{RESULTS}/logs/critical_sizes/westerhout2020.log",
    benchmark:
        f"{RESULTS}/benchmarks/critical_sizes/westerhout2020.tsv"
    conda:
        "../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=as_json(cells.figure_summary(CONFIG, "fig4")),
        files=lambda wildcards, input: options(**dict(input.items())),
        code=code_hash("nqs.studies.westerhout2020.tables.critical_sizes"),
    shell:
        "python -m nqs critical-sizes --settings {params.settings:q} {params.files:q}"
        " --out {output.table:q} --cost {output.cost:q} &> {log:q}"


rule sensitivity:
    input:
        overlaps=cell_files("tableX1", "overlaps"),
        histories=cell_files("tableX1", "supervised"),
    output:
        table=f"{RESULTS}/analysis/westerhout2020/tableX1.csv",
        cost=f"{RESULTS}/analysis/westerhout2020/tableX1_cost.json",
    log:
        f"{RESULTS}/logs/sensitivity/westerhout2020.log",
    benchmark:
        f"{RESULTS}/benchmarks/sensitivity/westerhout2020.tsv"
    conda:
        "../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        settings=as_json(cells.figure_summary(CONFIG, "tableX1")),
        files=lambda wildcards, input: options(**dict(input.items())),
        code=code_hash("nqs.studies.westerhout2020.tables.sensitivity"),
    shell:
        "python -m nqs sensitivity --settings {params.settings:q} {params.files:q}"
        " --out {output.table:q} --cost {output.cost:q} &> {log:q}"


rule importance:
    input:
        states=vmc_files("states", SWEEP_CELLS),
        units=vmc_files("units", SWEEP_CELLS),
    output:
        importance=f"{RESULTS}/analysis/mummaneni2026/importance.csv",
        fractions=f"{RESULTS}/analysis/mummaneni2026/fractions.csv",
        power_laws=f"{RESULTS}/analysis/mummaneni2026/power_laws.csv",
    log:
        f"{RESULTS}/logs/importance/mummaneni2026.log",
    benchmark:
        f"{RESULTS}/benchmarks/importance/mummaneni2026.tsv"
    conda:
        "../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        taus=[f"--taus={tau}" for tau in CONFIG.mummaneni2026.importance.taus],
        files=lambda wildcards, input: options(states=input.states, units=input.units),
        code=code_hash("nqs.studies.mummaneni2026.tables.importance"),
    shell:
        "python -m nqs importance {params.taus:q} {params.files:q} --out {output.importance:q}"
        " --fractions {output.fractions:q} --power-laws {output.power_laws:q} &> {log:q}"


rule rbm_tables:
    input:
        unpack(lambda wildcards: table_files(wildcards.table)),
    output:
        table=f"{RESULTS}/analysis/mummaneni2026/{{table}}.csv",
        cost=f"{RESULTS}/analysis/mummaneni2026/{{table}}_cost.json",
    log:
        f"{RESULTS}/logs/rbm_tables/mummaneni2026/{{table}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/rbm_tables/mummaneni2026/{{table}}.tsv"
    wildcard_constraints:
        table="fig[X0-9]+",
    conda:
        "../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        files=lambda wildcards, input: options(**dict(input.items())),
        tau=CONFIG.mummaneni2026.importance.tau,
        code=code_hash("nqs.studies.mummaneni2026.tables.small_rings"),
    shell:
        "python -m nqs rbm-tables {wildcards.table} --tau {params.tau} {params.files:q}"
        " --out {output.table:q} --cost {output.cost:q} &> {log:q}"


rule published_trends:
    input:
        **table_files("tableX1"),
    output:
        f"{RESULTS}/analysis/mummaneni2026/claims.csv",
    log:
        f"{RESULTS}/logs/published_trends/mummaneni2026.log",
    benchmark:
        f"{RESULTS}/benchmarks/published_trends/mummaneni2026.tsv"
    conda:
        "../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        tau=CONFIG.mummaneni2026.importance.tau,
        files=options(**table_files("tableX1")),
        code=code_hash("nqs.studies.mummaneni2026.claims.trends"),
    shell:
        "python -m nqs published-trends --tau {params.tau} {params.files:q}"
        " --out {output:q} &> {log:q}"


rule motif_tables:
    input:
        unpack(lambda wildcards: motif_files(wildcards.target)),
        published=PROJECT / "reference/ju2025/published.yaml",
    output:
        table=f"{RESULTS}/analysis/ju2025/{{target}}.csv",
        cost=f"{RESULTS}/analysis/ju2025/{{target}}_cost.json",
    log:
        f"{RESULTS}/logs/motif_tables/ju2025/{{target}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/motif_tables/ju2025/{{target}}.tsv"
    wildcard_constraints:
        target="|".join(motif_table_inputs.NEEDS),
    conda:
        "../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        settings=lambda wildcards: as_json(
            cells_ju2025.table_settings(CONFIG, wildcards.target)
        ),
        files=lambda wildcards, input: options(**dict(input.items())),
        code=lambda wildcards: code_hash(
            "nqs.workflow.target", COMPUTING["ju2025"][wildcards.target][1]
        ),
    shell:
        "python -m nqs motif-tables {wildcards.target} --settings {params.settings:q} {params.files:q}"
        " --out {output.table:q} --cost {output.cost:q} &> {log:q}"
