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
from typing import TypeGuard

import numpy as np

from nqs.networks.architectures.dense import Dense
from nqs.networks.protocol import Network
from nqs.runtime.checkpoints import Checkpoints
from nqs.runtime.device import halving
from nqs.runtime.errors import InputError
from nqs.runtime.progress import Progress
from nqs.supervised.members import Batches, Member, Settings, Trajectory, keep, kept

VALIDATION_CHUNK = 128


def runs_compiled(network: Network, device: str) -> TypeGuard[Dense]:
    """True for what the compiled kernel knows; a subclass of Dense may compute something else."""
    return type(network) is Dense and device == "cpu"


def device_of(settings: Settings, device: str) -> str:
    """Where a training runs: only the compiled kernel, on the CPU, leaves out hidden units."""
    return "cpu" if settings.dropout else device


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
        kept(checkpoints, number) or Trajectory.start(network, member.seed) for number, member in enumerate(members)
    ]
    if settings.dropout and type(network) is not Dense:
        raise InputError(f"dropout: {type(network).__name__} cannot leave out hidden units; only dense networks can")
    device = device_of(settings, device)
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
                keep(checkpoints, number, trajectory)
            if stop.is_set():
                break
        keep(checkpoints, number, trajectory)
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
    from nqs.supervised import dense_kernel

    widths, batches = np.array(network.widths), Batches(member, settings.batch)
    while not trajectory.finished(settings):
        count = min(settings.check_every, settings.max_updates - trajectory.updates)
        index = batches.after(trajectory.updates, count)
        dense_kernel.train(
            trajectory.theta, trajectory.mean, trajectory.square, trajectory.updates, settings.learning_rate,
            widths, network.last_bias, member.states, member.labels, index,
            settings.l2, settings.dropout, np.uint64(member.seed),
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
    """All members as one PyTorch model, or as several one after the other where the GPU's memory is too small."""
    left_off = False

    def run(numbers: Sequence[int]) -> None:
        nonlocal left_off
        if left_off:  # somewhere between two checks
            for number in numbers:
                trajectories[number] = kept(checkpoints, number) or Trajectory.start(network, members[number].seed)
        left_off = True
        _train_one_stack(network, members, trajectories, numbers, settings, device, checkpoints, progress)

    halving(run, range(len(members)), "network")


def _train_one_stack(network, members, trajectories, numbers, settings, device, checkpoints, progress) -> None:
    """Some members as one PyTorch model; those that have stopped are taken out of the stack."""
    from nqs.supervised.stacked import Stack

    active = [number for number in numbers if not trajectories[number].finished(settings)]
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
                    keep(checkpoints, active[place], trajectories[active[place]])
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
        keep(checkpoints, number, trajectories[number])


Evaluate = Callable[[np.ndarray], np.ndarray]


def evaluator(network: Network, theta: np.ndarray, device: str = "cpu") -> Evaluate:
    """A function from states uint64 (n,) to the trained network's outputs float32 (n,)."""
    if runs_compiled(network, device):
        from nqs.supervised import dense_kernel

        widths = np.array(network.widths)
        return lambda states: dense_kernel.evaluate(theta, widths, network.last_bias, states, VALIDATION_CHUNK)
    from nqs.supervised.stacked import evaluate

    return lambda states: evaluate(network, theta, states, device)
