"""Scale archive: figures and tables from the tables of finished runs; nothing is computed, and no stage is a rule.

needs   archive/paper/{study}/{target}.csv, .json                     rows of a finished run, and where they come from
makes   results/archive/figures/{study}/{figure}.{pdf,png,json}
        results/archive/tables/{study}/{table}.{csv,md,json}

One job draws several targets; views of the ledgers are targets as at every scale (targets.smk). A target has the name
<study>_<target>, archived or not; asking for one that is not archived is refused with the way to make it.
"""

for study in WORK.studies.values():
    for names in GALLERY.batches(study):

        rule:
            name:
                f"gallery_{study.name}_{names[0]}"
            input:
                **archived_files(study, names),
                **published(study),
            output:
                **gallery_files(study, names),
            log:
                f"{RESULTS}/logs/gallery/{study.name}_{names[0]}.log",
            benchmark:
                f"{RESULTS}/benchmarks/gallery/{study.name}_{names[0]}.tsv"
            localrule: NEAR
            conda:
                "../envs/plot.yaml"
            threads: 1
            resources:
                **SMALL,
            params:
                name=study.name,
                settings=as_json(
                    {name: GALLERY.settings(study, name) for name in names}
                ),
                inputs=inputs,
                outputs=outputs,
            shell:
                "python -m nqs gallery {params.name} --settings {params.settings:q}"
                " {params.inputs:q} {params.outputs:q} &> {log:q}"

    for name in GALLERY.shown(study):

        rule:
            name:
                f"{study.name}_{name}"
            input:
                files_or_refusal(study, name),
            localrule: True


onsuccess:
    print(not_archived())


onerror:
    print(not_archived())
