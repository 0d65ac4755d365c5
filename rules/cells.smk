"""Cells of the stages: files, numbers, hash of the code, memory, time and GPU that their jobs are told."""

GPUS = count_gpus(CONFIG.device)  # of this machine
GPU = {"gpu": 1} if GPUS or CONFIG.device == "cuda" else {}
if GPUS and workflow.local_exec and "gpu" not in workflow.global_resources:
    workflow.register_resource("gpu", GPUS)


def cell_of(stage, wildcards):
    """The cell of a stage that the wildcards name."""
    try:
        return WORK.cell(stage.name, wildcards.path)
    except ConfigError as error:
        raise WorkflowError(str(error)) from None


def inputs_of(stage):
    """Input function of a stage's rule."""
    return lambda wildcards: below_results(cell_of(stage, wildcards).inputs)


def settings_of(stage):
    """The numbers that a cell depends on, as text."""
    return lambda wildcards: as_json(cell_of(stage, wildcards).settings())


def code_of(stage):
    """Hash of the code that a cell depends on."""
    return lambda wildcards: code_hash(stage.entry, *cell_of(stage, wildcards).code)


def sized(stage, sizes):
    """A resource by the size of a cell's cluster."""
    return lambda wildcards: by_size(sizes, cell_of(stage, wildcards).n_sites)


def raised_by_size(stage, sizes):
    """A resource by the size of a cell's cluster, more on every retry."""
    of = sized(stage, sizes)
    return lambda wildcards, attempt: raised(of(wildcards), attempt)


def minutes_of(stage):
    """Run time of a cell by its expected cost."""
    most = sized(stage, stage.minutes)
    return lambda wildcards, attempt: minutes(
        ORDER.costs.seconds(stage.name, wildcards.path), most(wildcards), attempt
    )


def options_of(stage):
    """Options of a stage beyond settings and files."""
    device = [f"--device={CONFIG.device}"] if stage.gpu else []
    folder = f"{RESULTS}/checkpoints/{stage.name}"
    return lambda wildcards: [
        *device,
        *([f"--checkpoints={folder}/{wildcards.path}"] if stage.resumes else []),
    ]
