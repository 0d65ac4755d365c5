"""All checks of the primer's claims by name."""

from __future__ import annotations

from nqs.analysis.ledger.table import Check
from nqs.studies.kufel2024.claims import dynamics, method, states

CHECKS: dict[str, Check] = {
    "variational_bound": method.variational_bound,
    "local_energy_identity": method.local_energy_identity,
    "local_energy_sparse": method.local_energy_sparse,
    "sampled_energy": method.sampled_energy,
    "metropolis_stationary": dynamics.metropolis_stationary,
    "chains_polynomial_or_exponential": dynamics.chains_polynomial_or_exponential,
    "diagnostics_detect_bad_sampling": dynamics.diagnostics_detect_bad_sampling,
    "autoregressive_direct": dynamics.autoregressive_direct,
    "sgd_falls_short": method.sgd_falls_short,
    "qng_imaginary_time": method.qng_imaginary_time,
    "sr_cost": method.sr_cost,
    "minsr_same_step": method.minsr_same_step,
    "s_ill_conditioned": method.s_ill_conditioned,
    "infinite_shift_is_gradient": method.infinite_shift_is_gradient,
    "one_layer_universal": method.one_layer_universal,
    "rbm_as_feedforward": method.rbm_as_feedforward,
    "mps_parameters_area_law": states.mps_parameters_area_law,
    "nqs_more_expressive_than_tn": states.nqs_more_expressive_than_tn,
    "mps_best_in_1d": states.mps_best_in_1d,
    "local_rbm_area_law": states.local_rbm_area_law,
    "nonlocal_rbm_volume_law": states.nonlocal_rbm_volume_law,
    "overlapping_convolutions": states.overlapping_convolutions,
    "runtime_efficiency": method.runtime_efficiency,
    "no_sign_problem_in_principle": states.no_sign_problem_in_principle,
    "sign_structure_harder": states.sign_structure_harder,
    "local_minima": states.local_minima,
    "more_parameters_stop_helping": states.more_parameters_stop_helping,
    "qgt_rank_saturates": states.qgt_rank_saturates,
    "symmetry_improves_orders": states.symmetry_improves_orders,
    "approximate_symmetry_suffices": states.approximate_symmetry_suffices,
    "real_time_factor_i": dynamics.real_time_factor_i,
    "dynamics_needs_phases": dynamics.dynamics_needs_phases,
    "dynamics_harder": dynamics.dynamics_harder,
    "regularization_diverts": dynamics.regularization_diverts,
    "zero_amplitude_bias": dynamics.zero_amplitude_bias,
    "generalization_not_an_issue": dynamics.generalization_not_an_issue,
    "exact_limit_20_qubits": dynamics.exact_limit_20_qubits,
}
