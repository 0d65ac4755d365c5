"""All sweeps of all Markov chains of a stack in one launch on a GPU (Triton); see `nqs.vmc.gpu.rbm_sampler`.

The arithmetic is that of `nqs.ansatz.rbm_kernel`. Proposals follow one another inside the kernel, so what remains of
their cost is the latency of a few loads. `picks` and `uniforms` are (model, sweep, proposal, chain), contiguous.

Not compiled for a GPU yet: it has only run in Triton's interpreter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import triton
import triton.language as tl
from torch import Tensor

from nqs.ansatz.rbm_kernel import REFRESH
from nqs.ansatz.rbm_torch import Machines

if TYPE_CHECKING:
    from nqs.vmc.gpu.moves import Moves


def by_table(table: Tensor, words: Tensor, moves: Moves, picks: Tensor, uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """Chains (m, C) on a table of ln |psi|^2 (m, 2^N): states after each sweep (m, sweep, C), accepted moves (m,)."""
    n_models, n_sweeps, n_sites, n_chains = picks.shape
    visited, accepted = _results(picks)
    _table_chains[(n_models,)](
        words.contiguous(), moves.bits, picks, uniforms, table, visited, accepted,
        table.shape[1], n_sweeps, n_sites, n_chains, block=triton.next_power_of_2(n_chains), num_warps=1,
    )  # fmt: skip
    return visited, accepted.sum(1)


def by_ratios(
    machines: Machines, words: Tensor, moves: Moves, picks: Tensor, uniforms: Tensor
) -> tuple[Tensor, Tensor]:
    """As `by_table`, by the machines' ratios."""
    n_models, n_sweeps, n_sites, n_chains = picks.shape
    n_units = machines.hidden.shape[1]
    tables = (*machines.moves(moves.first, moves.second), machines.weights, machines.hidden)
    visited, accepted = _results(picks)
    _ratio_chains[(n_chains, n_models)](
        words.contiguous(), moves.first.contiguous(), moves.bits, picks, uniforms,
        *(table.float().contiguous() for table in tables), visited, accepted,
        n_sweeps, n_sites, n_chains, n_units, len(moves.bits),
        exchange=moves.second is not None, refresh=REFRESH, block=triton.next_power_of_2(n_units), num_warps=1,
    )  # fmt: skip
    return visited, accepted.sum(1)


def _results(picks: Tensor) -> tuple[Tensor, Tensor]:
    """Room for the visited states (m, sweep, C) and the number of accepted moves (m, C)."""
    n_models, n_sweeps, _, n_chains = picks.shape
    visited = torch.empty(n_models, n_sweeps, n_chains, dtype=torch.int64, device=picks.device)
    return visited, torch.empty(n_models, n_chains, dtype=torch.int32, device=picks.device)


@triton.jit
def _table_chains(
    words, bits, picks, uniforms, table, visited, accepted,
    n_states, n_sweeps, n_sites, n_chains, block: tl.constexpr,
):  # fmt: skip
    """One program per model, one lane per chain."""
    model = tl.program_id(0).to(tl.int64)
    chain = tl.arange(0, block)
    inside = chain < n_chains
    table += model * n_states
    word = tl.load(words + model * n_chains + chain, mask=inside, other=0)
    value = tl.load(table + word)
    count = tl.zeros([block], tl.int32)
    for sweep in range(n_sweeps):
        for step in range(n_sites):
            at = ((model * n_sweeps + sweep) * n_sites + step) * n_chains + chain
            pick = tl.load(picks + at, mask=inside, other=0)
            threshold = tl.log(tl.load(uniforms + at, mask=inside, other=1.0))
            proposed = word ^ tl.load(bits + pick)
            there = tl.load(table + proposed)
            accept = there > value + threshold
            word = tl.where(accept, proposed, word)
            value = tl.where(accept, there, value)
            count += accept.to(tl.int32)
        tl.store(visited + (model * n_sweeps + sweep) * n_chains + chain, word, mask=inside)
    tl.store(accepted + model * n_chains + chain, count, mask=inside)


@triton.jit
def _product(first, second):
    return first * second


@triton.jit
def _tanh_theta(word, weights, hidden, n_sites, n_units, block: tl.constexpr):
    """tanh theta (unit,) of one state; 0 beyond the last unit."""
    unit = tl.arange(0, block)
    theta = tl.load(hidden + unit, mask=unit < n_units, other=0.0)
    for site in range(n_sites):
        sign = (((word >> site) & 1) * 2 - 1).to(tl.float32)
        theta += sign * tl.load(weights + site * n_units + unit, mask=unit < n_units, other=0.0)
    return 2 * tl.sigmoid(2 * theta) - 1


@triton.jit
def _ratio_chains(
    words, first, bits, picks, uniforms, visible, cosh, sinh, weights, hidden, visited, accepted,
    n_sweeps, n_sites, n_chains, n_units, n_moves,
    exchange: tl.constexpr, refresh: tl.constexpr, block: tl.constexpr,
):  # fmt: skip
    """One program per chain and model, hidden units across its lanes."""
    chain, model = tl.program_id(0), tl.program_id(1).to(tl.int64)
    unit = tl.arange(0, block)
    inside = unit < n_units
    weights += model * n_sites * n_units
    hidden += model * n_units
    word = tl.load(words + model * n_chains + chain)
    tanh = tl.zeros([block], tl.float32)
    count = 0
    for sweep in range(n_sweeps):
        if sweep % refresh == 0:  # against rounding
            tanh = _tanh_theta(word, weights, hidden, n_sites, n_units, block)
        for step in range(n_sites):
            at = ((model * n_sweeps + sweep) * n_sites + step) * n_chains + chain
            pick = tl.load(picks + at)
            row = model * n_moves + pick
            c = tl.load(cosh + row * n_units + unit, mask=inside, other=1.0)
            s = tl.load(sinh + row * n_units + unit, mask=inside, other=0.0)
            move = tl.load(bits + pick)
            sign = (((word >> tl.load(first + pick)) & 1) * 2 - 1).to(tl.float32)
            factors = c - sign * tanh * s
            ratio = tl.reduce(factors, 0, _product) * tl.exp(-sign * tl.load(visible + row))
            accept = ratio > tl.sqrt(tl.load(uniforms + at))
            if exchange:  # parallel spins are not exchanged
                accept = accept & ((word & move) != 0) & ((word & move) != move)
            tanh = tl.where(accept, sign * (sign * tanh * c - s) / factors, tanh)
            word = tl.where(accept, word ^ move, word)
            count += accept.to(tl.int32)
        tl.store(visited + (model * n_sweeps + sweep) * n_chains + chain, word)
    tl.store(accepted + model * n_chains + chain, count)
