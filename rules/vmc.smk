"""Variational Monte Carlo and the exact sums over its networks.

needs   results/{scale}/ground_state/{cluster}/j2_0.h5
makes   results/{scale}/vmc/{study}/{cluster}/rbm{alpha}-{mode}-{run}.safetensors    all networks of one cell
        …_models.csv                                                                 one row per network
        …_trace.parquet                                                              one row per network and iteration
        results/{scale}/observables/{study}/{cluster}/rbm{alpha}-{mode}-{run}_states.csv
                                                 energy and correlations, one row per network and space
        …_units.parquet                          what removing or keeping one hidden unit does, one row per unit
        …_snapshots.csv                          one row per network and kept iteration

An interrupted optimisation goes on from results/{scale}/checkpoints.
"""


rule vmc:
    input:
        ground_state=lambda wildcards: ground_state_file(
            vmc_cell_of(wildcards).cluster, 0
        ),
    output:
        weights=f"{RESULTS}/vmc/{{study}}/{{cluster}}/rbm{{alpha}}-{{mode}}-{{run}}.safetensors",
        models=f"{RESULTS}/vmc/{{study}}/{{cluster}}/rbm{{alpha}}-{{mode}}-{{run}}_models.csv",
        trace=f"{RESULTS}/vmc/{{study}}/{{cluster}}/rbm{{alpha}}-{{mode}}-{{run}}_trace.parquet",
    log:
        f"{RESULTS}/logs/vmc/{{study}}/{{cluster}}/rbm{{alpha}}-{{mode}}-{{run}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/vmc/{{study}}/{{cluster}}/rbm{{alpha}}-{{mode}}-{{run}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        **GPU,
        mem_mb=1500,
        runtime=720,
    params:
        settings=lambda wildcards: as_json(
            cells_mummaneni2026.vmc_settings(CONFIG, vmc_cell_of(wildcards))
        ),
        checkpoints=lambda wildcards: f"{RESULTS}/checkpoints/vmc/{vmc_cell_of(wildcards).path}",
        code=code_hash("nqs.vmc.stages.rbm"),
    shell:
        "python -m nqs vmc --settings {params.settings:q}"
        f" --device {CONFIG.device}"
        " --threads {threads} --code {params.code} --ground-state {input.ground_state:q}"
        " --checkpoints {params.checkpoints:q} --out {output.weights:q}"
        " --models {output.models:q} --trace {output.trace:q} &> {log:q}"


rule observables:
    input:
        weights=rules.vmc.output.weights,
        models=rules.vmc.output.models,
        ground_state=lambda wildcards: ground_state_file(
            vmc_cell_of(wildcards).cluster, 0
        ),
    output:
        states=f"{RESULTS}/observables/{{study}}/{{cluster}}/rbm{{alpha}}-{{mode}}-{{run}}_states.csv",
        units=f"{RESULTS}/observables/{{study}}/{{cluster}}/rbm{{alpha}}-{{mode}}-{{run}}_units.parquet",
        snapshots=f"{RESULTS}/observables/{{study}}/{{cluster}}/rbm{{alpha}}-{{mode}}-{{run}}_snapshots.csv",
    log:
        f"{RESULTS}/logs/observables/{{study}}/{{cluster}}/rbm{{alpha}}-{{mode}}-{{run}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/observables/{{study}}/{{cluster}}/rbm{{alpha}}-{{mode}}-{{run}}.tsv"
    conda:
        "../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=2500,
        runtime=240,
    params:
        tau=CONFIG.mummaneni2026.importance.tau,
        code=code_hash("nqs.analysis.rbm_observables"),
    shell:
        "python -m nqs observables --weights {input.weights:q} --models {input.models:q}"
        " --ground-state {input.ground_state:q} --tau {params.tau} --threads {threads}"
        " --out {output.states:q} --units {output.units:q}"
        " --snapshots {output.snapshots:q} &> {log:q}"
