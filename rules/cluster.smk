"""What jobs ask of a cluster, memory and time that grow on retries, and which cells share one."""


def needing(mem_mb, runtime):
    """Resources of jobs that are alike; more on every retry."""
    return {
        "mem_mb": lambda wildcards, attempt: raised(mem_mb, attempt),
        "runtime": lambda wildcards, attempt: raised(runtime, attempt),
        "disk_mb": 1000,
    }


SMALL = needing(mem_mb=500, runtime=10)  # what drawing takes
LARGE = needing(mem_mb=1500, runtime=60)  # what making rows takes


# Cells that share a job of a cluster. A profile says how many threads such a job has: its resource `slots`, local in
# scope. The jobs themselves do not see the profile and find the number in their environment.
SLOTS = workflow.global_resources.get("slots").value
BUNDLES = Bundles(ORDER) if bundled(SLOTS, workflow.remote_exec) else None


def slots(gpu=False):
    """Share of a cluster's job that a cell takes: its threads; all where there is one GPU."""
    if not SLOTS:
        return {}
    return {"slots": lambda wildcards, threads: SLOTS if gpu else min(threads, SLOTS)}


def bundle_of(stage):
    """The bundle of a stage's cells, if bundles are made."""
    return BUNDLES and (
        lambda wildcards: as_one(BUNDLES.name(stage.name, wildcards.path))
    )


def bundle_of_rows(study, name):
    """The bundle of a target's rows, if bundles are made and the rows are not local."""
    if not BUNDLES or not computes(WORK, study):
        return None
    return lambda wildcards: as_one(BUNDLES.name("rows", f"{study.name}_{name}"))


def as_one(bundle):
    """A bundle, after Snakemake was told that its cells are one job though no files connect them."""
    components = workflow.group_settings.group_components
    if bundle not in components:  # this cannot be set earlier, nor by a profile
        workflow.group_settings.group_components = {**components, bundle: 2**31}
    return bundle
