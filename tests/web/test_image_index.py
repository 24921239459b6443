"""Pages of images: each image on exactly one, in order, forwards and back."""

from typing import Any, cast

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.images.stored import StoredImages
from cv_pipelines.web.image_index import ImageIndex

IDS = st.lists(st.text("0123456789abcdef", min_size=1, max_size=3), unique=True).map(sorted)


def index_of(ids: list[str]) -> ImageIndex:
    names = pa.array([[f"{one}.png"] for one in ids], pa.list_(pa.string()))
    return ImageIndex(StoredImages(cast(Any, None), pa.array(ids, pa.string()), names), names)


@given(IDS, st.integers(1, 7))
def test_pages_forwards_hold_every_image_once(ids: list[str], most: int) -> None:
    index, found, after = index_of(ids), [], ""
    while (page := index.after(after, most)).images:
        assert (page.start, page.total) == (len(found), len(ids))
        assert index.after(page.previous, most) == page
        found += [one.image_id for one in page.images]
        assert page.end == len(found)
        after = found[-1]

    assert found == ids


@given(IDS, st.integers(1, 7), st.text("0123456789abcdef", min_size=1, max_size=3))
def test_the_page_before_an_id_ends_right_there_or_is_the_first(ids: list[str], most: int, before: str) -> None:
    page = index_of(ids).before(before, most)
    earlier = [one for one in ids if one < before]

    shown = [one.image_id for one in page.images]
    assert shown == (earlier[-most:] if len(earlier) >= most else ids[:most])
    assert [one.name for one in page.images] == [f"{one}.png" for one in shown]
