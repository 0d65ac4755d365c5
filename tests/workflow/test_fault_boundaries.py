"""The drills of damaged files name jobs and inputs that the workflow has."""

import pytest
from faults.test_damaged_files import BOUNDARIES, MENDED
from support.job_calls import SmokeCalls


@pytest.fixture(scope="module")
def calls():
    return SmokeCalls()


@pytest.mark.parametrize(("consumer", "kind"), BOUNDARIES + [(consumer, kind) for consumer, kind, _ in MENDED])
def test_a_boundary_is_one_of_the_workflow(calls, consumer, kind):
    assert calls.reading(consumer, kind).inputs[kind]
