"""The stages: what computes cells, one record each, in the order of the data.

A stage is a rule of the workflow, a name for `python -m nqs stage`, and a function of a `Job`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Sizes = tuple[int, int, int]  # for clusters of up to 24, up to 32 and more sites


@dataclass(frozen=True)
class Stage:
    """What a rule says of its jobs.

    entry: function of a Job; outputs: kind -> ending of the file; environment: file in envs/; memory and disk in MB,
    minutes at most and threads by the size of the cluster; libraries: whether BLAS and OpenMP may use the threads, too;
    resumes: whether unfinished work lies in results/<scale>/checkpoints.
    """

    name: str
    entry: str
    outputs: Mapping[str, str]
    environment: str
    memory: Sizes
    minutes: Sizes
    threads: Sizes = (1, 1, 1)
    disk: Sizes = (1000, 1000, 1000)
    libraries: bool = False
    gpu: bool = False
    resumes: bool = False


def by_size(sizes: Sizes, n_sites: int) -> int:
    """What a job on so many sites takes."""
    return sizes[0] if n_sites <= 24 else sizes[1] if n_sites <= 32 else sizes[2]


STAGES = {
    stage.name: stage
    for stage in (
        Stage(
            "hamiltonian", "nqs.exact.blocks:stage", {"hamiltonian": ".h5"}, "ed",
            memory=(1500, 3000, 7000), minutes=(60, 60, 60), threads=(1, 2, 2), disk=(1000, 2000, 20000),
        ),
        Stage(
            "ground_state", "nqs.exact.ground_state:stage", {"ground_state": ".h5"}, "ed",
            memory=(1500, 3000, 8000), minutes=(60, 60, 240), threads=(1, 2, 2), resumes=True,
        ),
        Stage(  # more than 32 sites are refused
            "momentum_check", "nqs.exact.momentum_check:stage", {"table": ".csv"}, "ed",
            memory=(2000, 10000, 1000), minutes=(240, 1440, 10),
        ),
        Stage(
            "dataset", "nqs.supervised.dataset:stage", {"dataset": ".h5"}, "ed",
            memory=(1000, 1500, 3000), minutes=(10, 10, 10),
        ),
        Stage(
            "supervised", "nqs.supervised.stage:stage", {"weights": ".safetensors", "history": ".csv"}, "torch",
            memory=(2500, 2500, 4000), minutes=(240, 240, 240), libraries=True, gpu=True, resumes=True,
        ),
        Stage(
            "overlaps", "nqs.analysis.overlaps:stage", {"overlaps": ".csv"}, "torch",
            memory=(2000, 2000, 4000), minutes=(60, 60, 120), libraries=True, gpu=True,
        ),
        Stage(
            "reconfiguration", "nqs.vmc.stages.amplitude_phase:stage",
            {"weights": ".safetensors", "table": ".csv", "trace": "_trace.parquet"}, "torch",
            memory=(1500, 1500, 1500), minutes=(720, 720, 720), resumes=True,
        ),
        Stage(
            "vmc", "nqs.vmc.stages.rbm:stage",
            {"weights": ".safetensors", "models": "_models.csv", "trace": "_trace.parquet"}, "torch",
            memory=(1500, 1500, 1500), minutes=(720, 720, 720), libraries=True, gpu=True, resumes=True,
        ),
        Stage(
            "observables", "nqs.analysis.rbm_observables:stage",
            {"states": "_states.csv", "units": "_units.parquet", "snapshots": "_snapshots.csv"}, "plot",
            memory=(2500, 2500, 2500), minutes=(240, 240, 240), libraries=True,
        ),
        Stage(
            "sampled_ablation", "nqs.analysis.sampled_ablation:stage",
            {"states": "_states.csv", "units": "_units.parquet"}, "plot",
            memory=(1500, 1500, 1500), minutes=(240, 240, 240),
        ),
        Stage(
            "motif_vmc", "nqs.vmc.stages.ring:stage",
            {"weights": ".safetensors", "runs": "_runs.csv", "trace": "_trace.parquet"}, "torch",
            memory=(1000, 1000, 1000), minutes=(720, 720, 720), gpu=True, resumes=True,
        ),
        Stage(
            "motif_optima", "nqs.vmc.stages.ring_optima:stage", {"optima": ".csv", "arrays": ".safetensors"}, "plot",
            memory=(1000, 1000, 1000), minutes=(240, 240, 240),
        ),
    )
}  # fmt: skip
