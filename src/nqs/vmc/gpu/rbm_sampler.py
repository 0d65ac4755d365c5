"""The samplers of `nqs.vmc.sampler` for a stack of machines on one device: all chains of all models advance together.

A model's draws come from a generator of its own, seeded anew for every draw, so they do not depend on its neighbours.
Chains need thousands of proposals in a row, each a few small operations. On a GPU one compiled kernel makes them all
(`nqs.vmc.gpu.rbm_triton`); without Triton one sweep is recorded as a CUDA graph and replayed.

Only the plain way has run yet, on a CPU; the graph has not, the kernel only in Triton's interpreter.

Shapes: m models, U distinct states, D draws, C chains, N sites, B moves, M hidden units. States are int64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from nqs.ansatz.rbm_torch import Machines
from nqs.supervised.stacked import spins_of
from nqs.vmc.gpu.moves import Moves
from nqs.vmc.sampler import TABLE_SITES, Chains, Exact, Sample, Sampler

PADDING = 64  # the number of distinct states is rounded up to this, so that memory is used again


@dataclass(frozen=True)
class Draws:
    """Distinct states (m, U) of each model and their weights (m, U), which add up to 1; padded with weight 0.

    n_distinct (m,); n: draws of each model; acceptance (m,); drawn (m, sweep, chain), None if independent;
    chains (m, C): where the chains are now.
    """

    states: Tensor
    weights: Tensor
    n_distinct: np.ndarray
    n: int
    acceptance: np.ndarray
    drawn: np.ndarray | None
    chains: np.ndarray

    def samples(self) -> list[Sample]:
        """The sample of each model, for diagnostics."""
        states, weights = self.states.cpu().numpy().astype(np.uint64), self.weights.cpu().numpy()
        return [
            Sample(
                states[model, :size], weights[model, :size], self.n, float(self.acceptance[model]),
                None if self.drawn is None else self.drawn[model],
            )
            for model, size in enumerate(self.n_distinct)
        ]  # fmt: skip


def merged(drawn: Tensor) -> tuple[Tensor, Tensor, np.ndarray]:
    """Distinct states (m, U), ascending, and weights (m, U) of draws (m, D), and the number of distinct ones (m,).

    Rows are padded with their first state at weight 0.
    """
    ordered = drawn.sort(1).values
    first = torch.ones_like(ordered, dtype=torch.bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    place = first.cumsum(1) - 1
    n_distinct = (place[:, -1] + 1).cpu().numpy()
    size = -(-int(n_distinct.max()) // PADDING) * PADDING
    states = ordered[:, :1].repeat(1, size).scatter_(1, place, ordered)
    share = torch.full_like(ordered, 1 / drawn.shape[1], dtype=torch.float64)
    return states, torch.zeros_like(states, dtype=torch.float64).scatter_add_(1, place, share), n_distinct


class StackSampler(Protocol):
    """Draws for a fixed number of models."""

    def draw(self, machines: Machines, chains: np.ndarray, seeds: Sequence[int]) -> Draws:
        """Samples of |psi|^2. chains (m, C) uint64: where they start; seeds: one per model, of this draw."""


def stack_sampler(sampler: Sampler, n_models: int, device: str) -> StackSampler:
    """The same sampler for a stack."""
    if isinstance(sampler, Exact):
        return StackedExact(sampler, n_models, device)
    assert isinstance(sampler, Chains)
    return StackedChains(sampler, n_models, device)


class StackedExact:
    """Independent draws by enumeration."""

    def __init__(self, sampler: Exact, n_models: int, device: str) -> None:
        self.samples, self.generators = sampler.samples, [torch.Generator(device) for _ in range(n_models)]
        self.sector = None
        if sampler.zero_magnetisation:
            self.sector = torch.as_tensor(sampler.sector.astype(np.int64), device=device)

    def draw(self, machines: Machines, chains: np.ndarray, seeds: Sequence[int]) -> Draws:
        logs = machines.log_psi_all()
        cumulative = log_weights(logs if self.sector is None else logs[:, self.sector]).exp().cumsum(1)
        uniform = torch.empty(len(seeds), self.samples, dtype=torch.float64, device=logs.device)
        for row, generator, seed in zip(uniform, self.generators, seeds, strict=True):
            row.uniform_(generator=generator.manual_seed(seed))
        places = torch.searchsorted(cumulative, uniform * cumulative[:, -1:], right=True)
        places.clamp_(max=cumulative.shape[1] - 1)  # a model that is not a number must not stop the others,
        states, weights, n_distinct = merged(places if self.sector is None else self.sector[places])
        weights = torch.where(cumulative[:, -1:].isfinite(), weights, torch.nan)  # and has no sample
        return Draws(states, weights, n_distinct, self.samples, np.ones(len(seeds)), None, chains)


def log_weights(log_psi: Tensor) -> Tensor:
    """ln |psi|^2 over its maximum (m, ...), bounded from below as in `nqs.vmc.sampler.relative_weights`."""
    return (2 * (log_psi - log_psi.amax(1, keepdim=True))).clamp_(min=-700.0)


class StackedChains:
    """Metropolis chains. method: `plain`, `graph` or `kernel`; what suits the device if not given."""

    def __init__(self, sampler: Chains, n_models: int, device: str, method: str | None = None) -> None:
        self.sampler, self.n_sites = sampler, sampler.n_sites
        self.moves = Moves.of(sampler.proposals, device)
        self.sweeps = sampler.discard + sampler.thinning * (sampler.samples // sampler.chains)
        self.generators = [torch.Generator(device) for _ in range(n_models)]
        shape = n_models, self.sweeps, sampler.n_sites, sampler.chains
        self.picks = torch.empty(shape, dtype=torch.int64, device=device)
        self.uniforms = torch.empty(shape, dtype=torch.float32, device=device)
        self.by_table = sampler.n_sites <= TABLE_SITES
        self.method = method or best_method(device)
        if self.method != "kernel":
            kind = TableSweep if self.by_table else RatioSweep
            self.sweep = kind(self.moves, n_models, sampler.n_sites, sampler.chains, self.method == "graph")

    def draw(self, machines: Machines, chains: np.ndarray, seeds: Sequence[int]) -> Draws:
        for model, (generator, seed) in enumerate(zip(self.generators, seeds, strict=True)):
            generator.manual_seed(seed)
            self.picks[model].random_(len(self.moves.bits), generator=generator)
            self.uniforms[model].uniform_(generator=generator)
        words = torch.as_tensor(chains.astype(np.int64), device=self.picks.device)
        advance = self._by_kernel if self.method == "kernel" else self._by_sweeps
        visited, accepted = advance(machines, words)
        drawn = visited[:, self.sampler.discard + self.sampler.thinning - 1 :: self.sampler.thinning]
        states, weights, n_distinct = merged(drawn.flatten(1))
        proposed = self.picks[0].numel()
        return Draws(
            states, weights, n_distinct, drawn[0].numel(), accepted.cpu().numpy() / proposed,
            drawn.cpu().numpy().astype(np.uint64), visited[:, -1].cpu().numpy().astype(np.uint64),
        )  # fmt: skip

    def _by_sweeps(self, machines: Machines, words: Tensor) -> tuple[Tensor, Tensor]:
        """States after each sweep (m, sweep, C) and the number of accepted moves (m,)."""
        self.sweep.begin(machines, words)
        visited = torch.empty(len(words), self.sweeps, words.shape[1], dtype=torch.int64, device=words.device)
        accepted = torch.zeros(len(words), dtype=torch.int64, device=words.device)
        for sweep in range(self.sweeps):
            visited[:, sweep] = self.sweep.advance(self.picks[:, sweep], self.uniforms[:, sweep])
            accepted += self.sweep.accepted.sum((1, 2))
        return visited, accepted

    def _by_kernel(self, machines: Machines, words: Tensor) -> tuple[Tensor, Tensor]:
        """As `_by_sweeps`, in one launch."""
        from nqs.vmc.gpu import rbm_triton

        if self.by_table:
            table = weight_table(machines, self.moves)
            return rbm_triton.by_table(table, words, self.moves, self.picks, self.uniforms)
        return rbm_triton.by_ratios(machines, words, self.moves, self.picks, self.uniforms)


def best_method(device: str) -> str:
    """How chains advance on a device."""
    if device == "cpu":
        return "plain"
    return "kernel" if find_spec("triton") else "graph"


def weight_table(machines: Machines, moves: Moves) -> Tensor:
    """ln |psi|^2 of all states (m, 2^N), float32; with exchanges, minus infinity unless Sz = 0."""
    logs = log_weights(machines.log_psi_all()).float()
    if moves.second is not None:  # then reversing two parallel spins is never accepted
        states = torch.arange(logs.shape[1], device=logs.device)
        logs.masked_fill_(spins_of(states, machines.n_sites).sum(-1) != 0, -torch.inf)
    return logs


class Sweep:
    """One sweep of all chains, N proposals in a row, on tensors that stay in place.

    words (m, C): states; accepted (m, N, C): what became of the proposals. If `recorded`, as a CUDA graph.
    """

    def __init__(self, moves: Moves, n_models: int, n_sites: int, n_chains: int, recorded: bool) -> None:
        self.moves, self.recorded, device = moves, recorded, moves.bits.device
        self.words = torch.zeros(n_models, n_chains, dtype=torch.int64, device=device)
        self.picks = torch.zeros(n_models, n_sites, n_chains, dtype=torch.int64, device=device)
        self.uniforms = torch.ones(n_models, n_sites, n_chains, device=device)
        self.accepted = torch.zeros(n_models, n_sites, n_chains, dtype=torch.bool, device=device)
        self.tables: tuple[Tensor, ...] = ()
        self.run: Callable[[], None] | None = None

    def begin(self, machines: Machines, words: Tensor) -> None:
        """Take over parameters and states."""
        tables = self.tables_of(machines)
        if self.run is None:  # a graph reads its tables where they were when it was recorded
            self.tables = tables
            self.run = recorded(self.propose) if self.recorded else self.propose
        for table, new in zip(self.tables, tables, strict=True):
            table.copy_(new)
        self.words.copy_(words)

    def advance(self, picks: Tensor, uniforms: Tensor) -> Tensor:
        """Do one sweep with moves and uniform numbers (m, N, C); returns `words`."""
        assert self.run is not None
        self.picks.copy_(picks)
        self.uniforms.copy_(uniforms)
        self.run()
        return self.words

    def tables_of(self, machines: Machines) -> tuple[Tensor, ...]:
        """What proposals look up."""
        raise NotImplementedError

    def propose(self) -> None:
        """The N proposals."""
        raise NotImplementedError


def recorded(function: Callable[[], None]) -> Callable[[], None]:
    """Record a function on fixed CUDA tensors as a graph; calling the result replays it."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):  # a first call outside the graph loads libraries and kernels
        function()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        function()
    return graph.replay


class TableSweep(Sweep):
    """By look-up of ln |psi|^2 in a table of all states."""

    def tables_of(self, machines: Machines) -> tuple[Tensor, ...]:
        return (weight_table(machines, self.moves),)

    def propose(self) -> None:
        (table,), words = self.tables, self.words
        bits, threshold = self.moves.bits[self.picks], self.uniforms.log()
        value = table.gather(1, words)
        for step in range(bits.shape[1]):
            proposed = words ^ bits[:, step]
            there = table.gather(1, proposed)
            accept = torch.gt(there, value + threshold[:, step], out=self.accepted[:, step])
            words, value = torch.where(accept, proposed, words), torch.where(accept, there, value)
        self.words.copy_(words)


class RatioSweep(Sweep):
    """By the rational updates of tanh theta, which is taken from the states at the start of each sweep."""

    def tables_of(self, machines: Machines) -> tuple[Tensor, ...]:
        tables = machines.moves(self.moves.first, self.moves.second)
        return tuple(table.float() for table in (*tables, machines.weights, machines.hidden))

    def propose(self) -> None:
        visible, cosh, sinh, weights, hidden = self.tables
        words, bits, first = self.words, self.moves.bits[self.picks], self.moves.first[self.picks]
        model = torch.arange(len(words), device=words.device)[:, None, None]
        visible, cosh, sinh = (table[model, self.picks] for table in (visible, cosh, sinh))  # (m, N, C[, M])
        threshold = self.uniforms.sqrt()  # on |psi'/psi|
        tanh = torch.tanh(spins_of(words, weights.shape[1]) @ weights + hidden[:, None])  # (m, C, M)
        for step in range(bits.shape[1]):
            sign = ((words >> first[:, step] & 1) * 2 - 1).float()  # (m, C)
            signed = sign[..., None] * tanh
            factors = torch.addcmul(cosh[:, step], signed, sinh[:, step], value=-1)
            ratio = factors.prod(-1) * torch.exp(-sign * visible[:, step])
            accept = torch.gt(ratio, threshold[:, step], out=self.accepted[:, step])
            if self.moves.second is not None:  # parallel spins are not exchanged
                overlap = words & bits[:, step]
                accept &= (overlap != 0) & (overlap != bits[:, step])
            moved = sign[..., None] * (signed * cosh[:, step] - sinh[:, step]) / factors
            tanh = torch.where(accept[..., None], moved, tanh)
            words = torch.where(accept, words ^ bits[:, step], words)
        self.words.copy_(words)
