"""Kernels are kept beside the results, or in TMPDIR, where neither package nor home can be written to."""

import os

import pytest

from nqs.runtime import numba_cache


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A package and a home that cannot be written to."""
    monkeypatch.delenv(numba_cache.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    locked = {str(tmp_path / name) for name in ("package", "home")}
    for name in locked:
        os.mkdir(name)
    monkeypatch.setattr(
        os, "access", lambda path, mode, access=os.access: str(path) not in locked and access(path, mode)
    )
    return tmp_path


def test_the_usual_places_come_first(tmp_path, monkeypatch):
    monkeypatch.delenv(numba_cache.VARIABLE, raising=False)
    numba_cache.choose(tmp_path, tmp_path / "results")
    assert numba_cache.VARIABLE not in os.environ


def test_beside_the_results(nowhere):
    numba_cache.choose(nowhere / "package", nowhere / "results")
    assert os.environ.pop(numba_cache.VARIABLE) == str(nowhere / "results" / ".numba")


def test_in_the_folder_of_temporary_files(nowhere):
    numba_cache.choose(nowhere / "package", nowhere / "package" / "results")
    folder = os.environ.pop(numba_cache.VARIABLE)
    assert os.path.dirname(folder) == str(nowhere)
    assert os.stat(folder).st_mode & 0o077 == 0
