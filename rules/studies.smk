"""All of a study, and the verdicts on what its paper claims; rules are named <study> and <study>_claims.

needs   results/{scale}/analysis/{study}/*.csv    or, at scale archive, archive/paper/{study}/*.csv
makes   results/{scale}/claims/{study}.csv        what the paper states, and the verdicts
"""

for study in WORK.studies.values():
    if study.claims:

        rule:
            name:
                f"{study.name}_claims"
            input:
                **published(study),
                **CLAIMS,
                table=all_rows(study),
            output:
                table=f"{RESULTS}/claims/{study.name}.csv",
            log:
                f"{RESULTS}/logs/claims/{study.name}.log",
            benchmark:
                f"{RESULTS}/benchmarks/claims/{study.name}.tsv"
            localrule: NEAR
            conda:
                "../envs/claims.yaml"
            threads: 1
            resources:
                **SMALL,
            params:
                name=study.name,
                settings=as_json({"scale": CONFIG.scale}),
                inputs=inputs,
                outputs=outputs,
                code=code_hash(study.claims, "nqs.workflow.claims:build"),
            shell:
                "python -m nqs claims {params.name} --settings {params.settings:q}"
                " {params.inputs:q} {params.outputs:q} &> {log:q}"

    rule:
        name:
            study.name
        input:
            list(all_files(study)),
        localrule: True
