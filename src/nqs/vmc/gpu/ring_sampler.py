"""Metropolis chains of many runs of shallow networks on one ring, advanced together as one PyTorch program.

A chain exchanges the spins of random pairs of sites, as `nqs.ansatz.window_kernel.pair_moves` does, but several pairs
at once. Sites at least K apart share no window, so exchanges of pairs that are that far from one another change
different terms of ln psi: each is accepted or refused by its own ratio, and all together leave |psi|^2 as they find it,
because the pairs are chosen without a look at the state. A sweep of N / 2 proposals takes about K steps instead of N /
2, each of which touches nearly all windows of all chains of all runs, so there is enough work to hide the launch of a
kernel.

Every run draws its numbers from a generator of its own, seeded anew for every draw, in an order and in amounts that do
not depend on the other runs, and decisions are made in float64; so the company of other runs does not change a run.

It has only run on a CPU yet.

Shapes: R runs, N sites, C chains, B pairs, T steps. Spins are uint8, 1 = up; bit k of a window is its k-th site.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from nqs.vmc.ring_sampler import RingSampler


def windows_of(spins: Tensor, width: int) -> Tensor:
    """The `width` <= 30 sites of a ring from each site on, as int32: (..., N, C) of spins (..., N, C)."""
    codes, have = spins.int(), 1
    while have < width:
        more = min(have, width - have)
        codes = codes | (codes.roll(-have, -2) & ((1 << more) - 1)) << have
        have += more
    return codes


def touched(pairs: Tensor, n_sites: int, width: int) -> tuple[Tensor, Tensor]:
    """Windows that see either site of pairs (..., 2), by their first site (..., 2K), and the bits that an exchange of
    unlike spins reverses in them, int32 (..., 2K).

    The first K end at the first site or later, the others at the second; of a window in both halves the second copy has
    no bits. The windows numbered 0 and K start at the two sites.
    """
    starts = ((pairs[..., None] - torch.arange(width, device=pairs.device)) % n_sites).flatten(-2)
    place = (pairs[..., None] - starts[..., None, :]) % n_sites  # of each site in each window: (..., 2, 2K)
    bits = torch.where(place < width, 1 << place.clamp(max=width), 0).sum(-2)
    bits[..., width:].masked_fill_(place[..., 0, width:] < width, 0)
    return starts, bits.int()


def pairs_at_once(n_sites: int, width: int) -> int:
    """B: as many as fit at distances of K and leave room to shift them against one another by 2B sites."""
    return max(1, n_sites // (2 * width + 2))


def numbers_of(n_pairs: int) -> int:
    """Uniform numbers that choose the pairs of one step."""
    return 4 * n_pairs + 2


def random_pairs(uniform: Tensor, n_sites: int, width: int) -> Tensor:
    """Pairs of different sites (..., B, 2), int64, from uniform numbers (..., 4B + 2).

    One pair is any two sites. Of several, sites of different pairs are at least K apart. Either the two sites of a pair
    are so as well, at random among 2B sites, or they are closer, at any distance: as often as for any two sites.
    """
    n_pairs = uniform.shape[-1] // 4
    kind, offset, shifts, order = uniform.split([1, 1, 2 * n_pairs, 2 * n_pairs], -1)
    first = below(offset, n_sites)
    if n_pairs == 1:
        second = first + 1 + below(shifts[..., :1], n_sites - 1)
        return torch.stack([first, second], -1) % n_sites
    slots = first + spaced(shifts, n_sites, width)
    far = slots.gather(-1, order.argsort(-1)).unflatten(-1, (n_pairs, 2))
    near = first + spaced(shifts[..., :n_pairs], n_sites, 2 * width - 1)
    near = torch.stack([near, near + 1 + below(order[..., :n_pairs], max(width - 1, 1))], -1)
    close = kind < 2 * (width - 1) / (n_sites - 1)
    return torch.where(close[..., None], near, far) % n_sites


def spaced(uniform: Tensor, n_sites: int, gap: int) -> Tensor:
    """Sites (..., M) in ascending order that are at least `gap` apart on the ring; the first is below N - M gap + 1."""
    count = uniform.shape[-1]
    room = n_sites - count * gap
    return below(uniform, room + 1).sort(-1).values + gap * torch.arange(count, device=uniform.device)


def below(uniform: Tensor, count: int) -> Tensor:
    """Integers 0 ... count - 1 from numbers in [0, 1)."""
    return (uniform * count).long().clamp_(max=count - 1)


def spins_of(words: np.ndarray, n_sites: int, device: str) -> Tensor:
    """Spins (R, N, C) of states packed as `nqs.ansatz.window_table` does, (R, C, W) uint64."""
    packed = torch.as_tensor(words.view(np.int64), device=device)
    bits = (packed[..., None] >> torch.arange(64, device=device)) & 1
    return bits.flatten(-2)[..., :n_sites].transpose(1, 2).to(torch.uint8).contiguous()


def words_of(spins: Tensor) -> np.ndarray:
    """The inverse of `spins_of`."""
    runs, n_sites, chains = spins.shape
    padded = torch.zeros(runs, -(-n_sites // 64) * 64, chains, dtype=torch.int64, device=spins.device)
    padded[:, :n_sites] = spins
    words = (padded.unflatten(1, (-1, 64)) << torch.arange(64, device=spins.device)[:, None]).sum(2)
    return np.ascontiguousarray(words.transpose(1, 2).cpu().numpy()).view(np.uint64)


class StackedRings:
    """The chains of `RingSampler` with its "pair" proposals, for up to `n_runs` runs with windows of `width` sites.

    n_pairs: pairs of sites exchanged at once. The proposals between two kept states are rounded up to a multiple of it.
    """

    def __init__(self, sampler: RingSampler, width: int, n_runs: int, device: str, n_pairs: int | None = None) -> None:
        self.sampler, self.width, self.device = sampler, width, device
        self.n_pairs = n_pairs or pairs_at_once(sampler.n_sites, width)
        self.generators = [torch.Generator(device) for _ in range(n_runs)]

    def burn_in(self, motifs: Tensor, spins: Tensor, seeds: Sequence[int]) -> Tensor:
        """Chains (R, N, C) after the burn-in, from where they start."""
        sweeps = self.sampler.burn_in
        return (
            self.advance(motifs, spins, seeds, sweeps - 1, 1, self.sampler.n_sites // 2)[0][:, 0] if sweeps else spins
        )

    def draw(self, motifs: Tensor, spins: Tensor, seeds: Sequence[int]) -> tuple[Tensor, np.ndarray]:
        """States (R, draw, N, C), of which the last are where the chains are now, and the accepted share (R,)."""
        kept, stride = self.sampler.samples // self.sampler.chains, self.sampler.stride or self.sampler.n_sites // 2
        return self.advance(motifs, spins, seeds, self.sampler.discard, kept, stride)

    def advance(
        self, motifs: Tensor, spins: Tensor, seeds: Sequence[int], passed: int, kept: int, stride: int
    ) -> tuple[Tensor, np.ndarray]:
        """States (R, kept, N, C) after every `stride` proposals, the first `passed` of them left out, and the share of
        accepted proposals (R,).  motifs: lambda (R, 2^K);  seeds: of this draw, one per run."""
        runs, n_sites, chains = spins.shape
        steps, tables = -(-stride // self.n_pairs), motifs.flatten()
        for generator, seed in zip(self.generators, seeds, strict=False):
            generator.manual_seed(seed)
        rows, bits = self._moves(runs, (passed + kept) * steps)
        codes = offset(windows_of(spins, self.width), self.width).flatten(0, 1)  # (R N, C)
        states = torch.empty(runs, kept, n_sites, chains, dtype=torch.uint8, device=spins.device)
        accepted = torch.zeros(runs, dtype=torch.int64, device=spins.device)
        for place in range(passed + kept):
            chances = self._uniform(runs, steps, self.n_pairs, chains, kind=torch.float32)
            for step in range(steps):
                move = place * steps + step
                accepted += self._exchange(codes, tables, rows[move], bits[move], chances[:, step])
            if place >= passed:
                states[:, place - passed] = (codes & 1).view(runs, n_sites, chains)
        return states, accepted.cpu().numpy() / ((passed + kept) * steps * self.n_pairs * chains)

    def _moves(self, runs: int, steps: int) -> tuple[Tensor, Tensor]:
        """Rows of `codes` that each step touches and the bits it reverses in them: (T, R B 2K)."""
        n_sites = self.sampler.n_sites
        uniform = self._uniform(runs, steps, numbers_of(self.n_pairs), kind=torch.float64)
        starts, bits = touched(random_pairs(uniform, n_sites, self.width), n_sites, self.width)
        starts += n_sites * torch.arange(runs, device=starts.device)[:, None, None, None]
        return starts.transpose(0, 1).flatten(1), bits.transpose(0, 1).flatten(1)

    def _uniform(self, runs: int, *shape: int, kind: torch.dtype) -> Tensor:
        """Uniform numbers (R, ...), each run's from its generator."""
        numbers = torch.empty(runs, *shape, dtype=kind, device=self.device)
        for row, generator in zip(numbers, self.generators, strict=False):
            row.uniform_(generator=generator)
        return numbers

    def _exchange(self, codes: Tensor, tables: Tensor, rows: Tensor, bits: Tensor, chances: Tensor) -> Tensor:
        """Propose one step in place; chances (R, B, C). Returns the accepted moves of each run (R,)."""
        shape = (*chances.shape[:2], 2 * self.width, chances.shape[2])
        old = codes.index_select(0, rows)
        new = old ^ bits[:, None]
        change = (look_up(tables, new) - look_up(tables, old)).view(shape).sum(2)
        windows = old.view(shape)
        unlike = (windows[:, :, 0] ^ windows[:, :, self.width]) & 1
        accept = (torch.exp(2 * change) > chances) & (unlike > 0)
        # Added, not written: a window that sees both sites is there twice, the second time without a change.
        codes.index_add_(0, rows, ((new - old).view(shape) * accept[:, :, None]).view(new.shape))
        return accept.sum((1, 2))


def offset(codes: Tensor, bits: int) -> Tensor:
    """Codes (R, ...) of `bits` bits as places in the flattened tables of R runs."""
    runs = torch.arange(len(codes), dtype=torch.int32, device=codes.device) << bits
    return codes + runs.view(-1, *[1] * (codes.ndim - 1))


def look_up(table: Tensor, places: Tensor) -> Tensor:
    """Entries of a table (T,) at int32 places of any shape."""
    return table.index_select(0, places.flatten()).view(places.shape)
