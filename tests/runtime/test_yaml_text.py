"""Files of the configuration: numbers and words as they look, no key lost, and errors that name file, line and fix."""

import pytest

from nqs.runtime.errors import InputError
from nqs.runtime.yaml_text import number, parse, read_mapping

LOOKS = {
    "010": 10, "1:30": "1:30", "4e4": 4e4, "1e-3": 1e-3, "1_000": 1000, ".5": 0.5, "-3": -3, "yes": "yes", "on": "on",
    "true": True, "False": False, "~": None, "": None, "2020-13-45": "2020-13-45", "2020-01-02": "2020-01-02",
    "'4'": "4", "[1, 2.5, x]": [1, 2.5, "x"],
}  # fmt: skip
UNREADABLE: dict[str, tuple[bytes, str]] = {
    "key twice": (b"seed: 1\nb:\n  c: 2\n  c: 3\n", r"line 3, column 3: not valid YAML: key c given twice"),
    "key twice in JSON": (b'{"seed": 1,\n\t"seed": 2}', "key seed given twice"),
    "Latin-1": ("seed: 1\n# Schr\xf6dinger\n".encode("latin-1"), r"line 2: byte 0xf6 is not UTF-8; save the file as"),
    "nesting": (b"a: " + b"[" * 3000 + b"]" * 3000, "inside each other hundreds of times"),
    "nesting in JSON": (b'{"a": ' + b"[" * 99999 + b"]" * 99999 + b"}", "inside each other hundreds of times"),
    "date that is none": (b"a: !!timestamp 2020-13-45", "not valid YAML: month must be in 1..12"),
    "control character": (b"a: \x00", "not valid YAML: unacceptable character"),
    "open bracket": (b"a: [1,\nb", r"line 2, column \d: not valid YAML"),
    "list": (b"- 1", "must be a mapping of keys to values"),
    "word": (b"seed", "must be a mapping"),
    "endless number": (b"a: " + b"9" * 5000, "not valid YAML: Exceeds the limit"),
    "object": (b"a: !!python/object:os.system x", "line 1, column 4: not valid YAML"),
}


@pytest.mark.parametrize("text", LOOKS)
def test_numbers_and_words_are_what_they_look_like(text):
    read = parse(text)
    assert (read, type(read)) == (LOOKS[text], type(LOOKS[text]))


def test_text_of_a_number():
    assert [number(text) for text in ("010", "4e4", "1:30", "nan", "", "x")] == [10, 4e4, None, None, None, None]


@pytest.mark.parametrize("fault", UNREADABLE)
def test_what_cannot_be_read_is_named_with_the_reason(tmp_path, fault):
    content, reason = UNREADABLE[fault]
    (tmp_path / "mine.yaml").write_bytes(content)
    with pytest.raises(InputError, match=reason) as error:
        read_mapping(tmp_path / "mine.yaml")
    assert str(error.value).startswith(f"{tmp_path}/mine.yaml: ")


def test_json_may_be_indented_by_tabs(tmp_path):
    (tmp_path / "mine.json").write_text('{"a":\n\t1, "b": [true, null]}')
    assert read_mapping(tmp_path / "mine.json") == {"a": 1, "b": [True, None]}


def test_an_empty_file_says_nothing_and_a_mark_of_the_byte_order_is_passed_over(tmp_path):
    (tmp_path / "mine.yaml").write_text("# only a remark\n")
    assert read_mapping(tmp_path / "mine.yaml") == {}
    (tmp_path / "mine.yaml").write_bytes(b"\xef\xbb\xbfseed: 1\n")
    assert read_mapping(tmp_path / "mine.yaml") == {"seed": 1}


@pytest.mark.parametrize("name", ["lost.yaml", "."])
def test_a_file_that_is_not_there_or_a_folder(tmp_path, name):
    with pytest.raises(InputError, match=r"there is no such file|cannot be read \(Is a directory\)"):
        read_mapping(tmp_path / name)
