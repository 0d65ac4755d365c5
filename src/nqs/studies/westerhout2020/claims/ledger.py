"""The checks of all claims of Westerhout et al. (2020), by the name of the claim in reference/claims.yaml."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nqs.analysis.ledger.claim import Claim, NoTable, Tables
from nqs.analysis.ledger.evidence import Evidence
from nqs.studies.westerhout2020.claims import (
    amplitudes,
    clusters,
    dips,
    expressibility,
    identities,
    published,
    scaling,
    sizes,
    symmetry,
    variational,
)

Check = Callable[[Claim, Tables], Iterator[Evidence]]


def _naming_what_lacks(check: Check) -> Check:
    """A check that finds nothing says which table the claim would need, if that is missing."""

    def checked(claim: Claim, tables: Tables) -> Iterator[Evidence]:
        found = list(check(claim, tables))
        table = claim.target.removeprefix(f"{claim.study}_")
        if not found and table not in tables:
            raise NoTable(table)
        return iter(found)

    return checked


_FUNCTIONS: tuple[Check, ...] = (
    clusters.lattice_couplings,
    clusters.j2_zero_unfrustrated,
    clusters.minimal_magnetization_sector,
    clusters.real_wavefunction,
    clusters.hilbert_dimensions,
    expressibility.expressibility_floor,
    expressibility.expressive_but_not_generalizing,
    dips.frustration_degrades_generalization,
    dips.kagome_drop_location,
    dips.kagome_frustrated_window,
    dips.square_dip,
    dips.triangle_minimum_before_transition,
    dips.dip_locates_transition,
    dips.cnn_dip_smaller_square,
    dips.cnn_dip_smaller_triangle,
    symmetry.cnn_gain_from_symmetry,
    dips.statements_hold_for_dense_networks,
    published.published_curves_fig2_top,
    variational.sr_tracks_generalization,
    published.published_curves_fig2_bottom,
    identities.sr_maximizes_imaginary_time_overlap,
    sizes.abrupt_threshold_kagome,
    sizes.kagome_reasonable_generalization_at_0p6,
    sizes.kagome_eps_grows_with_frustration,
    published.published_curves_fig3,
    sizes.sharp_transition_square_triangle,
    sizes.square_eps_independent_of_j2,
    sizes.triangle_kagome_eps_grows,
    sizes.plateau_in_larger_systems,
    sizes.plateau_hidden_at_24,
    amplitudes.amplitudes_easier,
    amplitudes.both_drop_sign_more,
    amplitudes.signs_too_poor_deep,
    amplitudes.amplitudes_decent_deep,
    expressibility.amplitudes_expressible,
    published.published_curves_fig5,
    amplitudes.both_dip_sign_harder_s2,
    amplitudes.amplitude_smooth_in_eps,
    amplitudes.amplitude_nonzero_small_sets,
    variational.sign_learned_without_marshall,
    identities.small_amplitude_signs_harmless,
    variational.psi2_sampling_beats_uniform,
    scaling.spins30_same_j2_pattern,
    sizes.spins30_abrupt,
    sizes.spins30_smaller_fraction,
    amplitudes.spins30_signs_harder,
    sizes.sharp_transition_32_36,
    scaling.critical_size_factor_10,
    scaling.critical_size_slow_scaling,
    identities.dense_parameters,
    identities.two_logit_softmax,
    identities.cnn_translation_invariant,
    identities.cnn_odd_flips_sign,
    variational.batch_size_matters,
)

CHECKS: dict[str, Check] = {check.__name__: _naming_what_lacks(check) for check in _FUNCTIONS}
