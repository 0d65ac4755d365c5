"""Energy descent of many shallow networks on one ring as one PyTorch program, on a GPU or the CPU.

The algorithm, its `Run` and its trace are those of `nqs.vmc.loop`, with a leading axis for the run: chains,
local energies, importance weights and motif counts of all runs come from look-ups in their tables of 2^K motifs. What
is left, the gradient from the counts, Adam's step and the symmetry forcing, is the same code run by run. Runs of one
call share network and sampler, and may differ in learning rate and in steps per sample. A run that ends, well or not,
leaves the stack. Numbers differ from those of the compiled kernels, since chains move by another sequence of proposals
(`nqs.vmc.gpu.ring_sampler`); a run can go on with either.

It has only run on a CPU yet.

Shapes: R runs, D kept states of each of C chains, N sites.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.ansatz.window_table import ELEMENT_SITES, MotifTable
from nqs.vmc.estimates import LOOKED_AT, Estimate, RingEstimates, spread_vanishes
from nqs.vmc.gpu.ring_sampler import StackedRings, look_up, offset, spins_of, touched, windows_of, words_of
from nqs.vmc.loop import Run, Task, advance, note_effective, record
from nqs.vmc.loop import step as take_step

AT_ONCE = 1 << 25  # spins whose windows are looked up at once, against running out of memory
BINS = 4096  # bins of each run that counts are spread over, so that few are added to the same one at a time


def train(
    tasks: Sequence[Task],
    seeds: Sequence[int],
    stored: Sequence[Run | None],
    device: str,
    after: Callable[[int, Run], bool] = lambda number, run: True,
) -> list[Run]:
    """Take all runs to their end and return them.

    stored: where a run goes on, None: from its seed. `after` is called after every iteration for each run that took
    part in it, and stops the loop by returning False.
    """
    sampler = StackedRings(tasks[0].sampler, ansatz_of(tasks).width, len(tasks), device)
    runs = start(tasks, seeds, stored, sampler)
    advance(runs, lambda some: iterate([runs[one] for one in some], [tasks[one] for one in some], sampler), after)
    return runs


def ansatz_of(tasks: Sequence[Task]) -> ShallowCnn:
    """The network that all have in common."""
    ansatz = tasks[0].ansatz
    assert isinstance(ansatz, ShallowCnn)
    assert all((one.ansatz, one.sampler) == (ansatz, tasks[0].sampler) for one in tasks)
    return ansatz


def table_of(ansatz: ShallowCnn, run: Run) -> MotifTable:
    """The wave function of a run."""
    wave = ansatz.at(run.theta)
    assert isinstance(wave, MotifTable)
    return wave


def start(
    tasks: Sequence[Task], seeds: Sequence[int], stored: Sequence[Run | None], sampler: StackedRings
) -> list[Run]:
    """The stored runs, and new ones from their seeds with parameters and first states as in `Run.start`."""
    cold = [replace(one, sampler=replace(one.sampler, burn_in=0)) for one in tasks]
    runs = [old or Run.start(one, seed) for old, one, seed in zip(stored, cold, seeds, strict=True)]
    fresh = [run for run, old in zip(runs, stored, strict=True) if old is None]
    if fresh:
        stack, spins, draws = setting_out(fresh, ansatz_of(tasks), sampler)
        leave(fresh, sampler.burn_in(stack.motifs, spins, draws))
    return runs


def setting_out(runs: Sequence[Run], ansatz: ShallowCnn, sampler: StackedRings) -> tuple[MotifStack, Tensor, list[int]]:
    """The waves of runs, their chains (R, N, C), and the seeds of their next draw."""
    stack = MotifStack.of([table_of(ansatz, run) for run in runs], sampler.device)
    spins = spins_of(np.stack([run.chains for run in runs]), ansatz.n_sites, sampler.device)
    return stack, spins, [int(run.rng.integers(1 << 63)) for run in runs]


def leave(runs: Sequence[Run], spins: Tensor) -> None:
    """Note where the chains of each run are now; spins (R, N, C)."""
    for run, chains in zip(runs, words_of(spins), strict=True):
        run.chains = chains


def iterate(runs: Sequence[Run], tasks: Sequence[Task], sampler: StackedRings) -> None:
    """Sample, note the energies at the current parameters, and update them, or end runs."""
    stack, spins, seeds = setting_out(runs, ansatz_of(tasks), sampler)
    states, acceptance = sampler.draw(stack.motifs, spins, seeds)
    leave(runs, states[:, -1])
    energies, logs = stack.ring_energies(states), stack.log_psi(states)
    stuck = are_constant(logs.flatten(1))
    for run, task, *measured in zip(
        runs, tasks, energies.cpu().numpy(), acceptance.tolist(), stuck.tolist(), strict=True
    ):
        record(run, task, estimate(run, task, *measured))
    moving = [number for number, run in enumerate(runs) if run.status == "running"]
    update([runs[number] for number in moving], [tasks[number] for number in moving],
           taken(states, moving), taken(energies, moving), taken(logs, moving))  # fmt: skip
    for run in runs:
        run.iteration += run.status == "running"


def estimate(run: Run, task: Task, energies: np.ndarray, acceptance: float, stuck: bool) -> Estimate:
    """The row of the trace; energies (D, C)."""
    assert isinstance(task.estimates, RingEstimates)
    return task.estimates.of_chains(energies, acceptance, run.theta, stuck)


def are_constant(logs: Tensor) -> np.ndarray:
    """Whether psi is the same for all sampled states, by ln psi (R, U): the rule of `nqs.vmc.estimates.is_constant`."""
    some = logs[:, :: max(1, logs.shape[1] // LOOKED_AT)].cpu().numpy()
    return spread_vanishes(some)


def update(runs: Sequence[Run], tasks: Sequence[Task], states: Tensor, energies: Tensor, logs: Tensor) -> None:
    """The steps from one sample, drawn where ln psi was `logs`; notes the smallest effective share of the states."""
    live, weights = list(range(len(runs))), torch.full_like(energies, 1 / max(energies[:1].numel(), 1))
    for step in range(max((task.steps for task in tasks), default=0)):
        keep = [place for place, number in enumerate(live)
                if runs[number].status == "running" and tasks[number].steps > step]  # fmt: skip
        if not keep:
            return
        live, states, logs = [live[place] for place in keep], taken(states, keep), taken(logs, keep)
        energies, weights = taken(energies, keep), taken(weights, keep)
        waves = [table_of(ansatz_of(tasks), runs[number]) for number in live]
        stack = MotifStack.of(waves, str(states.device))
        if step > 0:
            weights, energies = importance(stack.log_psi(states), logs), stack.ring_energies(states)
            shares = 1 / (weights[0].numel() * (weights**2).sum((1, 2)))
            for number, share in zip(live, shares.tolist(), strict=True):
                note_effective(runs[number], share)
        slopes = stack.energy_slopes(states, weights, energies)
        for number, wave, slope in zip(live, waves, slopes, strict=True):
            take_step(runs[number], tasks[number], wave.pullback(slope))


def taken(values: Tensor, places: Sequence[int]) -> Tensor:
    """Some of the rows, without a copy if all."""
    return values if len(places) == len(values) else values[list(places)]


def importance(logs: Tensor, drawn_at: Tensor) -> Tensor:
    """Weights |psi / psi_0|^2 of samples of psi_0 that add up to 1 for each run: (R, D, C)."""
    change = 2 * (logs - drawn_at)
    weights = torch.exp(change - change.amax((1, 2), keepdim=True))
    return weights / weights.sum((1, 2), keepdim=True)


@dataclass(frozen=True)
class MotifStack:
    """Wave functions of R runs on a ring: motifs lambda (R, 2^K), float64. States are spins uint8 (R, D, N, C)."""

    n_sites: int
    motifs: Tensor

    @classmethod
    def of(cls, waves: Sequence[MotifTable], device: str) -> MotifStack:
        """From waves on the same ring."""
        return cls(waves[0].n_sites, torch.as_tensor(np.stack([wave.motifs for wave in waves]), device=device))

    @property
    def width(self) -> int:
        """K."""
        return self.motifs.shape[1].bit_length() - 1

    def log_psi(self, states: Tensor) -> Tensor:
        """ln psi: (R, D, C)."""
        return self._by_runs(states, lambda runs, spins: look_up(
            self.motifs[runs].flatten(), offset(windows_of(spins, self.width), self.width)).sum(-2))  # fmt: skip

    def ring_energies(self, states: Tensor) -> Tensor:
        """Local energies of H = sum P_{n,n+1} in the Marshall gauge: (R, D, C)."""
        if self.width > ELEMENT_SITES or 2 * self.width > self.n_sites:
            return self._by_runs(states, self._energies_by_windows)
        return self._by_runs(states, lambda runs, spins: look_up(
            self._elements[runs].flatten(), offset(windows_of(spins, 2 * self.width), 2 * self.width)
        ).sum(-2))  # fmt: skip

    def energy_slopes(self, states: Tensor, weights: Tensor, energies: Tensor) -> np.ndarray:
        """dE / d lambda = 2 cov(n_m, E_loc): (R, 2^K); weights and energies (R, D, C), weights adding up to 1."""
        mean = (weights * energies).sum((1, 2), keepdim=True)
        return 2 * self.counts(states, weights * (energies - mean)).cpu().numpy()

    def counts(self, states: Tensor, weights: Tensor) -> Tensor:
        """Weighted sums of the motif counts of all states: (R, 2^K); weights (R, D, C)."""
        return self._by_runs(states, lambda runs, spins: self._counts(spins, weights[runs]))

    def _by_runs(self, states: Tensor, function: Callable[[slice, Tensor], Tensor]) -> Tensor:
        """A function of some runs and their states, for as many runs at a time as memory allows."""
        size = max(1, AT_ONCE // states[0].numel())
        parts = [slice(first, first + size) for first in range(0, len(states), size)]
        return torch.cat([function(part, states[part]) for part in parts])

    def _counts(self, spins: Tensor, weights: Tensor) -> Tensor:
        copies = max(1, BINS >> self.width)
        runs, draws, _, chains = spins.shape
        row = torch.arange(draws * chains, device=spins.device).view(draws, 1, chains) % copies
        row = row + copies * torch.arange(runs, device=spins.device)[:, None, None, None]
        bins = torch.zeros((runs * copies) << self.width, dtype=torch.float64, device=spins.device)
        places = (row << self.width) + windows_of(spins, self.width)
        bins.scatter_add_(0, places.flatten(), weights[:, :, None].expand_as(spins).flatten())
        return bins.view(runs, copies, -1).sum(1)

    @cached_property
    def _elements(self) -> Tensor:
        """Local energy of the bond in the middle of 2K sites, for each setting of them: (R, 4^K)."""
        width, mask = self.width, self.motifs.shape[1] - 1
        sites = torch.arange(1 << (2 * width), device=self.motifs.device)
        swapped = sites ^ (3 << (width - 1))
        change = torch.zeros(len(self.motifs), len(sites), dtype=torch.float64, device=sites.device)
        for shift in range(width + 1):
            change += self.motifs[:, (swapped >> shift) & mask] - self.motifs[:, (sites >> shift) & mask]
        unlike = ((sites >> (width - 1)) ^ (sites >> width)) & 1
        return torch.where(unlike > 0, -torch.exp(change), 1.0)

    def _energies_by_windows(self, runs: slice, spins: Tensor) -> Tensor:
        """For windows too wide for such a table, or more than half the ring."""
        table, codes = self.motifs[runs].flatten(), offset(windows_of(spins, self.width), self.width)
        before = look_up(table, codes)
        change = torch.zeros_like(before)
        starts, bits = touched(torch.tensor([0, 1]), self.n_sites, self.width)  # of one bond; the others are turned
        for start, reversed_bits in zip(starts.tolist(), bits.tolist(), strict=True):
            if reversed_bits:
                change += look_up(table, codes.roll(-start, -2) ^ reversed_bits) - before.roll(-start, -2)
        unlike = spins ^ spins.roll(-1, -2)
        return torch.where(unlike > 0, -torch.exp(change), 1.0).sum(-2)
