"""The archived tables of ju2025, and edits that make others of them: functions from tables to tables."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Tables, read_claims
from nqs.analysis.ledger.verdict import judge
from nqs.studies.ju2025.claims.ledger import CHECKS

ROOT = Path(__file__).parents[2]
ARCHIVED = ROOT / "archive/paper/ju2025"
LIST = ROOT / "reference/claims.yaml"
CLAIMS = {claim.slug: claim for claim in read_claims(LIST).values() if claim.study == "ju2025"}
NAMES = ("fig1", "fig2", "fig3", "figS1", "figS2", "figX1", "figX2", "figX3", "table1", "table2", "tableS1")


@cache
def archived():
    return {name: pd.read_csv(ARCHIVED / f"{name}.csv") for name in NAMES}


def found(slug, frames):
    return list(CHECKS[slug](CLAIMS[slug], Tables(frames)))


def verdict(slug, frames):
    return judge(found(slug, frames)).verdict


def chosen(table, where):
    """Rows with these values."""
    mask = np.ones(len(table), bool)
    for column, value in where.items():
        mask &= (table[column] == value).to_numpy()
    assert mask.any(), where
    return mask


def put(name, column, value, **where):
    """An edit: a column of some rows of a table gets a value."""

    def edit(frames):
        table = frames[name].copy()
        table[column] = table[column].astype(object) if isinstance(value, str) else table[column].astype(float)
        table.loc[chosen(table, where), column] = value
        return {**frames, name: table}

    return edit


def drop(name, **where):
    """An edit: some rows of a table go."""
    return lambda frames: {**frames, name: frames[name][~chosen(frames[name], where)]}


def both(*edits):
    def edit(frames):
        for one in edits:
            frames = one(frames)
        return frames

    return edit


# ---- edits of Fig. 3


def scaled(columns, factor, network, of, series="run"):
    """An edit: columns of a network's rows are those of another's with the same key, times a factor."""
    key = ["n_sites", "width", "seed"] if series == "run" else ["n_sites", "width", "learning_rate", "steps"]

    def edit(frames):
        table = frames["fig3"].copy()
        source = table[(table.series == series) & (table.network == of)].set_index(key)
        rows = (table.series == series) & (table.network == network)
        places = pd.MultiIndex.from_frame(table.loc[rows, key])
        for column in columns:
            table.loc[rows, column] = source[column].reindex(places).to_numpy() * factor
        return {**frames, "fig3": table}

    return edit


T_CV = ("t_cv_5", "t_cv_10")
SAVED = 0.58  # T_cv with forcing over that without: 42 % saved


def saving(n_sites):
    """All evidence of Fig. 3 for a saving of 42 %."""
    edits = [put("fig3", "reduction_moving", 1 - SAVED, series="reduction", n_sites=n_sites)]
    edits += [put("fig3", "reduction_moving_sem", 0.02, series="reduction", n_sites=n_sites)]
    for network in ("init", "traj"):
        edits += [scaled([f"{name}_moving" for name in T_CV], SAVED, network, "original", "search")]
        edits += [scaled(T_CV, SAVED, network, "original")]
        edits += [
            put("fig3", name, 0, series="run", network=one) for name in ("stuck",) for one in (network, "original")
        ]
    return both(*edits)


def deep(layers=2, filters=2, size=1.0, energy=1.0, t_cv=1.0, works=(0.01,)):
    """An edit: deep networks with the runs of traj, parameters, energies and T_cv times a factor, and a search."""

    def edit(frames):
        table, name = frames["fig3"], f"deep{layers}x{filters}"
        runs = table[(table.series == "run") & (table.network == "traj")]
        search = table[(table.series == "search") & (table.network == "traj") & (table.width == 3) & (table.steps == 1)]
        runs = runs.assign(
            network=name, n_parameters=runs.n_parameters * size, delta_energy=runs.delta_energy * energy,
            t_cv_5=runs.t_cv_5 * t_cv, t_cv_10=runs.t_cv_10 * t_cv,
        )  # fmt: skip
        low = search.learning_rate.isin(works)
        search = search.assign(network=name, delta_energy_mean=np.where(low, 0.1, 99), n_stuck=0)
        return {**frames, "fig3": pd.concat([table, runs, search], ignore_index=True)}

    return edit


def scattered(sign):
    """An edit: energies of deep networks scatter the more, or the less, the more parameters they have."""

    def edit(frames):
        table = frames["fig3"].copy()
        rows = (table.series == "run") & table.network.str.startswith("deep")
        table.loc[rows, "delta_energy"] = 1 + 0.01 * (table.run - 2) * (9 + sign * np.log(table.n_parameters))
        return {**frames, "fig3": table}

    return edit


def steady(frames):
    """An edit: runs of traj scatter little about their median, and those of init are the same."""
    table = frames["fig3"].copy()
    rows = (table.series == "run") & (table.network == "traj")
    middle = table[rows].groupby(["n_sites", "width"])
    for column in ("delta_energy", *T_CV):
        table.loc[rows, column] = middle[column].transform("median") * (1 + 0.02 * (table[rows].run - 2))
    table.loc[(table.series == "run") & (table.network != "original"), "stuck"] = 0
    return scaled(["delta_energy", *T_CV], 1.0, "init", "traj")({**frames, "fig3": table})
