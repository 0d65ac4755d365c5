"""Ground states of small clusters, computed once for all tests of a worker, and a server that forks into jobs."""

import sys
from contextlib import suppress

import pytest

from nqs.exact.eigenstate import Wavefunction
from nqs.model.lattices import cluster
from nqs.workflow import fork_server as forks

with suppress(ImportError):  # tests on a GPU do without
    from hypothesis import settings

    settings.register_profile("same", derandomize=True)  # the same code passes or fails the same tests
    settings.load_profile("same")

LONGEST = (  # files of tests, begun first so that two workers end together; test_docs once kernels are compiled
    "test_workflow", "test_primer", "test_pages", "test_stage", "test_file", "test_screening", "test_archiving",
    "test_reproducibility", "test_docs", "test_claims", "test_bond_clusters", "test_ground_state", "test_legible",
    "test_launcher", "test_report",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    """Order files by the time they take, the longest first; tests of a file keep theirs."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONGEST)))


@pytest.fixture(scope="session")
def ground_state_file(tmp_path_factory):
    """Path of the ground-state file of a cluster at one coupling."""
    from nqs.exact import blocks, ground_state  # tests on a GPU do without QuSpin

    folder = tmp_path_factory.mktemp("ground_states")

    def path_of(name, j2):
        matrices, state = folder / f"{name}.h5", folder / f"{name}_{j2:g}.h5"
        if not matrices.exists():
            blocks.build(cluster(name), matrices)
        if not state.exists():
            ground_state.solve(matrices, j2, state)
        return state

    return path_of


@pytest.fixture(scope="session")
def square16(ground_state_file):
    """The 16-site square lattice at J2 = 0.4."""
    return Wavefunction.read(ground_state_file("square16", 0.4))


@pytest.fixture(scope="session")
def kagome18(ground_state_file):
    """The 18-site kagome cluster at J2 = 0.4."""
    return Wavefunction.read(ground_state_file("kagome18", 0.4))


@pytest.fixture
def fork_server(monkeypatch):
    """A running fork server, to which `python -m nqs` hands itself."""
    if sys.platform != "linux":
        pytest.skip("fork servers run on Linux only")
    monkeypatch.delenv(forks.ADDRESS, raising=False)
    server = forks.start()
    assert server
    yield server
    forks.stop(server)
