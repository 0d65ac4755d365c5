"""Training of many networks at once, each with its own data, early stopping and random numbers.

A member is one network with its data set. Its course depends on its seed only: initial values and batches come from
generators seeded by it, so members can be trained together, apart, in another order, or resumed, with the same result.
Dense networks on the CPU run in a compiled kernel, members in threads (`dense_kernel`); everything else is one stacked
PyTorch model, whose leading axis is the member (`stacked`). A member that has stopped costs nothing in either.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeGuard

import numpy as np

from nqs.checkpoints import ArrayFiles
from nqs.networks import Dense, Network, initial_parameters
from nqs.progress import Progress

VALIDATION_CHUNK = 128
DRAWS_PER_EPOCH = 1 << 16


@dataclass(frozen=True)
class Settings:
    """Adam with early stopping on the validation loss; counts are in updates and checks."""

    learning_rate: float
    batch: int
    check_every: int
    patience: int
    max_updates: int


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

    def finished(self, settings: Settings) -> bool:
        """True once patience or the updates have run out, or the training has diverged."""
        return self.diverged or self.stale_checks >= settings.patience or self.updates >= settings.max_updates


class Checkpoints(ArrayFiles):
    """Trajectories on disk, one file per member, so that an interrupted training goes on where it was."""

    noun = "member"

    def save(self, member: int, trajectory: Trajectory) -> None:
        """Write one trajectory, whole or not at all."""
        self.write(member, **vars(trajectory))

    def load(self, member: int) -> Trajectory | None:
        """The stored trajectory, if it is one of the same training and can be read."""
        arrays = self.read(member)
        if arrays is None:
            return None
        values = {name: value.item() if value.ndim == 0 else value for name, value in arrays.items()}
        return Trajectory(**{**values, "losses": arrays["losses"].tolist()})


def runs_compiled(network: Network, device: str) -> TypeGuard[Dense]:
    """True for what the compiled kernel knows; a subclass of Dense may compute something else."""
    return type(network) is Dense and device == "cpu"


def train(
    network: Network,
    members: Sequence[Member],
    settings: Settings,
    device: str = "cpu",
    threads: int = 1,
    checkpoints: Checkpoints | None = None,
    progress: Progress | None = None,
) -> list[Trajectory]:
    """Train every member to its end; returns their trajectories in order.

    device "cpu" or "cuda"; threads used by the compiled kernel. With `checkpoints`, members resume from disk and are
    saved while they train and when the process is asked to stop.
    """
    checkpoints = checkpoints or Checkpoints(None, "")
    progress = progress or Progress("training", len(members), settings.max_updates)
    trajectories = [
        checkpoints.load(number) or Trajectory.start(network, member.seed) for number, member in enumerate(members)
    ]
    run = _train_compiled if runs_compiled(network, device) else _train_stacked
    run(network, members, trajectories, settings, device, threads, checkpoints, progress)
    return trajectories


def _train_compiled(network, members, trajectories, settings, device, threads, checkpoints, progress) -> None:
    """Members one after the other in each of `threads` threads, in the compiled kernel."""
    stop = threading.Event()

    def run(number: int) -> None:
        trajectory = trajectories[number]
        for _ in _compiled_blocks(network, members[number], trajectory, settings):
            progress.update(number, trajectory.updates)
            if checkpoints.folder is not None and progress.due(number, checkpoints.interval):
                checkpoints.save(number, trajectory)
            if stop.is_set():
                break
        checkpoints.save(number, trajectory)
        progress.done(number)

    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(run, number) for number in range(len(members))]
        try:
            for future in futures:
                future.result()
        except BaseException:
            stop.set()  # let the running members save themselves, drop the waiting ones
            pool.shutdown(cancel_futures=True)
            raise


def _compiled_blocks(network: Dense, member: Member, trajectory: Trajectory, settings: Settings) -> Iterator[None]:
    """Train one dense member; yields after every validation check."""
    from nqs import dense_kernel

    widths, batches = np.array(network.widths), Batches(member, settings.batch)
    while not trajectory.finished(settings):
        count = min(settings.check_every, settings.max_updates - trajectory.updates)
        index = batches.after(trajectory.updates, count)
        dense_kernel.train(
            trajectory.theta, trajectory.mean, trajectory.square, trajectory.updates, settings.learning_rate,
            widths, network.last_bias, member.states, member.labels, index,
        )  # fmt: skip
        trajectory.updates += count
        loss = dense_kernel.loss(
            trajectory.theta, widths, network.last_bias,
            member.validation_states, member.validation_labels, VALIDATION_CHUNK,
        )  # fmt: skip
        if trajectory.improves(float(loss)):
            trajectory.best = trajectory.theta.copy()
        yield


def _train_stacked(network, members, trajectories, settings, device, threads, checkpoints, progress) -> None:
    """All members as one PyTorch model; those that have stopped are taken out of the stack."""
    from nqs.stacked import Stack

    active = [number for number, t in enumerate(trajectories) if not t.finished(settings)]
    stack = Stack(network, [members[n] for n in active], [trajectories[n] for n in active], settings, device)
    try:
        while active:
            stack.advance()
            for number in active:
                progress.update(number, trajectories[number].updates)
            if checkpoints.folder is not None and progress.due("stack", checkpoints.interval):
                _save_all(stack, checkpoints, active, trajectories)
            running = [place for place, n in enumerate(active) if not trajectories[n].finished(settings)]
            if len(running) < len(active):
                stack.store()
                for place in sorted(set(range(len(active))) - set(running)):
                    checkpoints.save(active[place], trajectories[active[place]])
                    progress.done(active[place])
                stack.keep(running)
                active = [active[place] for place in running]
    except BaseException:
        if stack.at_check:  # in between, parameters and counts belong to different updates
            _save_all(stack, checkpoints, active, trajectories)
        raise


def _save_all(stack, checkpoints: Checkpoints, active: list[int], trajectories: list[Trajectory]) -> None:
    stack.store()
    for number in active:
        checkpoints.save(number, trajectories[number])


Evaluate = Callable[[np.ndarray], np.ndarray]


def evaluator(network: Network, theta: np.ndarray, device: str = "cpu") -> Evaluate:
    """A function from states uint64 (n,) to the trained network's outputs float32 (n,)."""
    if runs_compiled(network, device):
        from nqs import dense_kernel

        widths = np.array(network.widths)
        return lambda states: dense_kernel.evaluate(theta, widths, network.last_bias, states, VALIDATION_CHUNK)
    from nqs.stacked import evaluate

    return lambda states: evaluate(network, theta, states, device)
