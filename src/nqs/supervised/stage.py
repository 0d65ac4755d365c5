"""Stage `supervised`: train all networks of one cell on the signs or amplitudes of a ground state.

settings   the cell (cells.supervised_settings)
makes      weights.safetensors  flat parameters (member, parameter) as named stacks, and how they came about
           history.csv          one row per member
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nqs.exact.eigenstate import Wavefunction
from nqs.networks import registry
from nqs.networks.protocol import Geometry, Network
from nqs.runtime.checkpoints import Checkpoints
from nqs.runtime.device import choose
from nqs.runtime.files import atomic
from nqs.runtime.job import Job
from nqs.runtime.progress import Progress
from nqs.runtime.seeds import seed_of
from nqs.supervised import dataset
from nqs.supervised.ensemble import device_of, train
from nqs.supervised.keys import WHOLE
from nqs.supervised.members import Member, Settings, Trajectory
from nqs.supervised.weights import write_weights


def network_for(settings: Mapping[str, Any], wavefunction: Wavefunction) -> Network:
    """The cell's network, with the parity that the ground state's momentum asks for."""
    geometry = Geometry(wavefunction.n_sites, wavefunction.shape, wavefunction.momentum)
    options = dict(settings["network"])
    return registry.make(options.pop("architecture"), geometry, settings["key"]["target"], options)


def member_seed(settings: Mapping[str, Any], member: Mapping[str, Any]) -> int:
    """Seed of one network's initial values and batches."""
    return seed_of("supervised", settings["key"], member, settings["seed"])


def members_of(
    settings: Mapping[str, Any], wavefunction: Wavefunction, data_files: Mapping[float, Path]
) -> list[Member]:
    """The members' data: a small sample each, or draws from the whole ground state."""
    target, whole = settings["key"]["target"], settings["key"]["data"] == WHOLE
    if whole:
        states, psi = wavefunction.expand()
        everything, cumulative = dataset.Sample(states, psi), np.cumsum(psi**2)
    members = []
    for member in settings["members"]:
        seed = member_seed(settings, member)
        if whole:
            rng = np.random.default_rng([seed, 2])
            training = everything  # one array, shared by all members
            validation = dataset.Sample(*wavefunction.sample(settings["training"]["validation_states"], rng))
        else:
            data = dataset.read(data_files[member["epsilon"]], member["repeat"])
            training, validation = data.training, data.validation
            if settings["network"]["translates"]:
                training = dataset.translates(training, wavefunction)
        labels, validation_labels = training.labels(target), validation.labels(target)
        member_data = (training.states, labels, validation.states, validation_labels)
        members.append(Member(seed, *member_data, cumulative if whole else None))
    return members


@dataclass(frozen=True)
class Cell:
    """What one job trains: its settings, input files and code."""

    settings: Mapping[str, Any]
    ground_state: Path
    data_files: Sequence[Path]
    code: str  # hash of the code that trains; checkpoints of other code are not resumed

    @property
    def training(self) -> Settings:
        """Settings of the optimiser."""
        names = ("batch", "check_every", "patience", "max_updates")
        own = {name: self.settings["network"][name] for name in ("learning_rate", "l2", "dropout")}
        return Settings(**own, **{name: self.settings["training"][name] for name in names})

    @property
    def title(self) -> str:
        """The cell in words, for progress lines."""
        key = self.settings["key"]
        return f"{key['cluster']} J2 = {key['j2']:g} {key['network']} {key['target']}"


def run(
    cell: Cell, out: Path, history: Path, checkpoint_folder: Path | None, device: str, threads: int, save_every: float
) -> None:
    """Train the cell's members, resuming from the checkpoint folder if it holds the same training."""
    device = device_of(cell.training, device)
    wavefunction = Wavefunction.read(cell.ground_state)
    network = network_for(cell.settings, wavefunction)
    members = members_of(cell.settings, wavefunction, dataset.by_epsilon(cell.data_files))
    progress = Progress(cell.title, len(members), cell.training.max_updates)
    checkpoints = Checkpoints(checkpoint_folder, identity(cell, members), save_every)
    begin, cpu = time.monotonic(), time.process_time()
    trajectories = train(network, members, cell.training, device, threads, checkpoints, progress)
    wall, cpu = time.monotonic() - begin, time.process_time() - cpu
    table = history_table(cell.settings, members, trajectories)
    table["cell_wall_s"], table["cell_cpu_s"], table["device"] = wall, cpu, device
    with atomic(history) as temporary:
        table.to_csv(temporary, index=False)
    write_weights(out, cell.settings, trajectories, device, wall)
    checkpoints.clear()
    print(progress.line(time.monotonic()))
    print(table.to_string(index=False))


def identity(cell: Cell, members: Sequence[Member]) -> str:
    """A hash of everything the training depends on; checkpoints of another training are not resumed."""
    digest = hashlib.sha256((cell.code + json.dumps(cell.settings, sort_keys=True)).encode())
    for member in members:
        for array in (
            member.states,
            member.labels,
            member.validation_states,
            member.validation_labels,
        ):
            digest.update(array.tobytes())
    return digest.hexdigest()


def history_table(
    settings: Mapping[str, Any], members: Sequence[Member], trajectories: Sequence[Trajectory]
) -> pd.DataFrame:
    """One row per member: how long it trained and how good its best checkpoint is.

    Losses: cross-entropy in nats for signs, mean squared error of log|psi| for amplitudes.
    """
    rows = [
        {
            **label,
            "seed": member.seed,
            "n_train": len(member.states),
            "updates": trajectory.updates,
            "best_updates": trajectory.best_updates,
            "best_validation_loss": trajectory.best_loss,
            "last_validation_loss": trajectory.losses[-1],
            "diverged": trajectory.diverged,
        }
        for label, member, trajectory in zip(settings["members"], members, trajectories, strict=True)
    ]
    return pd.DataFrame(rows)


def stage(job: Job) -> None:
    """Train all networks of one cell."""
    cell = Cell(job.settings, job.file("ground_state"), job.inputs.get("data", ()), job.code)
    run(
        cell, job.out("weights"), job.out("history"), job.checkpoints,
        choose(job.device), job.threads, job.save_every,
    )  # fmt: skip
