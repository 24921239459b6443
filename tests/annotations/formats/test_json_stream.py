"""JSON piece by piece is the JSON that the standard library reads."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cv_pipelines.annotations.formats import json_stream
from cv_pipelines.annotations.formats.json_stream import walk
from cv_pipelines.errors import InputError

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES, lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(max_size=4), v, max_size=4)
)


def whole(path: Path) -> Any:
    """The object of a file put together again, its lists element by element."""
    found: dict[str, Any] = {}
    for key, place, value in walk(path):
        if place < 0:
            found[key] = value
        elif place == 0:
            found[key] = [value]
        else:
            found[key].append(value)
    return found


@pytest.mark.parametrize("piece", [1, 7, 4096])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.dictionaries(st.text(min_size=1, max_size=4), VALUES, max_size=5),
    indent=st.sampled_from([None, 0, 3]),
)
def test_an_object(content: dict[str, Any], indent: int | None, piece: int, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content, indent=indent))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "_PIECE", piece)
        found = whole(path)
    assert found == {key: None if value == [] else value for key, value in content.items()}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.lists(VALUES, max_size=5), cut=st.integers(1, 10))
def test_a_list_and_what_is_left_of_it_when_cut(content: list[Any], cut: int, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    text = json.dumps(content, ensure_ascii=False)
    path.write_text(text)
    assert [value for _, place, value in walk(path) if place >= 0] == content

    path.write_text(text[: -min(cut, len(text))])
    with pytest.raises(InputError, match="near line"):
        list(walk(path))


@pytest.mark.parametrize(
    "text", ["{}x", "[1 2]", '{"a" 1}', '{"a": 1 "b": 2}', "{1: 2}", "[1,]", "5", '{"a": [1}', "[NaN, 01]"]
)
def test_broken(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError):
        list(walk(tmp_path / "a.json"))


def test_one_value_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_MOST", 1000)
    monkeypatch.setattr(json_stream, "_PIECE", 100)
    (tmp_path / "a.json").write_text(json.dumps(["x" * 500, "x" * 50_000]))
    members = walk(tmp_path / "a.json")

    assert [next(members)[1] for _ in range(2)] == [-1, 0]
    with pytest.raises(InputError, match="longer than"):
        next(members)


def test_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(InputError, match="UTF-8"):
        list(walk(tmp_path / "a.json"))
