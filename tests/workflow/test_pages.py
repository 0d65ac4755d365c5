"""Pages that quote results say what the archive says: numbers, targets, verdicts and pictures."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nqs.analysis.ledger.claim import Tables, read_claims
from nqs.analysis.ledger.evidence import Estimate, near
from nqs.analysis.ledger.table import counts, ledger
from nqs.runtime.errors import BrokenFileError, InputError
from nqs.runtime.job import function
from nqs.studies.protocol import Study, Target
from nqs.workflow.pages import gallery, quoted, thumbnails, verdicts
from nqs.workflow.pages.write import main
from nqs.workflow.studies import found_studies

ROOT = Path(__file__).parents[2]
TARGETS = {
    f"{study}_{name}": (one, name)
    for study, one in found_studies().items() for name, target in one.targets.items() if target.kind != "rows"
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def judged_once():
    """Verdicts on one archive, or on equal copies of it, are found once for all tests of this file."""
    found, judge = {}, gallery.archived_verdicts

    def once(project, study):
        files = sorted((project / "archive/paper" / study.name).glob("*.csv"))
        content = b"".join(path.read_bytes() for path in (project / "reference/claims.yaml", *files))
        key = (study.name, hashlib.sha256(content).digest())
        if key not in found:
            found[key] = judge(project, study)
        return found[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery, "archived_verdicts", once)
        yield


@pytest.mark.parametrize("page", quoted.PAGES, ids=str)
def test_quoted_numbers_are_those_of_the_archive(page):
    text = (ROOT / page).read_text()
    assert len([*quoted.used(text)]) >= 20
    assert quoted.filled(text, ROOT) == text


def test_every_kind_of_number_is_quoted_somewhere():
    used = {name for page in quoted.PAGES for name in quoted.used((ROOT / page).read_text())}
    assert used == set(quoted.read_quotes(ROOT / quoted.LIST))


def test_a_quoted_number_by_another_route():
    table = pd.read_csv(ROOT / "archive/paper/westerhout2020/fig5.csv")
    row = table[(table.target == "sign") & np.isclose(table.j2_over_j1, 0.525)].iloc[0]
    expected = f"{row.overlap_rest_mean:.3f} ± {row.overlap_rest_sem:.3f}"
    assert f">{expected}<" in quoted.filled("<!--= rest sign 0.525 -->0.682<!--/-->", ROOT)
    assert f">{expected}<!--/-->" in (ROOT / "docs/deviations.md").read_text()


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ("nothing 1", "not in docs/quoted.yaml"),
        ("rest sign 0.123", "westerhout2020/fig5: 0 rows"),
        ("rest", "list index out of range"),
        ("exponent 2 quiet", "mummaneni2026/power_laws: 0 rows"),
    ],
)
def test_a_mark_that_names_no_number_is_refused(mark, message):
    with pytest.raises(InputError, match=f"<!--= {mark} -->: .*{message}"):
        quoted.filled(f"<!--= {mark} -->1<!--/-->", ROOT)


def test_all_pages_are_current():
    assert main(ROOT, check=True) == 0, "run ./nqs pages"


def test_the_gallery_lists_the_targets_of_the_studies():
    page = (ROOT / gallery.PAGE).read_text()
    assert re.findall(r"\*\*, `(\w+)`<br>", page) == [*TARGETS]
    assert set(re.findall(r"!\[.+?\]\(gallery/(\w+)\.png\)", page)) == {
        p.stem for p in (ROOT / gallery.PICTURES).iterdir()
    }


@pytest.mark.parametrize("study", found_studies().values(), ids=lambda study: study.name)
def test_verdicts_in_the_gallery_are_those_of_the_ledger_on_archived_tables(study: Study):
    section = re.split(rf"^## {study.citation}$", (ROOT / gallery.PAGE).read_text(), flags=re.M)[1].split("\n## ")[0]
    if not study.claims:
        assert "Claims: " not in section
        return
    claims = [one for one in read_claims(ROOT / "reference/claims.yaml").values() if one.study == study.name]
    frames = {path.stem: pd.read_csv(path) for path in (ROOT / "archive/paper" / study.name).glob("*.csv")}
    published = function(study.read)(ROOT / "reference" / study.published) if study.read else {}
    table = ledger(claims, function(study.claims), Tables(frames, published), "archive")
    said = re.findall(r"(\d+) ([a-z ]+?)(?=, |\.)", section.split("\nClaims: ")[1].split("\n")[0])
    assert {verdict: int(number) for number, verdict in said} == counts(table)


def test_verdicts_are_counted_by_target_and_in_all(monkeypatch):
    claims = [one for one in read_claims(ROOT / "reference/claims.yaml").values() if one.study == "westerhout2020"]
    monkeypatch.setattr(
        verdicts, "function", lambda entry: {one.slug: lambda *_: [near("x", Estimate(1, 0.1, 9), 1)] for one in claims}
    )
    study = Study("westerhout2020", "W", found_studies()["westerhout2020"].block, {"fig1": Target("a:b")}, claims="a:b")
    by_target = verdicts.archived_verdicts(ROOT, study)
    assert by_target["westerhout2020_fig1"] == {"reproduced": 2}
    assert verdicts.added(by_target) == {"reproduced": len(claims)}
    assert verdicts.in_words({"reproduced": 2, "inconclusive": 1}) == "2 reproduced, 1 inconclusive"


@pytest.mark.parametrize("path", sorted((ROOT / gallery.PICTURES).glob("*.png")), ids=lambda path: path.stem)
def test_thumbnails_are_small_and_of_the_archived_table(path):
    study, name = TARGETS[path.stem]
    with Image.open(path) as image:
        assert (image.mode, image.width <= thumbnails.WIDTH) == ("P", True)
    assert path.stat().st_size <= thumbnails.LARGEST
    table = gallery.archived(ROOT, study, name)
    if table.exists():
        assert thumbnails.table_of(path) == hashlib.sha256(table.read_bytes()).hexdigest(), "run ./nqs pages"


def test_a_thumbnail_holds_the_hash_of_its_table(tmp_path):
    Image.effect_noise((1600, 1200), 60).convert("RGB").save(tmp_path / "a.png")
    thumbnails.write(tmp_path / "a.png", "abc", tmp_path / "b.png")
    assert thumbnails.table_of(tmp_path / "b.png") == "abc"
    assert (tmp_path / "b.png").stat().st_size <= thumbnails.LARGEST
    (tmp_path / "a.json").write_text('{"inputs": {"x/fig1.csv": "abc", "reference/curves.json": "d"}}')
    assert thumbnails.table_in(tmp_path / "a.json") == "abc"
    assert thumbnails.table_in(tmp_path / "none.json") == ""
    Image.effect_noise((360, 3600), 200).convert("RGB").save(tmp_path / "c.png")
    with pytest.raises(BrokenFileError, match="more than 40000 bytes at 360 pixels"):
        thumbnails.write(tmp_path / "c.png", "abc", tmp_path / "d.png")


def test_pages_are_mended_and_what_has_no_figure_is_named(tmp_path, capsys):
    for name in ("docs", "reference", "archive"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "README.md", tmp_path)
    page = tmp_path / quoted.PAGES[0]
    wrong = quoted.MARK.sub(lambda match: match[0].replace(match["text"], "1.0"), page.read_text(), count=3)
    page.write_text(wrong)
    (tmp_path / gallery.PICTURES / "westerhout2020_fig5.png").unlink()
    assert main(tmp_path, check=True) == 1
    assert {line.split(":")[0] for line in capsys.readouterr().out.splitlines()} == {
        "docs/deviations.md", "docs/gallery.md", "README.md",
    }  # fmt: skip
    assert main(tmp_path, check=False) == 0
    said = capsys.readouterr().out
    assert "westerhout2020_fig5 is not there at archive scale, it has no thumbnail" in said
    assert "make it with ./nqs gallery westerhout2020_fig5" in said
    assert page.read_text() == (ROOT / quoted.PAGES[0]).read_text()
    (tmp_path / "README.md").write_text("no gallery")
    with pytest.raises(InputError, match=r"README\.md: needs the lines"):
        gallery.between(tmp_path / "README.md", "")
