"""Answers about the sources that outlive a run."""

import gc
import json
from unittest.mock import Mock

import pytest

from nqs.workflow import code_hash, snakemake_patch
from nqs.workflow.kept_answers import KeptAnswers


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("a = 1\n")
    return path


@pytest.fixture
def ask(tmp_path, source):
    """One run that asks one question: its answer, and whether it had to be found."""

    def run(answer="yes", file=tmp_path / "kept" / "answers.json"):
        kept = KeptAnswers()
        kept.keep_in(file, [source])
        find = Mock(return_value=answer)
        said = kept.answer("question", find)
        kept.save()
        return said, find.called

    return run


def test_second_run_finds_nothing_anew(ask, tmp_path):
    assert ask() == ("yes", True)
    assert ask("never asked") == ("yes", False)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["answers.json"]


def test_edited_source_makes_all_answers_void(ask, source):
    ask()
    source.write_text("a = 2\n")
    assert ask("no") == ("no", True)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"state": 1}', '{"state": "STATE", "answers": [1]}'])
def test_damaged_file_counts_as_none(ask, tmp_path, text):
    ask()
    file = tmp_path / "kept" / "answers.json"
    file.write_text(text.replace("STATE", json.loads(file.read_text())["state"]))
    assert ask("no") == ("no", True)
    assert ask("never asked") == ("no", False)


def test_place_that_takes_no_file_costs_nothing_but_time(ask, source):
    for _ in range(2):
        assert ask(file=source / "below a file" / "answers.json") == ("yes", True)


def test_errors_are_not_kept(tmp_path, source):
    kept = KeptAnswers()
    kept.keep_in(tmp_path / "answers.json", [source])
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            kept.answer("question", lambda: str(1 / 0))
    kept.save()
    assert not (tmp_path / "answers.json").exists()


def test_collections_are_rare_in_a_large_graph_of_jobs():
    thresholds = gc.get_threshold()
    try:
        snakemake_patch.collect_garbage_rarely()
        assert gc.get_threshold()[0] >= 10_000
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)


@pytest.mark.parametrize("writable", [True, False])
def test_answers_lie_with_the_bytecode_if_that_can_be_written(tmp_path, monkeypatch, writable):
    kept = KeptAnswers()
    monkeypatch.setattr(code_hash, "KEPT", kept)
    monkeypatch.setattr(code_hash, "writable", lambda folder: writable)
    code_hash.keep_answers(tmp_path / "answers.json")
    assert (kept.file != tmp_path / "answers.json") is writable
    kept.file = None  # nothing is written at the end of this process
