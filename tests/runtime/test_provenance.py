"""A record names what defines a figure, and nothing of who or where."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.image import imread
from PIL import Image

from nqs.figures import save as figure_files
from nqs.figures import style
from nqs.runtime import provenance
from nqs.runtime.errors import BrokenFileError

ROOT = Path(__file__).parents[2]
TABLE = "j2,overlap\n0,1\n"
TABLE_SHA256 = "6691d52a5752c6fb5edb8298b51c4fc41b95b01d8476e0c3011c124787509d6a"  # by sha256sum


@pytest.fixture
def project(tmp_path):
    table = tmp_path / "results" / "table.csv"
    table.parent.mkdir()
    table.write_text(TABLE)
    return tmp_path


def build(project, **changes):
    arguments = {
        "config": {"epsilon": 0.01}, "inputs": [project / "results" / "table.csv"], "root": project,
        "code": "abc", "device": "CPU", "seeds": [1, 2], "wall_seconds": 1.5,
    }  # fmt: skip
    return provenance.record("fig2", **(arguments | changes))


def draw():
    fig, ax = style.single_column()
    ax.plot([0, 1], [1, 0.5], **style.series("dense1"))
    ax.set_xlabel(style.J2_OVER_J1)
    return fig


def git(folder, *arguments):
    settings = ["-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *settings, *arguments], check=True, timeout=20)


def test_inputs_are_named_within_the_project_and_hashed(project):
    assert build(project)["inputs"] == {"results/table.csv": TABLE_SHA256}


def test_results_behind_a_link_keep_their_names_and_their_id(project, tmp_path_factory):
    plain = build(project)
    elsewhere = tmp_path_factory.mktemp("scratch") / "results"
    (project / "results").rename(elsewhere)
    (project / "results").symlink_to(elsewhere)
    linked = build(project)
    assert linked["inputs"] == plain["inputs"]
    assert linked["id"] == plain["id"]


def test_no_trace_of_the_machine(project, tmp_path_factory):
    outside = tmp_path_factory.mktemp("elsewhere") / "curves.json"
    outside.write_text("{}")
    text = json.dumps(build(project, inputs=[outside]))
    assert '"curves.json"' in text
    for private in (str(project), str(outside.parent), str(Path.home()), os.uname().nodename):
        assert private not in text


def test_packages_are_those_installed(project):
    packages = build(project)["packages"]
    assert packages["matplotlib"] == sys.modules["matplotlib"].__version__
    assert None not in packages.values()


def test_a_missing_package_is_left_out(monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("numpy", "no-such-package"))
    assert list(provenance.package_versions()) == ["numpy"]


def test_the_id_ignores_time(project):
    assert build(project)["id"] == build(project, wall_seconds=99.0)["id"]


@pytest.mark.parametrize(
    "changes", [{"config": {"epsilon": 0.02}}, {"code": "abd"}, {"device": "CUDA"}, {"seeds": [1]}]
)
def test_the_id_follows_what_defines_the_figure(project, changes):
    assert build(project)["id"] != build(project, **changes)["id"]


def test_the_id_follows_the_input(project):
    before = build(project)["id"]
    (project / "results" / "table.csv").write_text("j2,overlap\n0,0.9\n")
    assert build(project)["id"] != before


def test_no_revision_outside_git(project):
    assert build(project)["git"] == {"revision": None, "dirty": None}


def test_revision_and_dirty_flag(project):
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "one")
    clean = build(project)["git"]
    assert len(clean["revision"]) == 40
    assert clean["dirty"] is False
    (project / "results" / "table.csv").write_text("edited")
    assert build(project)["git"] == {"revision": clean["revision"], "dirty": True}
    # A copy without its own history must not borrow that of the folder around it.
    assert provenance.git_state(project / "results") == {"revision": None, "dirty": None}


def test_three_files_and_no_leftovers(project):
    record = build(project)
    stem = project / "figures" / "westerhout2020" / "fig2.v1"
    figure_files.save_figure(draw(), stem, record)
    names = sorted(path.name for path in stem.parent.iterdir())
    assert names == ["fig2.v1.json", "fig2.v1.pdf", "fig2.v1.png"]
    assert json.loads(Path(f"{stem}.json").read_text()) == record
    assert imread(f"{stem}.png").shape[1] == 3.4 * figure_files.PNG_DPI


def test_the_id_is_inside_the_files(project):
    record = build(project)
    figure_files.save_figure(draw(), project / "fig2", record)
    with Image.open(project / "fig2.png") as image:
        assert record["id"] in image.info["Description"]
    pdf = (project / "fig2.pdf").read_bytes()
    assert record["id"].encode() in pdf
    assert b"CreationDate" not in pdf


def test_a_failed_drawing_leaves_the_old_files(project, monkeypatch):
    figure_files.save_figure(draw(), project / "fig2", build(project))
    before = {path: path.read_bytes() for path in project.glob("fig2.*")}
    fig = draw()
    save = fig.savefig

    def fail_on_png(path, **options):
        if options["format"] == "png":
            raise OSError("disk full")
        save(path, **options)

    monkeypatch.setattr(fig, "savefig", fail_on_png)
    with pytest.raises(BrokenFileError, match="disk full"):
        figure_files.save_figure(fig, project / "fig2", build(project, code="new"))
    assert {path: path.read_bytes() for path in project.iterdir() if path.is_file()} == before


DRAW_AGAIN = """
import sys; from pathlib import Path
sys.path.insert(0, "tests")
from support.overlap_tables import fig2_table
from nqs.figures import save; from support.studies import figures_of; FIGURES = figures_of("westerhout2020")
from nqs.studies.westerhout2020.curves import read_curves
published = read_curves(Path("reference/westerhout2020/curves.json"))
fig = FIGURES["fig2"](fig2_table(("square24", "kagome24")), published, "test")
save.save_figure(fig, Path(sys.argv[1]), {"id": "0123", "figure": "fig2"})
"""


def test_equal_figures_are_equal_bytes(tmp_path):
    for number in ("1", "2"):  # the second also in another year, with another hash seed
        environment = os.environ | {
            "PYTHONHASHSEED": number,
            "PYTHONPATH": str(ROOT / "src"),
            "SOURCE_DATE_EPOCH": str(int(number) * 10**9),
        }
        subprocess.run(
            [sys.executable, "-c", DRAW_AGAIN, tmp_path / f"fig{number}"],
            cwd=ROOT, env=environment, check=True, timeout=60,
        )  # fmt: skip
    for ending in ("pdf", "png"):
        first, second = ((tmp_path / f"fig{number}.{ending}").read_bytes() for number in "12")
        assert first == second
