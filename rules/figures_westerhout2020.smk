"""Figures and table of Westerhout et al. 2020, one rule each, named westerhout2020_<target>.

needs   results/{scale}/analysis/westerhout2020/…
makes   results/{scale}/figures/westerhout2020/{figure}.{pdf,png,json}
        results/{scale}/tables/westerhout2020/{table}.{csv,md,json}
"""

WESTERHOUT2020_FIGURES = expand(
    f"{RESULTS}/figures/westerhout2020/{{figure}}.{{kind}}",
    figure=cells.DRAWN,
    kind=["pdf", "png", "json"],
)
WESTERHOUT2020_TABLES = expand(
    f"{RESULTS}/tables/westerhout2020/{{table}}.{{kind}}",
    table=cells.TABLES,
    kind=["csv", "md", "json"],
)


rule westerhout2020:
    input:
        WESTERHOUT2020_FIGURES,
        WESTERHOUT2020_TABLES,
    localrule: True


rule lattice_geometry:
    output:
        f"{RESULTS}/analysis/westerhout2020/fig1.csv",
    log:
        f"{RESULTS}/logs/lattice_geometry/westerhout2020/fig1.log",
    benchmark:
        f"{RESULTS}/benchmarks/lattice_geometry/westerhout2020/fig1.tsv"
    conda:
        "../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        settings=as_json(
            {
                "clusters": [
                    cluster_settings(name)
                    for name in CONFIG.westerhout2020.fig1.clusters
                ]
            }
        ),
        code=code_hash("nqs.analysis.lattice_geometry", "nqs.model.lattices"),
    shell:
        "python -m nqs lattice-geometry --settings {params.settings:q} --out {output:q} &> {log:q}"


for figure in cells.DRAWN:

    rule:
        name:
            f"westerhout2020_{figure}"
        input:
            table=f"{RESULTS}/analysis/westerhout2020/{figure}.csv",
            cost=cost_file(figure),
            scripts=figure_scripts("westerhout2020"),
            style=PROJECT / "src/nqs/figures/nqs.mplstyle",
            published=PROJECT / "reference/westerhout2020/curves.json",
        output:
            pdf=report(
                f"{RESULTS}/figures/westerhout2020/{figure}.pdf",
                caption=f"../docs/captions/westerhout2020_{figure}.rst",
                category="Westerhout et al. 2020",
                labels={"figure": figure.replace("fig", "Fig. ")},
            ),
            png=f"{RESULTS}/figures/westerhout2020/{figure}.png",
            record=f"{RESULTS}/figures/westerhout2020/{figure}.json",
        log:
            f"{RESULTS}/logs/figures/westerhout2020_{figure}.log",
        benchmark:
            f"{RESULTS}/benchmarks/figures/westerhout2020_{figure}.tsv"
        conda:
            "../envs/plot.yaml"
        threads: 1
        resources:
            mem_mb=500,
            runtime=10,
        params:
            name=f"westerhout2020_{figure}",
            settings=figure_settings("westerhout2020", figure),
            cost=options(cost=cost_file(figure)),
            stem=lambda wildcards, output: output.pdf.removesuffix(".pdf"),
        shell:
            "python -m nqs figure {params.name} --settings {params.settings:q}"
            " --table {input.table:q} --published {input.published:q} {params.cost:q}"
            " --stem {params.stem:q} &> {log:q}"


for table in cells.TABLES:

    rule:
        name:
            f"westerhout2020_{table}"
        input:
            table=f"{RESULTS}/analysis/westerhout2020/{table}.csv",
            cost=cost_file(table),
        output:
            table=report(
                f"{RESULTS}/tables/westerhout2020/{table}.csv",
                caption=f"../docs/captions/westerhout2020_{table}.rst",
                category="Westerhout et al. 2020",
                labels={"figure": table.replace("table", "Table ")},
            ),
            markdown=f"{RESULTS}/tables/westerhout2020/{table}.md",
            record=f"{RESULTS}/tables/westerhout2020/{table}.json",
        log:
            f"{RESULTS}/logs/tables/westerhout2020_{table}.log",
        benchmark:
            f"{RESULTS}/benchmarks/tables/westerhout2020_{table}.tsv"
        conda:
            "../envs/plot.yaml"
        threads: 1
        resources:
            mem_mb=500,
            runtime=10,
        params:
            name=f"westerhout2020_{table}",
            settings=figure_settings("westerhout2020", table),
            stem=lambda wildcards, output: output.table.removesuffix(".csv"),
        shell:
            "python -m nqs table {params.name} --settings {params.settings:q}"
            " --table {input.table:q} --cost {input.cost:q}"
            " --stem {params.stem:q} &> {log:q}"
