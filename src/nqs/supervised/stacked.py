"""An ensemble as one stacked PyTorch model: parameters (member, ...), spins (member, batch, site)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import prod

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from nqs.networks.protocol import Network
from nqs.runtime.device import by_chunks
from nqs.supervised.members import Batches, Member, Settings, Trajectory

EVALUATION_CHUNK = {"cpu": 256, "cuda": 1 << 16}  # on the CPU activations should stay in the cache
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def unflatten(network: Network, theta: Tensor) -> dict[str, Tensor]:
    """Named views (..., *shape) of flat parameters (..., parameter)."""
    sizes = [prod(shape) for shape in network.shapes.values()]
    parts = theta.split(sizes, dim=-1)
    return {
        name: part.reshape(*theta.shape[:-1], *shape)
        for (name, shape), part in zip(network.shapes.items(), parts, strict=True)
    }


def spins_of(states: Tensor, n_sites: int) -> Tensor:
    """Spins +-1, float32 (..., site), of packed states int64 (...); bit i is site i."""
    bits = states.unsqueeze(-1) >> torch.arange(n_sites, device=states.device) & 1
    return (2 * bits - 1).float()


def losses(network: Network, output: Tensor, labels: Tensor) -> Tensor:
    """Loss of each configuration: cross-entropy of the sign, or squared error of log|psi|."""
    if network.target == "sign":
        return softplus(-labels * output)
    return (output - labels) ** 2


def total_loss(network: Network, parameters: Mapping[str, Tensor], states: Tensor, labels: Tensor) -> Tensor:
    """Sum of the losses of a chunk of states, float64."""
    output = network(parameters, spins_of(states, network.geometry.n_sites))
    return losses(network, output, labels).double().sum()


@torch.no_grad()
def evaluate(network: Network, theta: np.ndarray, states: np.ndarray, device: str) -> np.ndarray:
    """Outputs float32 (n,) of one network at states uint64 (n,)."""
    parameters = unflatten(network, torch.as_tensor(theta, device=device))
    packed = torch.as_tensor(states.astype(np.int64), device=device)
    n_sites = network.geometry.n_sites
    outputs = by_chunks(lambda chunk: network(parameters, spins_of(chunk, n_sites)), EVALUATION_CHUNK[device], packed)
    return torch.cat(outputs).cpu().numpy()


class Stack:
    """The members that still train, on one device."""

    def __init__(
        self,
        network: Network,
        members: Sequence[Member],
        trajectories: Sequence[Trajectory],
        settings: Settings,
        device: str,
    ) -> None:
        self.network, self.settings, self.device = network, settings, device
        self.trajectories = list(trajectories)
        self.at_check = True  # parameters and the trajectories' counts agree
        if not members:
            return
        stacked = lambda name: self._to_device(np.stack([getattr(t, name) for t in trajectories]))  # noqa: E731
        self.theta, self.mean, self.square, self.best = map(stacked, ("theta", "mean", "square", "best"))
        self.updates = torch.tensor([t.updates for t in trajectories], device=device)
        self.states = self._to_device(np.concatenate([m.states for m in members]).astype(np.int64))
        self.labels = self._to_device(np.concatenate([m.labels for m in members]))
        self.batches = [Batches(m, settings.batch) for m in members]
        self.offsets = np.cumsum([0, *(len(m.states) for m in members[:-1])])
        self.validation = [
            (
                self._to_device(m.validation_states.astype(np.int64)),
                self._to_device(m.validation_labels),
            )
            for m in members
        ]

    def _to_device(self, array: np.ndarray) -> Tensor:
        return torch.as_tensor(array, device=self.device)

    def advance(self) -> None:
        """Run to the next validation check of every member and record the losses."""
        self.at_check = False
        settings = self.settings
        counts = [min(settings.check_every, settings.max_updates - t.updates) for t in self.trajectories]
        index = np.zeros((max(counts), len(counts), settings.batch), np.int64)
        for place, (batches, trajectory) in enumerate(zip(self.batches, self.trajectories, strict=True)):
            following = batches.after(trajectory.updates, counts[place])
            index[: counts[place], place] = following + self.offsets[place]
        on_device, remaining = self._to_device(index), torch.tensor(counts, device=self.device)
        for update in range(max(counts)):
            self._update(on_device[update], None if update < min(counts) else remaining > update)
        self._check(counts)
        self.at_check = True

    def _update(self, index: Tensor, running: Tensor | None) -> None:
        """One Adam update; index (member, batch). If `running` is given, the other members stay as they are."""
        spins = spins_of(self.states[index], self.network.geometry.n_sites)
        theta = self.theta.detach().requires_grad_()
        output = self.network(unflatten(self.network, theta), spins)
        # members do not share parameters, so the gradient of the sum is each member's own gradient
        (gradient,) = torch.autograd.grad(losses(self.network, output, self.labels[index]).mean(-1).sum(), theta)
        with torch.no_grad():
            gradient = gradient + self.settings.l2 * self.theta if self.settings.l2 else gradient
            step = (self.updates + 1).unsqueeze(-1)
            mean = torch.lerp(self.mean, gradient, 1 - BETA1)
            square = BETA2 * self.square + (1 - BETA2) * gradient**2
            scale = self.settings.learning_rate / (1 - BETA1**step)
            change = scale * mean / (square.sqrt() / (1 - BETA2**step).sqrt() + EPSILON)
            if running is None:
                self.mean, self.square, self.theta = mean, square, self.theta - change
                self.updates += 1
            else:
                on = running.unsqueeze(-1)
                self.mean, self.square = (
                    torch.where(on, mean, self.mean),
                    torch.where(on, square, self.square),
                )
                self.theta = torch.where(on, self.theta - change, self.theta)
                self.updates += running

    @torch.no_grad()
    def _check(self, counts: Sequence[int]) -> None:
        """Validation losses; keeps the parameters of members that improved."""
        for place, trajectory in enumerate(self.trajectories):
            trajectory.updates += counts[place]
            states, labels = self.validation[place]
            parameters = unflatten(self.network, self.theta[place])
            of_chunk = partial(total_loss, self.network, parameters)
            total = sum(by_chunks(of_chunk, EVALUATION_CHUNK[self.device], states, labels))
            if trajectory.improves(float(total) / len(states)):
                self.best[place] = self.theta[place]

    def store(self) -> None:
        """Copy the stacked state into the trajectories."""
        if not self.trajectories:
            return
        for name in ("theta", "mean", "square", "best"):
            values = getattr(self, name).cpu().numpy()
            for place, trajectory in enumerate(self.trajectories):
                setattr(trajectory, name, values[place].copy())

    def keep(self, places: Sequence[int]) -> None:
        """Go on with some of the members only."""
        chosen = torch.tensor(places, device=self.device, dtype=torch.long)
        for name in ("theta", "mean", "square", "best", "updates"):
            setattr(self, name, getattr(self, name)[chosen])
        self.offsets = self.offsets[list(places)]
        for name in ("batches", "trajectories", "validation"):
            setattr(self, name, [getattr(self, name)[place] for place in places])
