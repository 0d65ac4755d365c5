"""Truncated and bit-flipped inputs at every boundary between jobs of a smoke run: one line that names file and fix."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from support.job_calls import Call
from support.reliability import IDENTICAL, REFUSED
from support.smoke_runs import snakemake

from nqs.runtime.checksums import place
from nqs.workflow.compare_files import compare_files

pytestmark = pytest.mark.faults

BOUNDARIES = [
    ("ground_state", "hamiltonian"),
    ("dataset", "ground_state"),
    *(("supervised", kind) for kind in ("ground_state", "data")),
    *(("overlaps", kind) for kind in ("ground_state", "data", "weights")),
    ("reconfiguration", "ground_state"),
    ("vmc", "ground_state"),
    *(("observables", kind) for kind in ("weights", "models", "ground_state")),
    ("motif_vmc", "search"),
    *(("rows westerhout2020_fig2", kind) for kind in ("overlaps", "reconfiguration")),
    ("rows westerhout2020_tableX1", "histories"),
    *(("rows mummaneni2026_trained", kind) for kind in ("models", "traces", "states", "units", "weights")),
    ("rows mummaneni2026_fig3", "snapshots"),
    *((f"rows mummaneni2026_{name}", kind) for name in ("importance", "sampled") for kind in ("states", "units")),
    *(("rows mummaneni2026_fig10", kind) for kind in ("fractions", "power_laws")),
    ("rows mummaneni2026_tableX1", "table"),
    *(("rows ju2025_fig3", kind) for kind in ("runs", "optima")),
    *(("rows ju2025_fig2", kind) for kind in ("traces", "weights")),
    *(("rows ju2025_figS1", kind) for kind in ("ground_states", "optima", "optima_arrays", "weights")),
    *(("figure westerhout2020_fig2", kind) for kind in ("table", "cost")),
    ("claims westerhout2020", "table"),
]


def half(content: bytes) -> bytes:
    """The first half of a file, cut within a line."""
    middle = len(content) // 2
    return content[: middle - (content[middle - 1 : middle] == b"\n")]


def flipped(content: bytes) -> bytes:
    """One bit in the middle of a file is another one."""
    changed = bytearray(content)
    changed[len(content) // 2] ^= 4
    return bytes(changed)


def unlike_its_checksum(content: bytes) -> bytes:
    """As `flipped`, near the end."""
    changed = bytearray(content)
    changed[len(content) * 9 // 10] ^= 1
    return bytes(changed)


def with_inputs(smoke: Path, call: Call, folder: Path) -> Path:
    """A folder with links to the files that a job reads, and to their checksums."""
    for path in (path for paths in call.inputs.values() for path in paths if not path.is_absolute()):
        for file in filter(Path.exists, (smoke / path, place(smoke / path))):
            link = folder / file.relative_to(smoke)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            os.link(file, link)
    return folder


def replace(path: Path, content: bytes) -> None:
    """A new file in place of a link to that of the smoke run, with its time."""
    when = path.stat()
    path.unlink()
    path.write_bytes(content)
    os.utime(path, ns=(when.st_atime_ns, when.st_mtime_ns))


def refused(done, file: Path, out: Path) -> None:
    """Assert that a call ended in one line that names the file and the fix, and wrote nothing."""
    *_, last = done.stdout.strip().splitlines()
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    assert re.match(rf"error: {re.escape(str(file))}: (damaged|incomplete) \(", last), done.stdout
    assert f"delete it and build it again with ./nqs run {file} --config scale=smoke" in last
    assert not out.exists() or not any(path.is_file() for path in out.rglob("*"))


@pytest.mark.parametrize(("consumer", "kind"), BOUNDARIES)
@pytest.mark.parametrize("damage", [half, flipped, unlike_its_checksum])
def test_damage_is_refused_by_name(smoke, tmp_path, calls, nqs, drill, damage, consumer, kind):
    call = calls.reading(consumer, kind)
    tree = with_inputs(smoke, call, tmp_path)
    file = call.inputs[kind][0]
    replace(tree / file, damage((tree / file).read_bytes()))
    refused(nqs(tree, call.arguments(tree / "out")), file, tree / "out")
    drill("half a file" if damage is half else "one bit flipped", REFUSED)


@pytest.mark.parametrize(("consumer", "kind"), BOUNDARIES)
def test_half_a_file_without_a_checksum_is_refused_by_name(smoke, tmp_path, calls, nqs, drill, consumer, kind):
    call = calls.reading(consumer, kind)
    tree = with_inputs(smoke, call, tmp_path)
    file = call.inputs[kind][0]
    replace(tree / file, half((tree / file).read_bytes()))
    place(tree / file).unlink()
    refused(nqs(tree, call.arguments(tree / "out")), file, tree / "out")
    drill("half a file, no checksum beside it", REFUSED)


MENDED = [  # a job and what it reads, and what it makes
    ("rows westerhout2020_fig2", "overlaps", "analysis/westerhout2020/fig2.csv"),
    ("rows mummaneni2026_fig3", "snapshots", "analysis/mummaneni2026/fig3.csv"),
    ("ground_state", "hamiltonian", "ground_state/kagome12/j2_0.4.h5"),
]


@pytest.mark.parametrize(("consumer", "kind", "made"), MENDED)
def test_following_the_line_gives_the_same_tables(tree, smoke, calls, drill, consumer, kind, made):
    results = tree / "results/smoke"
    file = calls.reading(consumer, kind).inputs[kind][0]
    replace(tree / file, flipped((tree / file).read_bytes()))
    (results / made).unlink()
    target = f"results/smoke/{made}"
    done = snakemake(tree, target)
    assert done.returncode == 1, done.stdout
    (named,) = {*re.findall(r"error: (\S+): damaged .*; delete it and build it again with", done.stdout)}
    assert named == str(file)
    (tree / named).unlink()
    assert snakemake(tree, target).returncode == 0
    assert compare_files(smoke / "results/smoke", results) == 0
    drill("one bit flipped, the file deleted as the line says", IDENTICAL)
