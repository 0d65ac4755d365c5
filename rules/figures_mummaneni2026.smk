"""Figures and table of Mummaneni and Sajjan 2026, one rule each, named mummaneni2026_<figure>.

needs   results/{scale}/analysis/mummaneni2026/…
makes   results/{scale}/figures/mummaneni2026/{figure}.{pdf,png,json}
        results/{scale}/tables/mummaneni2026/tableX1.{csv,md,json}
"""

MUMMANENI2026_FIGURES = expand(
    f"{RESULTS}/figures/mummaneni2026/{{figure}}.{{kind}}",
    figure=table_inputs.FIGURES,
    kind=["pdf", "png", "json"],
)
MUMMANENI2026_TABLES = expand(
    f"{RESULTS}/tables/mummaneni2026/tableX1.{{kind}}",
    kind=["csv", "md", "json"],
)


rule mummaneni2026:
    input:
        MUMMANENI2026_FIGURES,
        MUMMANENI2026_TABLES,
        rules.published_trends.output[0],
    localrule: True


for figure in table_inputs.FIGURES:

    rule:
        name:
            f"mummaneni2026_{figure}"
        input:
            table=f"{RESULTS}/analysis/mummaneni2026/{figure}.csv",
            cost=f"{RESULTS}/analysis/mummaneni2026/{figure}_cost.json",
            scripts=figure_scripts("mummaneni2026"),
            style=PROJECT / "src/nqs/figures/nqs.mplstyle",
            published=PROJECT / "reference/mummaneni2026/published.yaml",
        output:
            pdf=report(
                f"{RESULTS}/figures/mummaneni2026/{figure}.pdf",
                caption=f"../docs/captions/mummaneni2026_{figure}.rst",
                category="Mummaneni and Sajjan 2026",
                labels={"figure": figure.replace("fig", "Fig. ")},
            ),
            png=f"{RESULTS}/figures/mummaneni2026/{figure}.png",
            record=f"{RESULTS}/figures/mummaneni2026/{figure}.json",
        log:
            f"{RESULTS}/logs/figures/mummaneni2026_{figure}.log",
        benchmark:
            f"{RESULTS}/benchmarks/figures/mummaneni2026_{figure}.tsv"
        conda:
            "../envs/plot.yaml"
        threads: 1
        resources:
            mem_mb=500,
            runtime=10,
        params:
            name=f"mummaneni2026_{figure}",
            settings=figure_settings("mummaneni2026", figure),
            stem=lambda wildcards, output: output.pdf.removesuffix(".pdf"),
        shell:
            "python -m nqs figure {params.name} --settings {params.settings:q}"
            " --table {input.table:q} --published {input.published:q} --cost {input.cost:q}"
            " --stem {params.stem:q} &> {log:q}"


rule mummaneni2026_tableX1:
    input:
        **table_files("tableX1"),
        published=PROJECT / "reference/mummaneni2026/published.yaml",
    output:
        table=report(
            f"{RESULTS}/tables/mummaneni2026/tableX1.csv",
            caption="../docs/captions/mummaneni2026_tableX1.rst",
            category="Mummaneni and Sajjan 2026",
            labels={"figure": "Table X1"},
        ),
        markdown=f"{RESULTS}/tables/mummaneni2026/tableX1.md",
        record=f"{RESULTS}/tables/mummaneni2026/tableX1.json",
    log:
        f"{RESULTS}/logs/tables/mummaneni2026_tableX1.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables/mummaneni2026_tableX1.tsv"
    conda:
        "../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        settings=figure_settings("mummaneni2026", "tableX1"),
        files=options(**table_files("tableX1")),
        tau=CONFIG.mummaneni2026.importance.tau,
        stem=lambda wildcards, output: output.table.removesuffix(".csv"),
    shell:
        "python -m nqs published-table mummaneni2026_tableX1 --settings {params.settings:q}"
        " --tau {params.tau} --published {input.published:q} {params.files:q}"
        " --stem {params.stem:q} &> {log:q}"
