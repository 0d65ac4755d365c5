"""One network of an ensemble: its data, its batches and the state of its training."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nqs.networks.protocol import Network, initial_parameters
from nqs.runtime.checkpoints import Checkpoints

DRAWS_PER_EPOCH = 1 << 16


@dataclass(frozen=True)
class Settings:
    """Adam with early stopping on the validation loss; counts are in updates and checks.

    l2: l2/2 times the sum of squared parameters is added to the training loss; dropout: fraction of hidden units of a
    dense network that each state of a batch does without.
    """

    learning_rate: float
    batch: int
    check_every: int
    patience: int
    max_updates: int
    l2: float = 0.0
    dropout: float = 0.0


@dataclass(frozen=True)
class Member:
    """One network's data. states uint64 (n,), labels float32 (n,): +-1 for signs, log|psi| for amplitudes.

    If `cumulative` is given, batches are drawn from these probabilities instead of passing through the set in epochs.
    """

    seed: int
    states: np.ndarray
    labels: np.ndarray
    validation_states: np.ndarray
    validation_labels: np.ndarray
    cumulative: np.ndarray | None = None


class Batches:
    """The batches of one member: a function of its seed and the update, whatever was asked before."""

    def __init__(self, member: Member, batch: int) -> None:
        self.member, self.batch = member, batch
        self.per_epoch = len(member.states) if member.cumulative is None else DRAWS_PER_EPOCH
        self.epochs: dict[int, np.ndarray] = {}  # the one or two in use, so that each is shuffled once

    def after(self, update: int, count: int) -> np.ndarray:
        """Indices (count, batch) of the `count` batches that follow `update` updates."""
        begin, end = update * self.batch, (update + count) * self.batch
        needed = range(begin // self.per_epoch, (end - 1) // self.per_epoch + 1)
        self.epochs = {epoch: self.epochs[epoch] for epoch in needed if epoch in self.epochs}
        parts = [self._epoch(epoch) for epoch in needed]
        offset = begin - needed[0] * self.per_epoch
        return np.concatenate(parts)[offset : offset + end - begin].reshape(count, self.batch)

    def _epoch(self, epoch: int) -> np.ndarray:
        if epoch not in self.epochs:
            rng = np.random.default_rng([self.member.seed, 1, epoch])
            cumulative = self.member.cumulative
            if cumulative is None:
                self.epochs[epoch] = rng.permutation(self.per_epoch)
            else:
                draws = np.sort(rng.random(self.per_epoch)) * cumulative[-1]  # sorted: stays in the cache
                self.epochs[epoch] = rng.permutation(np.searchsorted(cumulative, draws, side="right"))
        return self.epochs[epoch]


@dataclass
class Trajectory:
    """State of one member's training: flat parameters, Adam's moments, and the best checkpoint so far."""

    theta: np.ndarray
    mean: np.ndarray
    square: np.ndarray
    best: np.ndarray
    updates: int = 0
    best_updates: int = 0
    best_loss: float = np.inf
    stale_checks: int = 0
    losses: list[float] = field(default_factory=list)

    @classmethod
    def start(cls, network: Network, seed: int) -> Trajectory:
        """Initial parameters from the member's seed."""
        parameters = initial_parameters(network, np.random.default_rng([seed, 0]))
        theta = np.concatenate([value.ravel() for value in parameters.values()])
        return cls(theta, np.zeros_like(theta), np.zeros_like(theta), theta.copy())

    def improves(self, loss: float) -> bool:
        """Take note of a validation loss; true if it is the best, and the parameters are to be kept."""
        self.losses.append(loss)
        if loss < self.best_loss:
            self.best_loss, self.best_updates, self.stale_checks = loss, self.updates, 0
            return True
        self.stale_checks += 1
        return False

    @property
    def diverged(self) -> bool:
        """True if the loss is no longer a number."""
        return bool(self.losses) and not np.isfinite(self.losses[-1])

    @property
    def usable(self) -> np.ndarray:
        """The best parameters; NaN where no check gave a number, so that initial values do not pass for trained."""
        return self.best if np.isfinite(self.best_loss) or not self.losses else np.full_like(self.best, np.nan)

    def finished(self, settings: Settings) -> bool:
        """True once patience or the updates have run out, or the training has diverged."""
        return self.diverged or self.stale_checks >= settings.patience or self.updates >= settings.max_updates


def keep(checkpoints: Checkpoints, number: int, trajectory: Trajectory) -> None:
    """Store the trajectory of a member, so that an interrupted training goes on where it was."""
    checkpoints.save(f"member_{number}", **{**vars(trajectory), "losses": np.array(trajectory.losses)})


def kept(checkpoints: Checkpoints, number: int) -> Trajectory | None:
    """The stored trajectory of a member, if it is one of the same training and can be read."""
    state = checkpoints.load(f"member_{number}")
    return None if state is None else Trajectory(**{**state, "losses": state["losses"].tolist()})
