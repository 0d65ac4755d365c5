"""Figures and tables: rows from cells, then what a reader sees; rules are named as targets, <study>_<target>.

needs   the files of the cells behind a target
makes   results/{scale}/analysis/{study}/{target}.csv, …_cost.json    rows, and the training behind them
        results/{scale}/figures/{study}/{figure}.{pdf,png,json}       json: where the figure comes from
        results/{scale}/tables/{study}/{table}.{csv,md,json}
"""


def stem(kind, study, target):
    """Files of a target of one kind, without ending."""
    return f"{RESULTS}/{kind}/{study.name}/{target}"


def rows_files(study, name, target):
    """What the rule of a target's rows writes: kind -> file."""
    if target.names:
        names = target.names if target.names[1:] else ("table",)
        paths = [f"{stem('analysis', study, table)}.csv" for table in target.names]
        return dict(zip(names, paths))
    path = stem("analysis", study, name)
    return {"table": f"{path}.csv", "cost": f"{path}_cost.json"}


def caption(study, name):
    """The text beside a target in Snakemake's report, if there is one."""
    file = PROJECT / "docs/captions" / f"{study.name}_{name}.rst"
    return {"caption": str(file)} if file.exists() else {}


def reported(study, name, ending):
    """The file of a target that Snakemake's report shows."""
    return report(
        f"{stem(study.targets[name].kind, study, name)}.{ending}",
        category=study.citation,
        labels={"figure": shown_name(name)},
        **caption(study, name),
    )


def shown_files(study, name):
    """What a reader gets of a target: kind -> file."""
    path = stem(study.targets[name].kind, study, name)
    if study.targets[name].draw:
        return {
            "pdf": reported(study, name, "pdf"),
            "png": f"{path}.png",
            "record": f"{path}.json",
        }
    return {
        "table": reported(study, name, "csv"),
        "markdown": f"{path}.md",
        "record": f"{path}.json",
    }


def all_files(study):
    """Everything that a study shows, and rows that nothing shows."""
    for name, target in study.targets.items():
        if not target.shows or target.draw or target.layout:
            files = (
                shown_files(study, name)
                if target.kind != "rows"
                else rows_files(study, name, target)
            )
            yield from files.values()


for study, name, target in WORK.targets():
    if not target.shows:

        rule:
            name:
                f"rows_{study.name}_{name}"
            input:
                **below_results(WORK.inputs(study, target)),
                **(published(study) if target.reads_published else {}),
            output:
                **rows_files(study, name, target),
            log:
                f"{RESULTS}/logs/rows/{study.name}_{name}.log",
            benchmark:
                f"{RESULTS}/benchmarks/rows/{study.name}_{name}.tsv"
            conda:
                "../envs/plot.yaml"
            threads: 1
            resources:
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


for study in WORK.studies.values():

    rule:
        name:
            study.name
        input:
            list(all_files(study)),
        localrule: True
