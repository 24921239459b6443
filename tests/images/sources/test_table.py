import os
from pathlib import Path

import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.protocol import SourceItem
from cv_pipelines.images.sources.table import CsvSource


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "sub/b.png", "größe, 2 µm.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def items_of(folder: Path, text: str | bytes) -> list[SourceItem]:
    table = folder / "table.csv"
    table.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(CsvSource(table).items())


def test_rows_give_path_label_split_and_group(folder: Path) -> None:
    text = "split,path,label,group,remark\ntrain,a.png,cat,site 1,nice\nVal,sub/b.png, dog ,,\n"

    items = items_of(folder, text)

    assert [(i.path, i.label, i.split, i.group, i.problem) for i in items] == [
        ("a.png", "cat", "train", "site 1", ""),
        ("sub/b.png", "dog", "validation", "", ""),
    ]
    assert CsvSource(folder / "table.csv").read(items[1]) == b"sub/b.png"


def test_the_path_alone_is_enough(folder: Path) -> None:
    (item,) = items_of(folder, "path\na.png\n")

    assert (item.label, item.split, item.group, item.problem) == (None, None, "", "")
    assert item.stamp


def test_an_empty_label_is_no_label(folder: Path) -> None:
    assert [item.label for item in items_of(folder, "path,label\na.png,\nsub/b.png,  \na.png\n")] == [None] * 3


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_spreadsheets_and_editors_write_it_alike(folder: Path, start: bytes, newline: str) -> None:
    text = newline.join(["path,label", '"größe, 2 µm.png",größe', ""])

    (item,) = items_of(folder, start + text.encode())

    assert (item.path, item.label, item.problem) == ("größe, 2 µm.png", "größe", "")


@pytest.mark.parametrize(
    ("header", "found"), [("file,label", "file, label"), ("path;label", "path;label"), ("", "none")]
)
def test_a_missing_column_is_named_with_those_that_are_there(folder: Path, header: str, found: str) -> None:
    with pytest.raises(InputError, match="needs a column 'path' or 'uri'") as caught:
        items_of(folder, f"{header}\na.png,cat\n" if header else "")

    assert caught.value.code == "csv_columns"
    assert caught.value.user_message.endswith(f"it has: {found}.")


def test_a_table_without_rows_lists_nothing(folder: Path) -> None:
    assert items_of(folder, "path,label\n") == []


def test_an_unknown_split_is_the_problem_of_its_row_alone(folder: Path) -> None:
    known, unknown = items_of(folder, "path,split\na.png,testing\nsub/b.png,holdout\n")

    assert (known.split, known.problem) == ("test", "")
    assert unknown.split is None
    assert unknown.problem == "line 3 has the unknown split 'holdout'; use train, validation or test"


@pytest.mark.parametrize("path", ["/etc/hostname", "../outside.png", "sub/../../outside.png"])
def test_a_path_that_leaves_the_folder_is_refused_even_when_there_is_a_file(tmp_path: Path, path: str) -> None:
    (tmp_path / "outside.png").write_bytes(b"")
    (tmp_path / "data").mkdir()

    (item,) = items_of(tmp_path / "data", f"path\n{path}\n")

    assert item.problem == "line 2 points outside the folder of the CSV file"
    assert item.stamp == ""


def test_a_path_that_is_empty_missing_or_no_file_is_the_problem_of_its_row(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")

    items = items_of(folder, "path,label\n,cat\nmissing.png,cat\nsub,cat\npipe.png,cat\na.png,cat\n")

    assert [item.path for item in items] == ["line 2", "missing.png", "sub", "pipe.png", "a.png"]
    assert [item.problem.split(" (")[0] for item in items] == [
        "line 2 has no path",
        "cannot be opened: No such file or directory",
        "not a regular file",
        "not a regular file",
        "",
    ]


def test_a_path_with_a_zero_byte_is_the_problem_of_its_row_alone(folder: Path) -> None:
    broken, good = items_of(folder, "path\na\x00.png\na.png\n")

    assert broken.problem
    assert good.problem == ""


def test_line_numbers_are_those_that_an_editor_shows(folder: Path) -> None:
    *_, item = items_of(folder, 'path,split,group\n\na.png,train,"two\nlines"\na.png,holdout,\n')

    assert item.problem.startswith("line 5 has the unknown split")


def test_a_table_in_another_encoding_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="not a CSV file in UTF-8") as caught:
        items_of(folder, "path,label\na.png,größe\n".encode("latin-1"))

    assert caught.value.code == "bad_csv"


def test_a_table_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv' cannot be read") as caught:
        list(CsvSource(folder / "gone.csv").items())

    assert caught.value.code == "no_table"
