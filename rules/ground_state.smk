"""Exact ground states.

makes   results/{scale}/hamiltonian/{cluster}.h5             bases and matrices of all symmetry sectors
        results/{scale}/ground_state/{cluster}/j2_{j2}.h5    lowest state over the sectors, its gap and momentum
        results/{scale}/momentum_check/{cluster}.csv         comparison with all momenta, up to 32 sites, on
                                                             request only: `./nqs run momentum_check`

The matrices serve every coupling of a cluster. They stay, so that a new coupling costs one diagonalisation. These
jobs go first: of the others Snakemake then starts those with the largest ground states, which take longest.
Above 24 sites a search goes on from results/{scale}/checkpoints if it was interrupted.
"""


rule hamiltonian:
    output:
        f"{RESULTS}/hamiltonian/{{cluster}}.h5",
    log:
        f"{RESULTS}/logs/hamiltonian/{{cluster}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/hamiltonian/{{cluster}}.tsv"
    priority: 1
    conda:
        "../envs/ed.yaml"
    threads: by_size(1, 2, 2)
    resources:
        mem_mb=by_size(1500, 3000, 7000),
        runtime=60,
    params:
        settings=lambda wildcards: as_json(
            {
                **cluster_settings(wildcards.cluster),
                "symmetries": CONFIG.ground_state.symmetries_of(
                    sites(*CONFIG.cluster(wildcards.cluster))
                ),
                "backend": CONFIG.ground_state.backend,
            }
        ),
        code=code_hash("nqs.exact.blocks"),
    shell:
        "python -m nqs hamiltonian --settings {params.settings:q} --out {output:q}"
        " --threads {threads} &> {log:q}"


rule ground_state:
    input:
        hamiltonian=rules.hamiltonian.output[0],
    output:
        f"{RESULTS}/ground_state/{{cluster}}/j2_{{j2}}.h5",
    log:
        f"{RESULTS}/logs/ground_state/{{cluster}}/j2_{{j2}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ground_state/{{cluster}}/j2_{{j2}}.tsv"
    priority: 1
    conda:
        "../envs/ed.yaml"
    threads: by_size(1, 2, 2)
    resources:
        mem_mb=by_size(1500, 3000, 8000),
        runtime=by_size(60, 60, 240),
    params:
        settings=lambda wildcards: as_json(
            {
                **cluster_settings(wildcards.cluster),
                **CONFIG.ground_state.model_dump(
                    mode="json", include={"tolerance", "allow_degenerate"}
                ),
                "j2": float(wildcards.j2),
            }
        ),
        checkpoints=lambda wildcards: f"{RESULTS}/checkpoints/ground_state/{wildcards.cluster}/j2_{wildcards.j2}",
        code=code_hash("nqs.exact.ground_state", "nqs.exact.blocks"),
    shell:
        "python -m nqs ground-state --settings {params.settings:q}"
        " --hamiltonian {input.hamiltonian:q} --out {output:q}"
        " --checkpoints {params.checkpoints:q} --threads {threads} --code {params.code} &> {log:q}"


rule momentum_check_of:
    input:
        lambda wildcards: [
            ground_state_file(*coupling)
            for coupling in COUPLINGS
            if coupling[0] == wildcards.cluster
        ],
    output:
        f"{RESULTS}/momentum_check/{{cluster}}.csv",
    log:
        f"{RESULTS}/logs/momentum_check/{{cluster}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/momentum_check_of/{{cluster}}.tsv"
    conda:
        "../envs/ed.yaml"
    threads: 1
    resources:
        mem_mb=by_size(2000, 10000, 1000),  # more than 32 sites are refused
        runtime=by_size(240, 1440, 10),
    params:
        settings=lambda wildcards: as_json(cluster_settings(wildcards.cluster)),
        ground_states=lambda wildcards, input: [
            f"--ground-states={path}" for path in input
        ],
        code=code_hash("nqs.exact.momentum_check"),
    shell:
        "python -m nqs momentum-check --settings {params.settings:q} {params.ground_states:q}"
        " --out {output:q} &> {log:q}"


rule momentum_check:
    input:
        [
            f"{RESULTS}/momentum_check/{name}.csv"
            for name in sorted({cluster for cluster, _ in COUPLINGS})
            if sites(*CONFIG.cluster(name)) <= 32
        ],
    localrule: True
