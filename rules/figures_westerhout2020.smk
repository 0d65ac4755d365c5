"""Figures of Westerhout et al. 2020.

needs   results/{scale}/analysis/westerhout2020/{figure}.csv
makes   results/{scale}/figures/westerhout2020/{figure}.{pdf,png,json}
"""

WESTERHOUT2020_FIGURES = expand(
    f"{RESULTS}/figures/westerhout2020/{{figure}}.{{kind}}",
    figure=["fig1", "fig2", "fig5"],
    kind=["pdf", "png", "json"],
)


rule westerhout2020:
    input:
        WESTERHOUT2020_FIGURES,
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
        code=code_hash("nqs.analysis.lattice_geometry", "nqs.lattices"),
    shell:
        "python -m nqs lattice-geometry --settings {params.settings:q} --out {output:q} &> {log:q}"


rule westerhout2020_fig1:
    input:
        table=f"{RESULTS}/analysis/westerhout2020/fig1.csv",
        script=PROJECT / "src/nqs/figures/westerhout2020.py",
        style=PROJECT / "src/nqs/nqs.mplstyle",
        published=PROJECT / "reference/westerhout2020/curves.json",
    output:
        pdf=report(
            f"{RESULTS}/figures/westerhout2020/fig1.pdf",
            caption="../docs/captions/westerhout2020_fig1.rst",
            category="Westerhout et al. 2020",
            labels={"figure": "Fig. 1"},
        ),
        png=f"{RESULTS}/figures/westerhout2020/fig1.png",
        record=f"{RESULTS}/figures/westerhout2020/fig1.json",
    log:
        f"{RESULTS}/logs/figures/westerhout2020_fig1.log",
    benchmark:
        f"{RESULTS}/benchmarks/figures/westerhout2020_fig1.tsv"
    conda:
        "../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        settings=figure_settings("westerhout2020", "fig1"),
        stem=lambda wildcards, output: output.pdf.removesuffix(".pdf"),
    shell:
        "python -m nqs figure westerhout2020_fig1 --settings {params.settings:q}"
        " --table {input.table:q} --published {input.published:q}"
        " --stem {params.stem:q} &> {log:q}"


rule westerhout2020_fig2:
    input:
        table=f"{RESULTS}/analysis/westerhout2020/fig2.csv",
        cost=f"{RESULTS}/analysis/westerhout2020/fig2_cost.json",
        script=PROJECT / "src/nqs/figures/westerhout2020.py",
        style=PROJECT / "src/nqs/nqs.mplstyle",
        published=PROJECT / "reference/westerhout2020/curves.json",
    output:
        pdf=report(
            f"{RESULTS}/figures/westerhout2020/fig2.pdf",
            caption="../docs/captions/westerhout2020_fig2.rst",
            category="Westerhout et al. 2020",
            labels={"figure": "Fig. 2"},
        ),
        png=f"{RESULTS}/figures/westerhout2020/fig2.png",
        record=f"{RESULTS}/figures/westerhout2020/fig2.json",
    log:
        f"{RESULTS}/logs/figures/westerhout2020_fig2.log",
    benchmark:
        f"{RESULTS}/benchmarks/figures/westerhout2020_fig2.tsv"
    conda:
        "../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        settings=figure_settings("westerhout2020", "fig2"),
        stem=lambda wildcards, output: output.pdf.removesuffix(".pdf"),
    shell:
        "python -m nqs figure westerhout2020_fig2 --settings {params.settings:q}"
        " --table {input.table:q} --published {input.published:q} --cost {input.cost:q}"
        " --stem {params.stem:q} &> {log:q}"


rule westerhout2020_fig5:
    input:
        table=f"{RESULTS}/analysis/westerhout2020/fig5.csv",
        cost=f"{RESULTS}/analysis/westerhout2020/fig5_cost.json",
        script=PROJECT / "src/nqs/figures/westerhout2020.py",
        style=PROJECT / "src/nqs/nqs.mplstyle",
        published=PROJECT / "reference/westerhout2020/curves.json",
    output:
        pdf=report(
            f"{RESULTS}/figures/westerhout2020/fig5.pdf",
            caption="../docs/captions/westerhout2020_fig5.rst",
            category="Westerhout et al. 2020",
            labels={"figure": "Fig. 5"},
        ),
        png=f"{RESULTS}/figures/westerhout2020/fig5.png",
        record=f"{RESULTS}/figures/westerhout2020/fig5.json",
    log:
        f"{RESULTS}/logs/figures/westerhout2020_fig5.log",
    benchmark:
        f"{RESULTS}/benchmarks/figures/westerhout2020_fig5.tsv"
    conda:
        "../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        settings=figure_settings("westerhout2020", "fig5"),
        stem=lambda wildcards, output: output.pdf.removesuffix(".pdf"),
    shell:
        "python -m nqs figure westerhout2020_fig5 --settings {params.settings:q}"
        " --table {input.table:q} --published {input.published:q} --cost {input.cost:q}"
        " --stem {params.stem:q} &> {log:q}"
