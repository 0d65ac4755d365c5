"""The configuration, the work it asks for, and what every rule shares."""

import os
import sys
from shlex import quote

PROJECT = Path(workflow.basedir)
SOURCE = str(PROJECT / "src")
if SOURCE not in sys.path:
    sys.path.insert(0, SOURCE)
# jobs find the package even where it is not installed, e.g. in a per-rule conda environment
# jobs also know their terminal, for the reason why a log cannot be written
shell.prefix(
    f"exec 9>&2; export NQS_STDERR=9 PYTHONPATH={quote(SOURCE)}${{{{PYTHONPATH:+:$PYTHONPATH}}}}; "
)

from nqs.runtime.device import count_gpus
from nqs.runtime.errors import ConfigError, NqsError
from nqs.runtime.files import remove_leftovers, require_writable
from nqs.studies.protocol import shown_name
from nqs.workflow import fork_server, survivors
from nqs.workflow.code_hash import code_hash, keep_answers
from nqs.workflow.snakemake_patch import calm_snakemake, measure_forks
from nqs.workflow.stages import STAGES, by_size

calm_snakemake()
keep_answers(Path(".snakemake/nqs_code.json").absolute())

try:  # studies are found and checked on import
    from nqs.workflow.archive import Archive
    from nqs.workflow.cluster import (
        Bundles,
        bundled,
        computes,
        cores_given,
        jobs_given,
        local_jobs,
        minutes,
        raised,
    )
    from nqs.workflow.configuration import ARCHIVE, asked, load
    from nqs.workflow.cost import Costs, read_timings
    from nqs.workflow.order import Order
    from nqs.workflow.work import Work, as_json

    CONFIG = load(PROJECT, asked(workflow.config_settings, config))
    WORK = Work(CONFIG)
    ORDER = Order(Costs(WORK, read_timings(PROJECT)))
    for folder in (".snakemake", f"results/{CONFIG.scale}"):
        require_writable(Path(folder).absolute())
except NqsError as error:
    raise WorkflowError(str(error)) from None


def serve_forks(jobs):
    """Start a fork server for so many jobs on this machine, if that is worth it."""
    if jobs >= fork_server.MANY and (server := fork_server.start()):
        measure_forks(server.pid)


onstart:
    if workflow.execution_settings.lock and (left := survivors.stop()):
        raise WorkflowError(survivors.refusal(left))
    remove_leftovers(Path(RESULTS).rglob(".*.part"))
    serve_forks(local_jobs(workflow.dag))


if workflow.remote_exec:  # in a job of a cluster, where no onstart is run
    os.environ.pop(fork_server.ADDRESS, None)  # that of the machine where the run began
    if cores := cores_given():  # Slurm need not bind a job to its cores
        workflow.register_resource("_cores", cores)
    if workflow.local_exec:
        serve_forks(jobs_given(sys.argv))


RESULTS = f"results/{CONFIG.scale}"
CLAIMS = {"claims": PROJECT / "reference/claims.yaml"}
GALLERY = Archive(PROJECT, WORK) if CONFIG.scale == ARCHIVE else None
NEAR = True  # drawing takes no job of a cluster, but states what it needs as jobs do


def below_results(files):
    """Files by kind, with the folder of this scale."""
    return {
        kind: [f"{RESULTS}/{path}" for path in paths]
        for kind, paths in files.items()
        if paths
    }


def named(option, files):
    """Command-line options --input or --output, one per file: kind=path."""
    return [
        f"--{option}={kind}={path}"
        for kind, paths in files.items()
        for path in ([paths] if isinstance(paths, str) else paths)
    ]


def inputs(wildcards, input):
    """The inputs of a job as options."""
    return named("input", dict(input.items()))


def outputs(wildcards, output):
    """The outputs of a job as options."""
    return named("output", dict(output.items()))


def published(study):
    """The numbers of a study's paper, kind -> file; none of a study without a paper."""
    if not study.published:
        return {}
    return {"published": PROJECT / "reference" / study.published}


def priority_of(stage):
    """What the cheapest target needs goes first."""
    return lambda wildcards: ORDER.priority(stage.name, wildcards.path)
