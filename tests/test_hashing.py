import hashlib
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cv_pipelines.hashing import hash_files, hash_rows, hash_values

SCHEMA = pa.schema(
    [("name", pa.string()), ("parts", pa.list_(pa.string())), ("size", pa.int64()), ("share", pa.float32())]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
ROWS = st.fixed_dictionaries(
    {
        "name": st.none() | TEXTS,
        "parts": st.lists(TEXTS, max_size=3),
        "size": st.none() | st.integers(-(2**63), 2**63 - 1),
        "share": st.none() | st.floats(0, 1, width=32),
    }
)


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, SCHEMA)


def written(rows: list[dict[str, Any]]) -> list[list[str]]:
    """What tells rows apart: as text, because 0.0 equals -0.0."""
    return [[repr(row[name]) for name in SCHEMA.names] for row in rows]


def one(value: Any, kind: pa.DataType) -> pa.Table:
    return pa.table({"value": pa.array([value], kind)})


@given(st.lists(ROWS, max_size=12), st.integers(1, 5), st.integers(1, 4))
def test_the_layout_in_arrow_and_parquet_does_not_change_the_hash(
    rows: list[dict[str, Any]], chunk: int, row_group: int
) -> None:
    table = table_of(rows)
    in_chunks = pa.concat_tables([table_of(rows[at : at + chunk]) for at in range(0, len(rows), chunk)] or [table])
    padded = table_of([*rows[:1], *rows, *rows[:1]]).slice(min(1, len(rows)), len(rows))
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=row_group, use_dictionary=False)

    expected = hash_rows(table)

    assert hash_rows(in_chunks) == expected
    assert hash_rows(padded) == expected
    assert hash_rows(pq.read_table(file)) == expected


@given(st.lists(ROWS, max_size=4), st.lists(ROWS, max_size=4))
def test_other_rows_give_another_hash(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
    assume(written(first) != written(second))

    assert hash_rows(table_of(first)) != hash_rows(table_of(second))


@given(st.lists(ROWS, min_size=1, max_size=8), st.data())
def test_any_changed_value_changes_the_hash(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(rows) - 1))
    changed = [dict(row) for row in rows]
    column = data.draw(st.sampled_from(SCHEMA.names))
    changed[place][column] = data.draw(ROWS)[column]
    assume(written(changed) != written(rows))

    assert hash_rows(table_of(changed)) != hash_rows(table_of(rows))


@given(st.lists(TEXTS, max_size=4), st.lists(TEXTS, max_size=4))
@example(["a\x1fb", "c"], ["a", "b\x1fc"])
@example(["", ""], [""])
@example([""], [])
def test_lists_whose_text_looks_alike_hash_otherwise(first: list[str], second: list[str]) -> None:
    assume(first != second)
    kind = pa.list_(pa.string())

    assert hash_rows(one(first, kind)) != hash_rows(one(second, kind))


@pytest.mark.parametrize("text", ["", "\x00", "null", "None"])
def test_no_value_is_not_a_value(text: str) -> None:
    assert hash_rows(one(None, pa.string())) != hash_rows(one(text, pa.string()))


def test_text_cannot_move_from_one_cell_to_the_next() -> None:
    first = pa.table({"a": ["xy", "z"], "b": ["", "w"]})

    assert hash_rows(first) != hash_rows(pa.table({"a": ["x", "yz"], "b": ["", "w"]}))
    assert hash_rows(first) != hash_rows(pa.table({"a": ["xy", ""], "b": ["z", "w"]}))


def test_names_and_order_of_columns_and_rows_count() -> None:
    table = pa.table({"a": ["1", "2"], "b": ["3", "4"]})
    others = [
        table.rename_columns(["a", "c"]),
        table.select(["b", "a"]),
        table.take([1, 0]),
        table.slice(0, 1),
        table.slice(0, 0),
    ]

    assert len({hash_rows(one) for one in [table, *others]}) == 6


def test_a_change_far_down_a_long_table_changes_the_hash() -> None:
    names = [f"image {number}" for number in range(140_000)]
    table = pa.table({"name": names})
    pieces = pa.chunked_array([names[:70_001], names[70_001:]])
    assert hash_rows(pa.table({"name": pieces})) == hash_rows(table)

    names[139_999] = "another"

    assert hash_rows(pa.table({"name": names})) != hash_rows(table)


def test_the_order_of_keys_does_not_matter_and_values_do() -> None:
    values = {"seed": 1, "shares": {"train": 0.7, "test": 0.3}}

    assert hash_values({"shares": {"test": 0.3, "train": 0.7}, "seed": 1}) == hash_values(values)
    assert hash_values({"seed": 2, "shares": {"train": 0.7, "test": 0.3}}) != hash_values(values)
    assert hash_values({"seed": "1", "shares": {"train": 0.7, "test": 0.3}}) != hash_values(values)


def test_the_hash_of_values_is_that_of_their_shortest_json() -> None:
    # artefacts are found again by these hashes: a change here makes everybody work anew
    text = '{"n":1,"name":"größe"}'

    assert hash_values({"name": "größe", "n": 1}) == hashlib.sha256(text.encode()).hexdigest()


def test_files_hash_by_content(tmp_path: Path) -> None:
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text("one = 1\n")
    second.write_text("two = 2\n")
    before = hash_files([first, second])

    assert hash_files([first, second]) == before
    second.write_text("two = 3\n")
    assert hash_files([first, second]) != before
