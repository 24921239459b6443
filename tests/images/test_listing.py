from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.errors import InputError
from cv_pipelines.images.listing import listed_items, listing_hash, read_listing
from cv_pipelines.images.manifest import LISTING
from cv_pipelines.images.sources.protocol import SourceItem

ITEM = SourceItem("a.png", "/data/a.png", "cat", "train", "site", "3:4", "")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SPLITS = st.sampled_from([None, "train", "test"])
ITEMS = st.builds(SourceItem, TEXT, TEXT, st.none() | TEXT, SPLITS, TEXT, TEXT, TEXT)


@dataclass(frozen=True)
class Listed:
    """A source that holds what it is told to, and says that it is gone in the end where it is told so."""

    found: list[SourceItem]
    gone: bool = False
    threads: int = 1

    def items(self) -> Iterator[SourceItem]:
        yield from self.found
        if self.gone:
            raise InputError("no_folder", "There is no folder any more.")

    def read(self, item: SourceItem) -> bytes:
        raise NotImplementedError


def changed(**fields: Any) -> SourceItem:
    return ITEM._replace(**fields)


def hash_of(*items: SourceItem) -> str:
    return listing_hash(read_listing(Listed(list(items))))


@given(st.lists(ITEMS, max_size=8))
def test_a_listing_gives_back_what_the_source_has_listed_by_path(items: list[SourceItem]) -> None:
    listing = read_listing(Listed(items))

    assert listing.schema.equals(LISTING)
    kept = [item._replace(size=None) for item in items]
    assert list(listed_items(listing)) == sorted(kept, key=lambda item: item.path.encode())


def test_a_listing_of_many_files_is_read_in_parts_and_tells_how_far_it_is() -> None:
    items = [ITEM._replace(path=f"{number:05}.png") for number in range(25_000)]
    told: list[tuple[str, int, int | None]] = []

    listing = read_listing(Listed(items[::-1]), lambda *step: told.append(step))

    assert list(listed_items(listing)) == items
    assert told == [("listing files", done, None) for done in (10_000, 20_000, 25_000)]


def test_a_source_that_is_gone_is_an_error_and_not_a_short_listing() -> None:
    with pytest.raises(InputError, match="There is no folder any more"):
        read_listing(Listed([ITEM], gone=True))


@pytest.mark.parametrize("field", ["path", "label", "split", "group", "stamp", "problem"])
def test_the_hash_of_a_listing_changes_with_whatever_a_row_says(field: str) -> None:
    assert hash_of(changed(**{field: "other"})) != hash_of(ITEM)


@pytest.mark.parametrize("field", ["label", "split"])
def test_to_have_no_class_or_split_is_something_else_than_an_empty_one(field: str) -> None:
    assert hash_of(changed(**{field: None})) != hash_of(changed(**{field: ""}))


def test_the_hash_of_a_listing_changes_when_a_file_comes_or_goes() -> None:
    assert len({hash_of(*[ITEM] * count) for count in range(3)}) == 3


def test_the_hash_of_a_listing_does_not_depend_on_where_the_folder_lies_or_which_file_comes_first() -> None:
    other = ITEM._replace(path="b.png")

    assert hash_of(ITEM._replace(location="/elsewhere/a.png")) == hash_of(ITEM)
    assert hash_of(ITEM, other) == hash_of(other, ITEM)
