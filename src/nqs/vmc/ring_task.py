"""Energy descent on rings: the loop's parts for Adam on the plain energy gradient [Ju et al. 2025, sec. VI].

H = sum_n P_{n,n+1}, energies are totals of it. SYMFORCE-TRAJ is the projection after every step.
"""

from __future__ import annotations

from collections.abc import Collection

from nqs.ansatz.ring_protocol import RingAnsatz
from nqs.vmc.estimates import RingEstimates
from nqs.vmc.local_energy import RingExchanges
from nqs.vmc.loop import Task
from nqs.vmc.optimisers import Adam, Sgd
from nqs.vmc.preconditioners import Identity
from nqs.vmc.ring_sampler import RingSampler


def ring_task(
    ansatz: RingAnsatz, sampler: RingSampler, optimiser: Adam | Sgd, steps: int = 1, max_iterations: int = 500,
    snapshots: Collection[int] = (),
) -> Task:  # fmt: skip
    """Descent of the sampled energy of an ansatz; a run that diverges keeps the parameters at which it did."""
    return Task(
        RingExchanges(), ansatz, sampler, RingEstimates(ansatz), Identity(), optimiser, max_iterations, steps,
        projection=ansatz.after_update, snapshots=snapshots, rewinds=False,
    )  # fmt: skip
