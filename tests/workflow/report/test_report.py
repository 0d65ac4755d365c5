"""The report of partial results: what is there is shown, what is not is named, and nothing is fetched."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
import yaml
from PIL import Image
from support.ledgers import ROOT, made_up_ledger

from nqs.analysis.ledger.claim import read_claims
from nqs.analysis.ledger.table import counts as ledger_counts
from nqs.runtime.errors import BrokenFileError, InputError
from nqs.studies.protocol import Study
from nqs.workflow.configuration import load
from nqs.workflow.report import costs, ledgers, numbers, text
from nqs.workflow.report.content import Source, read_record, sections
from nqs.workflow.report.deviations import named_targets, notes
from nqs.workflow.report.graph import HEIGHT, WIDTH, graph
from nqs.workflow.report.page import build
from nqs.workflow.report.pictures import picture, pictures
from nqs.workflow.studies import found_studies
from nqs.workflow.work import Work

VOID = {"meta", "link", "img", "input", "br", "path", "rect", "hr", "col"}


class Page(HTMLParser):
    """Elements of a page, with the text inside; that tags close in order is checked."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag, self.getpos()

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def html(project) -> str:
    return build(project, "smoke").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html) -> Page:
    return Page(html)


@pytest.fixture(scope="module")
def made(project):
    return {section.name: section for section in sections(Source(project, "smoke"))}


def test_every_figure_and_table_has_its_place(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    shown = {
        f"{study}_{name}"
        for study, one in found_studies().items() for name, target in one.targets.items() if target.kind != "rows"
    }  # fmt: skip
    assert shown < {*ids}


def test_every_claim_stands_on_the_page_once(page):
    listed = [entry["id"] for entry in yaml.safe_load((ROOT / "reference/claims.yaml").read_text())]
    claims = [one["id"] for one in page.all("li") if one.get("class") == "claim"]
    assert sorted(map(str, claims)) == sorted(listed)


def test_nothing_on_the_page_leads_out_of_it(html, page):
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:")), (tag, name, value)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest", html)
    assert "default-src 'none'" in html


def test_links_within_the_page_lead_somewhere(page):
    ids = {attributes.get("id") for _, attributes in page.elements}
    links = [str(one["href"]) for one in page.all("a")]
    assert len(links) > 50
    assert {link[1:] for link in links} <= ids


def test_controls_and_pictures_have_names(page):
    assert all(one["alt"] for one in page.all("img"))
    labelled = [attributes.get("aria-label") for _, attributes in page.elements if attributes.get("role") == "region"]
    assert labelled
    assert all(labelled)
    assert {"main", "nav", "header", "footer"} <= {tag for tag, _ in page.elements}


def test_counts_are_those_of_the_ledger(made):
    for study in ("ju2025", "westerhout2020"):
        assert made[study].counts == ledger_counts(made_up_ledger(study))
        assert set(made[study].counts) == {*ledgers.VERDICTS}


@pytest.mark.parametrize("study", ["mummaneni2026", "kufel2024"])
def test_a_study_without_ledger_is_not_judged(study, made):
    listed = [one for one in read_claims(ROOT / "reference/claims.yaml").values() if one.study == study]
    assert made[study].counts == {ledgers.NOT_JUDGED: len(listed)}


def test_a_missing_figure_is_listed_with_its_command(html):
    assert "./nqs run westerhout2020_fig2 --config scale=smoke" in html
    assert Source(ROOT, "laptop").command("a_fig1") == "./nqs run a_fig1"
    assert Source(ROOT, "archive").command("a_fig1") == "./nqs gallery a_fig1"


def test_what_belongs_to_a_figure_stands_with_it(made):
    (fig5,) = (one for one in made["westerhout2020"].shown if one.key == "westerhout2020_fig5")
    assert fig5.picture
    assert fig5.record["id"] == "0123456789abcdef"
    assert fig5.alt.startswith("Fig. 5: Overlap on unseen states")
    assert {one.claim.target for one in fig5.claims} == {"westerhout2020_fig5"}
    assert any("Kagome, dense2" in note.text for note in fig5.notes)
    assert fig5.cost == costs.Cost(2, 5.5, 5.5, 350.0)
    assert str(fig5.cost) == "2 jobs, 5.5 s one after another, 5.5 s of CPU, peak memory 350 MB"


def test_a_figure_from_the_archive_names_its_run(html):
    assert "archive/paper/westerhout2020/figS1.csv</code>, drawn in that run as <code>feed</code>" in html
    assert "the table is not the one of that record" in html
    assert "<dd>figS1.repeats</dd>" in html


def test_a_record_without_its_parts_is_refused(tmp_path):
    (tmp_path / "a.json").write_text('{"id": "a"}')
    with pytest.raises(BrokenFileError, match="without config, inputs, code"):
        read_record(tmp_path / "a.json")


def test_no_results_is_one_clear_line(tmp_path):
    with pytest.raises(InputError, match=r"^no results at scale paper; make them with ./nqs run --config scale=paper$"):
        build(tmp_path, "paper")


def test_a_file_that_is_no_ledger_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(BrokenFileError, match="without the columns claim, row"):
        ledgers.read_ledger(tmp_path / "a.csv")


@pytest.mark.parametrize("study", found_studies().values(), ids=lambda study: study.name)
def test_boxes_of_the_graph_do_not_cover_each_other_and_arrows_run_right(study: Study):
    drawn = graph(Work(load(ROOT, {"scale": "smoke"})), study)
    boxes = list(drawn.boxes.values())
    for place, one in enumerate(boxes):
        for two in boxes[:place]:
            assert abs(one.x - two.x) >= WIDTH or abs(one.y - two.y) >= HEIGHT, (one, two)
    assert all(drawn.boxes[one].x < drawn.boxes[two].x for one, two in drawn.arrows)
    assert {box.link for box in boxes if box.link} == {
        f"{study.name}_{name}" for name, target in study.targets.items() if target.kind != "rows"
    }


def test_cells_behind_a_figure_go_back_to_the_hamiltonian():
    work = Work(load(ROOT, {"scale": "smoke"}))
    stages = {stage for stage, _ in costs.cells_behind(work, work.studies["westerhout2020"], "fig5")}
    assert stages == {"hamiltonian", "ground_state", "dataset", "supervised", "overlaps"}
    fig4 = costs.cells_behind(work, work.studies["westerhout2020"], "fig4")
    assert {"supervised", "hamiltonian"} <= {stage for stage, _ in fig4}


@pytest.mark.parametrize(
    ("words", "targets"),
    [
        ("Kagome (Figs. 2c and 5)", {"fig2", "fig5"}),
        ("(Figs. 2-4) and Table X1", {"fig2", "fig3", "fig4", "tableX1"}),
        ("Figs. S4 and S6; `figS7.csv`", {"figS4", "figS6", "figS7"}),
        ("| Table II, K = 6 |", {"table2"}),
        ("Fig. 12, no figure 3", {"fig12"}),
    ],
)
def test_targets_that_a_note_names(words, targets):
    assert named_targets(words) == targets


def test_every_entry_of_the_deviations_is_found():
    page = (ROOT / "docs/deviations.md").read_text()
    found = [note for study in found_studies().values() for note in notes(page, study.citation)]
    assert sum(note.text.startswith("**") for note in found) == len(re.findall(r"^- \*\*", page, re.M))
    assert not any("![" in text.without_links(note.text) for note in found)


def test_captions_cannot_read_files_or_bring_html(tmp_path):
    (tmp_path / "secret").write_text("secret")
    asked = f".. include:: {tmp_path}/secret\n\n.. raw:: html\n\n   <script>1</script>\n\n*Solid*: ln|psi|, <b>."
    made = text.caption(asked)
    assert "secret</" not in made
    assert "<script>" not in made
    assert text.caption("(a) The network. (b) States.") == "<p>(a) The network. (b) States.</p>\n"
    assert "<em>Solid</em>: ln|psi|, &lt;b&gt;." in made
    assert "<b>" not in text.markdown("a <b> *c* ![x](http://a.b/c.png)")
    assert "<img" not in text.markdown("*c* ![x](http://a.b/c.png)")


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (0.70581, 0.0123, "0.706 ± 0.012"), (-4.51544, 0.5, "\u22124.52 ± 0.50"), (12900.0, 300.0, "12900 ± 300"),
        (3.0, 0.0, "3"), (float("nan"), 1.0, ""), ("> 0.5", None, "> 0.5"), (1e-7, 2e-8, "1e\u221207 ± 2e\u221208"),
    ],
)  # fmt: skip
def test_numbers_have_the_digits_of_their_error(value, error, said):
    assert numbers.with_error(value, error) == said


def test_published_values_of_any_shape():
    assert numbers.published({"N4": 5, "N8": 6}, {"N4": 1}) == "N4: 5.0 ± 1.0, N8: 6"
    assert numbers.published([0.33, 0.5]) == "0.33 to 0.5"
    assert numbers.published("a formula") == "a formula"


def test_pictures_keep_white_paper_and_shrink_to_the_budget(tmp_path):
    Image.effect_noise((1600, 800), 90).convert("RGB").save(tmp_path / "a.png")
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(tmp_path / "b.png")
    full = pictures([tmp_path / "a.png"])[tmp_path / "a.png"]
    assert (full.width, full.height) == (1600, 800)
    assert pictures([tmp_path / "a.png"], budget=len(full.png) // 2)[tmp_path / "a.png"].width < 1400
    blank = picture(tmp_path / "b.png", 100)
    (tmp_path / "c.png").write_bytes(blank.png)
    with Image.open(tmp_path / "c.png") as image:
        assert image.mode == "P"
        assert image.convert("RGB").getcolors() == [(100, (255, 255, 255))]
    (tmp_path / "d.png").write_text("no picture")
    with pytest.raises(BrokenFileError, match=r"d\.png: not a picture"):
        picture(tmp_path / "d.png", 100)
