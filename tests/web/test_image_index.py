"""Images of a manifest by row, by id and by name."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.web.image_index import first_of
from tests.web.indexes import index_of

ID = st.text("0123456789abcdef", min_size=1, max_size=3)
IDS = st.lists(ID, unique=True).map(sorted)


@given(IDS, st.lists(ID))
def test_images_are_found_by_their_ids(ids: list[str], wanted: list[str]) -> None:
    index = index_of(ids)

    assert index.rows_of(wanted).tolist() == [ids.index(one) if one in ids else -1 for one in wanted]
    assert index.ids_at(np.arange(len(ids))) == ids
    assert [index.place_of(one) for one in wanted] == [sum(other < one for other in ids) for one in wanted]


@given(st.lists(st.text(max_size=5)))
def test_rows_are_ordered_by_name(names: list[str]) -> None:
    index = index_of([f"{n:04x}" for n in range(len(names))], names)

    assert index.names_at(index.by_name) == sorted(names, key=str.encode)


@given(st.lists(st.none() | st.lists(st.text(max_size=2), max_size=2)), st.integers(0, 3))
def test_the_name_of_an_image_is_that_of_its_first_file(sources: list[list[str] | None], skipped: int) -> None:
    lists = pa.array([["x"]] * skipped + sources, pa.list_(pa.string()))[skipped:]

    assert first_of(lists).to_pylist() == [one[0] if one else "" for one in sources]
