"""Studies are found by their objects; what is no whole study is refused before anything runs, with file and key."""

import json
import subprocess
import sys
import textwrap
from dataclasses import replace

import pandas as pd
import pytest
from support.studies import ROOT

from nqs.figures.table import TableError
from nqs.runtime.errors import ConfigError
from nqs.runtime.job import function
from nqs.studies.protocol import Cell
from nqs.workflow.configuration import Config, load, with_studies
from nqs.workflow.rows import columns_of
from nqs.workflow.studies import check_entries, found_studies
from nqs.workflow.work import Work

WHOLE = """
    from nqs.runtime.fields import Block
    from nqs.studies.protocol import Study, Target

    class Mine(Block):
        size: int = 4

    STUDY = Study(
        name="{name}", citation="", block=Mine,
        targets={{"fig1": Target(rows="{rows}", draw="{draw}", shows="{shows}")}},
    )
"""
GOOD = {
    "name": "mine", "rows": "nqs.studies.westerhout2020.tables.geometry:rows",
    "draw": "nqs.studies.westerhout2020.figures.geometry:fig1", "shows": "",
}  # fmt: skip


@pytest.fixture
def home(tmp_path, monkeypatch, request):
    """A function that writes a package of studies, name of the folder -> source of study.py, and finds them."""
    monkeypatch.syspath_prepend(tmp_path)
    package = f"studies_of_{abs(hash(request.node.name))}"

    def find(**sources):
        for name, text in {"": "", **sources}.items():
            folder = tmp_path / package / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "__init__.py").touch()
            if text:
                (folder / "study.py").write_text(textwrap.dedent(text))
        studies = found_studies(package)
        check_entries(package)
        return studies

    return find


def test_all_studies_are_found():
    assert list(found_studies()) == ["ju2025", "kufel2024", "mummaneni2026", "westerhout2020"]
    assert {*found_studies()} <= Config.model_fields.keys()


def test_a_whole_study_is_found(home):
    (study,) = home(one=WHOLE.format(**GOOD)).values()
    assert study.name == "mine"
    assert study.targets["fig1"].kind == "figures"


def test_a_folder_without_a_study_is_refused(home):
    with pytest.raises(ConfigError, match=r"studies_of_\d+\.empty: no module study\.py with STUDY"):
        home(empty="")


def test_a_module_without_the_object_is_refused(home):
    with pytest.raises(ConfigError, match=r"half\.study: no STUDY = Study"):
        home(half="X = 1\n")


def test_two_studies_of_one_name_are_refused(home):
    with pytest.raises(ConfigError, match=r"two\.study: STUDY\.name is 'mine', like that of another study"):
        home(one=WHOLE.format(**GOOD), two=WHOLE.format(**GOOD))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("from nqs.studies.protocol import Studie\n", r"one\.study: cannot be imported: ImportError: .*Studie"),
        ("STUDY = (\n", r"one\.study: cannot be imported: SyntaxError: .* line 1"),
        (WHOLE.format(**GOOD).replace("citation", "cited"), r"one\.study: .* TypeError: .* 'cited'"),
        (WHOLE.format(**GOOD | {"name": "my study"}), r"one\.study: STUDY\.name is 'my study'; names are letters"),
        (WHOLE.format(**GOOD).replace("Target(", "Target(inputs={}, "), r"\['fig1'\]\.inputs: must be a function"),
    ],
)
def test_a_module_that_is_wrong_is_refused_with_its_name(source, message, home):
    with pytest.raises(ConfigError, match=message):
        home(one=source)


def test_a_study_named_like_a_key_of_the_configuration_is_refused(monkeypatch):
    studies = found_studies()
    monkeypatch.setattr("nqs.workflow.configuration.found_studies", lambda: {"clusters": studies["ju2025"]})
    with pytest.raises(ConfigError, match="a study is called 'clusters', which is a key of the configuration"):
        with_studies()


def test_a_cell_of_no_stage_is_refused(monkeypatch):
    config = load(ROOT, {"scale": "smoke"})
    work = Work(config)
    study = replace(work.studies["ju2025"], cells=lambda config: [Cell("motive_vmc", "n8", dict)])
    monkeypatch.setitem(work.studies, "ju2025", study)
    with pytest.raises(ConfigError, match="ju2025: its cell n8 is of no stage, 'motive_vmc'; known: "):
        work.cells  # noqa: B018


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": "nqs.studies.westerhout2020.tables.geometry:row"}, r"targets\['fig1'\]\.rows: .* did you mean rows"),
        ({"draw": "nqs.studies.westerhout2020.figures.geometri:fig1"}, r"\['fig1'\]\.draw: .* is not a module"),
        ({"draw": "nqs.studies.westerhout2020.figures"}, r"\['fig1'\]\.draw: '.*figures' names no function; write"),
        ({"rows": "", "shows": "fig9"}, r"\['fig1'\]\.shows: 'fig9' is no target of mine"),
        ({"rows": ""}, r"\['fig1'\]: says neither how its rows are made"),
    ],
)
def test_a_target_that_names_what_is_not_there_is_refused(changes, message, home):
    with pytest.raises(ConfigError, match=message):
        home(one=WHOLE.format(**GOOD | changes))


def test_the_configuration_has_the_block_of_every_study(tmp_path):
    assert load(ROOT, {"scale": "smoke"}).of(found_studies()["ju2025"]).block is not None
    (tmp_path / "config.yaml").write_text("scale: laptop\n")
    with pytest.raises(ConfigError, match="ju2025: missing"):
        load(tmp_path, {})


def test_the_rules_find_studies_where_errors_are_caught():
    """Imports before the `try` of the rules find none, so that a study that is not whole ends without a traceback."""
    before = (ROOT / "rules/common.smk").read_text().partition("\ntry:")[0]
    imports = "\n".join(line for line in before.splitlines() if line.startswith("from nqs."))
    check = f"import sys\n{imports}\nassert 'nqs.workflow.stages' in sys.modules\n"
    check += "assert 'nqs.workflow.configuration' not in sys.modules\n"
    subprocess.run([sys.executable, "-c", check], check=True)


@pytest.mark.parametrize("study", ["westerhout2020", "mummaneni2026"])
def test_a_table_without_rows_has_the_columns_that_its_figure_asks_for(study):
    for name, target in found_studies()[study].targets.items():
        columns = columns_of(target)
        assert len(columns) >= 3, name
        if target.draw:
            with pytest.raises(TableError, match="has no rows"):
                function(target.draw)(pd.DataFrame(columns=columns), pd.DataFrame(columns=["figure"]), "")


def test_every_target_has_a_record_of_its_code_drawn_or_not():
    work = Work(load(ROOT, {"scale": "smoke"}))
    codes = [json.loads(work.figure_settings(study, name))["code"] for study, name, _ in work.targets()]
    codes += [
        json.loads(work.figure_settings(study, name))["code"]
        for study in work.studies.values()
        for name in study.targets
    ]
    assert all(len(code) == 16 for code in codes)
    assert len(codes) > 90
