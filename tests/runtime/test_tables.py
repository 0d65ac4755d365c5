"""Damaged tables are refused in one sentence, whatever the damage; sound ones are read as pandas reads them."""

import errno

import pandas as pd
import pytest

from nqs.runtime import checksums
from nqs.runtime.errors import BrokenFileError
from nqs.runtime.tables import read_json, read_table

COLUMNS = ("learning_rate", "energy")
TEXT = "learning_rate,energy\n0.01,-7.5\n0.03,-7.6\n"


def written(folder, name="runs.csv", text=TEXT):
    path = folder / name
    path.write_text(text)
    return path


def test_a_sound_table_is_read(tmp_path):
    pd.testing.assert_frame_equal(read_table(written(tmp_path), COLUMNS, 2), pd.read_csv(tmp_path / "runs.csv"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (TEXT[:24], "row 2 has 1 fields instead of 2"),
        (TEXT[:-2], "last line is cut off"),
        (TEXT.replace("0.03,", "0.03;"), "row 3 has 1 fields"),
        (TEXT.replace("energy", "enerfy"), "without the columns energy"),
        (TEXT[: TEXT.rindex("0.03")], "1 rows instead of 2"),
        ("", "empty"),
        (TEXT.replace("\n0", "\n\0\0,"), "row 2 has 3"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path, text, why):
    path = written(tmp_path, text=text)
    with pytest.raises(BrokenFileError, match=rf"runs\.csv: damaged \(.*({why}).*; delete it and build it again with"):
        read_table(path, COLUMNS, 2)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = written(tmp_path)
    path.write_bytes(TEXT.encode() + b"\xff\xfe,1\n")
    with pytest.raises(BrokenFileError, match="damaged"):
        read_table(path)


@pytest.mark.parametrize("place", [0, 40, 200, -5])
def test_damaged_parquet_is_refused(tmp_path, place):
    path = tmp_path / "trace.parquet"
    pd.DataFrame({"energy": [1.0, 2.0, 3.0]}).to_parquet(path)
    checksums.note([path])
    content = bytearray(path.read_bytes())
    content[place] ^= 16
    path.write_bytes(content)
    with pytest.raises(BrokenFileError, match=r"trace\.parquet: damaged"):
        read_table(path)


def test_half_a_parquet_file_is_refused(tmp_path):
    path = tmp_path / "trace.parquet"
    pd.DataFrame({"energy": [1.0, 2.0, 3.0]}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(BrokenFileError, match=r"trace\.parquet: damaged"):
        read_table(path)


def test_a_table_that_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    path = written(tmp_path)
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(BrokenFileError, match=r"may not be read by this user.*keep it"):
        read_table(path)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"devices": []}', "[" * 100_000])
def test_damaged_json_is_refused(tmp_path, text):
    path = written(tmp_path, "fig1_cost.json", text)
    with pytest.raises(BrokenFileError, match=r"fig1_cost\.json: damaged"):
        read_json(path, ("devices", "training_wall_s"))


def test_a_changed_digit_differs_from_its_checksum(tmp_path):
    path = written(tmp_path)
    checksums.note([path])
    assert len(read_table(path)) == 2
    path.write_text(TEXT.replace("-7.6", "-7.2"))
    with pytest.raises(BrokenFileError, match=r"checksum differs\); delete it .* or, if it was changed on purpose"):
        read_table(path)
    checksums.forget([path])
    assert len(read_table(path)) == 2
