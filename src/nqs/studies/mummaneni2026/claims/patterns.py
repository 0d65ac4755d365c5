"""Claims about correlations without a unit, and of a unit or group kept alone: Figs. 6, 7 and 9."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.integrate import quad
from scipy.special import ndtr

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Evidence, above, below, mean, share_above
from nqs.studies.mummaneni2026.claims.selected import (
    TAU,
    VARIANT,
    alternates,
    another,
    groups,
    most,
    near_in_ln,
    next_model,
    profiles,
    projection,
    range_of,
    reading,
    select,
    sites,
    small_units,
    value_of,
)

ERASED = 0.2  # part of a pattern that counts as none
SMALL_CHANGE = 0.02  # root mean square of a change of C_zz that is hardly any
RECOVERY_SIZES = (8, 12, 16, 20)  # Fig. 9
OF_UNITS = ("rank", "n_hidden", "czz_1", "delta_czz_1")
ALONE = ("rank", "energy", "energy_alone", "energy_none", "exact_czz_1", "czz_1", "czz_alone_1")


def without(units: pd.DataFrame) -> np.ndarray:
    """C_zz(r), r >= 1, of each model without the unit: (unit, r)."""
    return profiles(units, "czz") + profiles(units, "delta_czz")


def per_model(units: pd.DataFrame, values: Any) -> Any:
    """Means of values of units over those of one model, one per model."""
    return pd.Series(np.asarray(values, float), index=units.index).groupby(units.repeat).mean()


def n4_pattern_destroyed(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """N = 4 without the leading unit: hardly any of the pattern of the whole model is left."""
    for cell, part in small_units(tables, 4, *OF_UNITS):
        first = part[part["rank"] == 1]
        left = projection(without(first), profiles(first, "czz"))
        yield most(f"projection < {ERASED:g} left", left < ERASED, reading=reading(cell), remark=range_of(left))


def n4_others_change_magnitude(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """N = 4 without another unit: signs as before; without one of the lower half: hardly a change."""
    for cell, part in small_units(tables, 4, *OF_UNITS):
        yield from _signs_kept(part[part["rank"] >= 2], 0.8, reading(cell))
        yield from _hardly_changed(part, reading(cell))


def n8_weak_units_fine_tune(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """N = 8 without a unit of the lower half: signs as before and hardly a change."""
    for cell, part in small_units(tables, 8, *OF_UNITS):
        yield from _signs_kept(part[part["rank"] > part.n_hidden / 2], 0.95, reading(cell))
        yield from _hardly_changed(part, reading(cell))


def _signs_kept(units: pd.DataFrame, bound: float, words: str) -> Iterator[Evidence]:
    """Units of a model whose removal leaves the staggered signs, mean share over models."""
    share = mean(per_model(units, alternates(without(units))))
    yield above("share of units whose removal keeps all signs", share, bound, part="signs", reading=words)


def _hardly_changed(units: pd.DataFrame, words: str) -> Iterator[Evidence]:
    """Root-mean-square change by units of the lower half, mean over models."""
    weak = units[units["rank"] > units.n_hidden / 2]
    change = np.sqrt((profiles(weak, "delta_czz") ** 2).mean(axis=1))
    yield below("root-mean-square change of C_zz, lower half", mean(per_model(weak, change)), SMALL_CHANGE,
                part="size", reading=words)  # fmt: skip


def n8_phase_inversion(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """N = 8 without one of the three leading units: C_zz(3) and C_zz(4) with the other sign, mean share over models."""
    for cell, part in small_units(tables, 8, *OF_UNITS, "czz_4", "delta_czz_4"):
        leading = part[part["rank"] <= 3]
        whole, left = profiles(leading, "czz"), without(leading)
        turned = (np.sign(left[:, 2:4]) == -np.sign(whole[:, 2:4])).all(axis=1)
        like = [np.corrcoef(one, two)[0, 1] for one, two in zip(whole, left, strict=True)]
        yield above("share of leading units whose removal inverts", mean(per_model(leading, turned)), 0.5,
                    reading=reading(cell), remark=f"correlation with the whole {np.median(like):.2f}")  # fmt: skip


def single_unit_n4(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """N = 4, the two leading units alone: no pattern, and one of them with the largest effect on the energy."""
    for cell, part in small_units(tables, 4, *ALONE):
        part = part.assign(alone=_alone(part), gain=(part.energy_alone - part.energy_none).abs())
        best = part[part["rank"] <= 2].groupby("repeat").alone.max()
        yield most(f"projection of the two leading units alone < {ERASED:g}", best < ERASED, part="pattern",
                   reading=reading(cell), remark=f"median {best.median():.2f}, {range_of(best)}")  # fmt: skip
        strongest = part.loc[part.groupby("repeat").gain.idxmax()]
        yield most("largest energy effect alone from a leading unit", strongest["rank"] <= 2, part="energy",
                   reading=reading(cell))  # fmt: skip


def single_unit_n8(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """N = 8, any unit alone: a small part of the energy gained by all of them, and of the pattern."""
    for cell, part in small_units(tables, 8, *ALONE):
        gain = ((part.energy_alone - part.energy_none) / (part.energy - part.energy_none)).abs()
        for words, values in (("energy", gain), ("pattern", pd.Series(_alone(part), index=part.index))):
            best = values.groupby(part.repeat).max()
            yield most(f"largest part of the {words} from a unit alone < {ERASED:g}", best < ERASED, part=words,
                       reading=reading(cell), remark=f"median {best.median():.2f}, {range_of(best)}")  # fmt: skip


def _alone(units: pd.DataFrame) -> np.ndarray:
    """Projection of C_zz of each unit alone on the exact one, over that of the whole model."""
    exact = profiles(units, "exact_czz")
    return projection(profiles(units, "czz_alone"), exact) / projection(profiles(units, "czz"), exact)


def collective_encoding(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """No unit alone has half of the pattern of its model, in 95 % of all models."""
    best: dict[str, list[float]] = {}
    for n_sites in (4, 8):
        for cell, part in small_units(tables, n_sites, *ALONE):
            alone = pd.Series(projection(profiles(part, "czz_alone"), profiles(part, "czz")), index=part.index)
            best.setdefault(reading(cell), []).extend(alone.groupby(part.repeat).max())
    if "ablation" in tables:
        for cell, part in groups(select(tables, "ablation", [*VARIANT, "best_alone"]), *VARIANT):
            best.setdefault(reading(cell), []).extend(part.best_alone)
    for words, found in best.items():
        below_half = int((np.array(found) < 0.5).sum())
        yield share_above("share of models without a unit that has half of the pattern", below_half, len(found), 0.95,
                          reading=words, remark=f"best projection of a unit alone: {range_of(found)}")  # fmt: skip


def recovery_n16(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """N = 16, alpha = 3: important units, and the energy they miss, against the printed numbers of a single model."""
    printed = value_of(claim)
    columns = ["n_important_mean", "n_important_sd", "n_models"]
    points = select(tables, "fractions", columns, n_sites=16, alpha=3, tau=TAU, with_r0=False, converged=True)
    for cell, part in groups(points, *VARIANT):
        row = part.iloc[0]
        yield next_model("important units", row.n_important_mean, row.n_important_sd, int(row.n_models),
                         printed["m_important"], part="units", reading=reading(cell))  # fmt: skip
    if "fig9" in tables:
        yield from _recovery(tables, 16, printed["energy_error_percent"], "energy", alpha=3)
    if "sampled_recovery" in tables:
        yield from _recovery_by_chains(tables, printed["energy_error_percent"])


def _recovery_by_chains(tables: Tables, printed: float) -> Iterator[Evidence]:
    """The same where chains measured the energies, N = 16, alpha = 3."""
    columns = ["recovery_ln_mean", "recovery_ln_sd", "n_models"]
    for cell, part in groups(select(tables, "sampled_recovery", columns, n_sites=16, alpha=3), *VARIANT):
        row = part.iloc[0]
        missed = another(row.recovery_ln_mean, row.recovery_ln_sd, int(row.n_models))
        yield near_in_ln("energy missed (%)", missed, printed, resolution=np.log(2), part="energy",
                         reading=reading(cell))  # fmt: skip


def recovery_others(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Energy that the important units miss at the density of closest recovery, against that of a single model."""
    for name, printed in value_of(claim).items():
        yield from _recovery(tables, int(name[1:]), printed, sites(int(name[1:])))


def _recovery(tables: Tables, n_sites: int, printed: float, part: str, **values: Any) -> Iterator[Evidence]:
    """Missed energy in percent: ln of that of the median model, its scatter from the range over models."""
    columns = ["recovery_error_percent", "recovery_low", "recovery_high", "n_models", "alpha"]
    table = select(tables, "fig9", columns, n_sites=n_sites, series="important", **values)
    for cell, rows in groups(table, *VARIANT):
        row = rows.iloc[0]
        n = int(row.n_models)
        wide = np.log(row.recovery_high / row.recovery_low) if row.recovery_low > 0 and n > 1 else np.inf
        sd = wide / normal_range(n) if n > 1 else np.inf
        words = f"models {row.recovery_low:.3g} to {row.recovery_high:.3g} %, alpha = {row.alpha:g}"
        yield near_in_ln("energy missed (%)", another(np.log(row.recovery_error_percent), sd, n), printed,
                         resolution=np.log(2), part=part, reading=reading(cell), remark=words)  # fmt: skip


def normal_range(n: int) -> float:
    """Expected range of n independent normal numbers, in standard deviations."""
    return float(quad(lambda x: 1 - ndtr(x) ** n - ndtr(-x) ** n, -8, 8)[0])


def important_units_oscillate(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Important units alone: profile like that of the whole model, with its signs, in most models."""
    columns = [*VARIANT, "likeness", "same_sign"]
    for cell, part in groups(select(tables, "ablation", columns, n_sites=RECOVERY_SIZES), "n_sites", *VARIANT):
        kept = (part.likeness > 0.8) & (part.same_sign > 0.9)
        yield most("the oscillation from important units alone", kept, part=sites(cell["n_sites"]),
                   reading=reading(cell), remark=f"correlation {part.likeness.median():.2f} in the median")  # fmt: skip


def unimportant_units_flat(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The other units alone: projection on the profile of the whole model small or negative, in most models."""
    table = select(tables, "ablation", [*VARIANT, "others"], n_sites=RECOVERY_SIZES)
    for cell, part in groups(table, "n_sites", *VARIANT):
        yield most(f"projection of the other units < {ERASED:g}", part.others < ERASED, part=sites(cell["n_sites"]),
                   reading=reading(cell), remark=range_of(part.others))  # fmt: skip


CHECKS = {
    "n4_pattern_destroyed": n4_pattern_destroyed,
    "n4_others_change_magnitude": n4_others_change_magnitude,
    "n8_phase_inversion": n8_phase_inversion,
    "n8_weak_units_fine_tune": n8_weak_units_fine_tune,
    "single_unit_n4": single_unit_n4,
    "single_unit_n8": single_unit_n8,
    "collective_encoding": collective_encoding,
    "recovery_n16": recovery_n16,
    "recovery_others": recovery_others,
    "important_units_oscillate": important_units_oscillate,
    "unimportant_units_flat": unimportant_units_flat,
}
