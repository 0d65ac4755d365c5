"""Figures and tables: rows from cells, then what a reader sees; rules are named as targets, <study>_<target>.

needs   the files of the cells behind a target; at scale archive, archived tables behind a view of the ledger
makes   results/{scale}/analysis/{study}/{target}.csv, …_cost.json    rows, and the training behind them
        results/{scale}/figures/{study}/{figure}.{pdf,png,json}       json: where the figure comes from
        results/{scale}/tables/{study}/{table}.{csv,md,json}
"""

for study, name, target in computed_targets():
    if not target.shows:

        rule:
            name:
                f"rows_{study.name}_{name}"
            input:
                **rows_from(study, target),
                **besides(study, target),
            output:
                **rows_files(study, name, target),
            log:
                f"{RESULTS}/logs/rows/{study.name}_{name}.log",
            benchmark:
                f"{RESULTS}/benchmarks/rows/{study.name}_{name}.tsv"
            priority: ORDER.priority("rows", f"{study.name}_{name}")
            group:
                bundle_of_rows(study, name)
            localrule: not computes(WORK, study)
            conda:
                "../envs/plot.yaml"
            threads: 1
            resources:
                **slots(),
                **LARGE,
            params:
                name=f"{study.name}_{name}",
                settings=as_json(WORK.settings(study, target)),
                inputs=inputs,
                outputs=outputs,
                code=code_hash(target.rows),
            shell:
                "python -m nqs table {params.name} --settings {params.settings:q}"
                " {params.inputs:q} {params.outputs:q} &> {log:q}"

    if target.kind != "rows":

        rule:
            name:
                f"{study.name}_{name}"
            input:
                **rows_files(study, target.shows or name, study.shown(name)),
                **published(study),
            output:
                **shown_files(study, name),
            log:
                f"{RESULTS}/logs/{target.kind}/{study.name}_{name}.log",
            benchmark:
                f"{RESULTS}/benchmarks/{target.kind}/{study.name}_{name}.tsv"
            priority: ORDER.of_target(study, name)
            localrule: NEAR
            conda:
                "../envs/plot.yaml"
            threads: 1
            resources:
                **SMALL,
            params:
                name=f"{study.name}_{name}",
                settings=WORK.figure_settings(study, name),
                inputs=inputs,
                outputs=outputs,
            shell:
                "python -m nqs figure {params.name} --settings {params.settings:q}"
                " {params.inputs:q} {params.outputs:q} &> {log:q}"
