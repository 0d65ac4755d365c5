"""Figures and tables of Ju et al. 2025, one rule each, named ju2025_<target>.

needs   results/{scale}/analysis/ju2025/…
makes   results/{scale}/figures/ju2025/{figure}.{pdf,png,json}
        results/{scale}/tables/ju2025/{table}.{csv,md,json}
"""

JU2025_FIGURES = expand(
    f"{RESULTS}/figures/ju2025/{{figure}}.{{kind}}",
    figure=motif_table_inputs.FIGURES,
    kind=["pdf", "png", "json"],
)
JU2025_TABLES = expand(
    f"{RESULTS}/tables/ju2025/{{table}}.{{kind}}",
    table=motif_table_inputs.TABLES,
    kind=["csv", "md", "json"],
)


rule ju2025:
    input:
        JU2025_FIGURES,
        JU2025_TABLES,
    localrule: True


for figure in motif_table_inputs.FIGURES:

    rule:
        name:
            f"ju2025_{figure}"
        input:
            table=f"{RESULTS}/analysis/ju2025/{figure}.csv",
            cost=f"{RESULTS}/analysis/ju2025/{figure}_cost.json",
            scripts=figure_scripts("ju2025"),
            style=PROJECT / "src/nqs/figures/nqs.mplstyle",
            published=PROJECT / "reference/ju2025/published.yaml",
        output:
            pdf=report(
                f"{RESULTS}/figures/ju2025/{figure}.pdf",
                caption=f"../docs/captions/ju2025_{figure}.rst",
                category="Ju et al. 2025",
                labels={"figure": figure.replace("fig", "Fig. ")},
            ),
            png=f"{RESULTS}/figures/ju2025/{figure}.png",
            record=f"{RESULTS}/figures/ju2025/{figure}.json",
        log:
            f"{RESULTS}/logs/figures/ju2025_{figure}.log",
        benchmark:
            f"{RESULTS}/benchmarks/figures/ju2025_{figure}.tsv"
        conda:
            "../envs/plot.yaml"
        threads: 1
        resources:
            mem_mb=500,
            runtime=10,
        params:
            name=f"ju2025_{figure}",
            settings=figure_settings("ju2025", figure),
            stem=lambda wildcards, output: output.pdf.removesuffix(".pdf"),
        shell:
            "python -m nqs figure {params.name} --settings {params.settings:q}"
            " --table {input.table:q} --published {input.published:q} --cost {input.cost:q}"
            " --stem {params.stem:q} &> {log:q}"


for table in motif_table_inputs.TABLES:

    rule:
        name:
            f"ju2025_{table}"
        input:
            table=f"{RESULTS}/analysis/ju2025/{table}.csv",
            cost=f"{RESULTS}/analysis/ju2025/{table}_cost.json",
            published=PROJECT / "reference/ju2025/published.yaml",
        output:
            table=report(
                f"{RESULTS}/tables/ju2025/{table}.csv",
                caption=f"../docs/captions/ju2025_{table}.rst",
                category="Ju et al. 2025",
                labels={"figure": table.replace("table", "Table ")},
            ),
            markdown=f"{RESULTS}/tables/ju2025/{table}.md",
            record=f"{RESULTS}/tables/ju2025/{table}.json",
        log:
            f"{RESULTS}/logs/tables/ju2025_{table}.log",
        benchmark:
            f"{RESULTS}/benchmarks/tables/ju2025_{table}.tsv"
        conda:
            "../envs/plot.yaml"
        threads: 1
        resources:
            mem_mb=500,
            runtime=10,
        params:
            name=f"ju2025_{table}",
            settings=figure_settings("ju2025", table),
            stem=lambda wildcards, output: output.table.removesuffix(".csv"),
        shell:
            "python -m nqs table {params.name} --settings {params.settings:q}"
            " --table {input.table:q} --published {input.published:q} --cost {input.cost:q}"
            " --stem {params.stem:q} &> {log:q}"
