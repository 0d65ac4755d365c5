"""What computes cells: one rule for each stage of nqs.workflow.stages, in the order of the data.

makes   results/{scale}/hamiltonian/{cluster}.h5                  bases and matrices of all symmetry sectors
        results/{scale}/ground_state/{cluster}/j2_{j2}.h5         lowest state, its gap and momentum
        results/{scale}/momentum_check/{cluster}.csv              comparison with all momenta, on request
        results/{scale}/dataset/{study}/{cluster}/j2_{j2}/…       training and validation sets of one size
        results/{scale}/supervised/…, results/{scale}/overlaps/…  trained networks and their overlaps
        results/{scale}/reconfiguration/…                         variational states of frustrated clusters
        results/{scale}/vmc/…, results/{scale}/observables/…      restricted Boltzmann machines of rings
        results/{scale}/sampled_ablation/…                        the same as Markov chains see them
        results/{scale}/motif_vmc/…, results/{scale}/motif_optima/…   networks on rings and exact optima

Which cells there are, what they depend on and what they read is said by the studies (src/nqs/studies). Unfinished work
lies in results/{scale}/checkpoints, and an interrupted job goes on from there.
"""

for stage in STAGES.values():

    rule:
        name:
            stage.name
        input:
            unpack(inputs_of(stage)),
        output:
            **{
                kind: f"{RESULTS}/{stage.name}/{{path}}{ending}"
                for kind, ending in stage.outputs.items()
            },
        log:
            f"{RESULTS}/logs/{stage.name}/{{path}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/{stage.name}/{{path}}.tsv"
        priority: priority_of(stage)
        group:
            bundle_of(stage)
        conda:
            f"../envs/{stage.environment}.yaml"
        threads: sized(stage, stage.threads)
        resources:
            **(GPU if stage.gpu else {}),
            **slots(gpu=bool(stage.gpu and GPU)),
            mem_mb=raised_by_size(stage, stage.memory),
            disk_mb=sized(stage, stage.disk),
            runtime=minutes_of(stage),
        params:
            stage=stage.name,
            settings=settings_of(stage),
            inputs=inputs,
            outputs=outputs,
            options=options_of(stage),
            code=code_of(stage),
        shell:
            "python -m nqs stage {params.stage} --settings {params.settings:q}"
            " {params.inputs:q} {params.outputs:q} {params.options:q}"
            " --threads {threads} --code {params.code} &> {log:q}"


rule momenta:
    input:
        [
            f"{RESULTS}/momentum_check/{name}.csv"
            for name in sorted({file.split("/")[1] for file in WORK.ground_states})
            if CONFIG.n_sites(name) <= 32
        ],
    localrule: True
