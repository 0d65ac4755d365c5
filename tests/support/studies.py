"""What the tests ask of the studies: their drawing functions, and the configuration as each of them sees it."""

from pathlib import Path

import pandas as pd

from nqs.runtime.job import Job, function
from nqs.workflow import rows
from nqs.workflow.configuration import load
from nqs.workflow.studies import found_studies

ROOT = Path(__file__).parents[2]


def figures_of(study):
    """Drawing function of each figure of a study."""
    return {name: function(target.draw) for name, target in found_studies()[study].targets.items() if target.draw}


def rows_of(study, name):
    """The function that makes the rows of a target."""
    return function(found_studies()[study].targets[name].rows)


def build_rows(name, files, settings, folder):
    """The rows of a target as its rule writes them, read again; several tables by name."""
    _, short, target = rows.find(name)
    outputs = {kind: folder / f"{kind}.csv" for kind in target.tables(short)}
    rows.build(name, Job(settings, files, outputs))
    tables = {kind: pd.read_csv(path) for kind, path in outputs.items()}
    return tables if len(tables) > 1 else tables.popitem()[1]


def config_of(study, scale="smoke", **changes):
    """The configuration of a scale, with changes, as one study sees it."""
    return load(ROOT, {"scale": scale, **changes}).of(found_studies()[study])
