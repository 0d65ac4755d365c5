"""Exact ground states.

makes   results/{scale}/hamiltonian/{cluster}.h5             bases and matrices of all symmetry sectors
        results/{scale}/ground_state/{cluster}/j2_{j2}.h5    lowest state over the sectors, its gap and momentum

The matrices serve every coupling of a cluster and are removed when none needs them any more.
"""


rule hamiltonian:
    output:
        temp(f"{RESULTS}/hamiltonian/{{cluster}}.h5"),
    log:
        f"{RESULTS}/logs/hamiltonian/{{cluster}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/hamiltonian/{{cluster}}.tsv"
    conda:
        "../envs/ed.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        settings=lambda wildcards: as_json(
            {
                **cluster_settings(wildcards.cluster),
                "symmetries": CONFIG.ground_state.symmetries,
            }
        ),
        code=code_hash("nqs.hamiltonian"),
    shell:
        "python -m nqs hamiltonian --settings {params.settings:q} --out {output:q} &> {log:q}"


rule ground_state:
    input:
        # ancient: building the same matrices again does not make a ground state out of date
        hamiltonian=ancient(rules.hamiltonian.output[0]),
    output:
        f"{RESULTS}/ground_state/{{cluster}}/j2_{{j2}}.h5",
    log:
        f"{RESULTS}/logs/ground_state/{{cluster}}/j2_{{j2}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ground_state/{{cluster}}/j2_{{j2}}.tsv"
    conda:
        "../envs/ed.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        settings=lambda wildcards: as_json(
            {
                **cluster_settings(wildcards.cluster),
                **CONFIG.ground_state.model_dump(mode="json"),
                "j2": float(wildcards.j2),
            }
        ),
        code=code_hash("nqs.ground_state", "nqs.hamiltonian"),
    shell:
        "python -m nqs ground-state --settings {params.settings:q}"
        " --hamiltonian {input.hamiltonian:q} --out {output:q} &> {log:q}"
