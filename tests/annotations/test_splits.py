from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pytest

from cv_pipelines.annotations.splits import ASSIGNMENTS, SPLITS, SplitParameters, make_splits
from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.storage.bundles import Reference, put_bundle, put_table

Rows = Sequence[tuple[str, str | None, str | None]]
Made = tuple[Reference, Reference]


@pytest.fixture
def made(catalog: Catalog) -> Callable[..., Made]:
    """`made(rows, pairs)`: the manifest and labels of images (id, label, the source's split)."""

    def make(rows: Rows, pairs: Sequence[tuple[str, str]] = ()) -> Made:
        rows = sorted(rows)
        version = str(hash((tuple(rows), tuple(pairs))))
        images = pa.table(
            {
                "image_id": pa.array([row[0] for row in rows]),
                "source_split": pa.array([row[2] for row in rows], pa.string()),
            }
        )
        near = pa.table([[one for one, _ in pairs], [other for _, other in pairs]], ["image_id", "other_id"])
        labelled = [(row[0], row[1]) for row in rows if row[1]]
        labels = pa.table([[one for one, _ in labelled], [label for _, label in labelled]], ["image_id", "label"])
        parts = {"images": put_table(catalog.store, images), "near_duplicates": put_table(catalog.store, near)}
        manifest = put_bundle(catalog.store, "image_manifest", version, {}, parts)
        return manifest, put_bundle(
            catalog.store, "labels", version, {}, {"labels": put_table(catalog.store, labels)}
        )

    return make


def split(
    catalog: Catalog, made: Made, previous: Outcome | None = None, parameters: SplitParameters | None = None
) -> Outcome:
    before = previous.reference if previous else None
    return make_splits(catalog, *made, before, parameters or SplitParameters())


def rows_of(outcome: Outcome) -> dict[str, dict[str, Any]]:
    table = outcome.bundle.table("assignments")
    assert table.schema.equals(ASSIGNMENTS)
    assert table["image_id"].to_pylist() == sorted(table["image_id"].to_pylist())
    return {row["image_id"]: row for row in table.to_pylist()}


def splits_of(outcome: Outcome) -> dict[str, str | None]:
    return {image: row["split"] for image, row in rows_of(outcome).items()}


def source(train: int = 0, validation: int = 0, test: int = 0, free: int = 0) -> Rows:
    sizes = {"train": train, "validation": validation, "test": test, None: free}
    return [
        (f"{name}{n:03}", "cat" if n % 2 else "dog", name) for name, size in sizes.items() for n in range(size)
    ]


def where(outcome: Outcome, start: str) -> Counter[str | None]:
    return Counter(name for image, name in splits_of(outcome).items() if image.startswith(start))


def test_without_a_split_of_the_source_each_class_is_shared_out(
    catalog: Catalog, made: Callable[..., Made]
) -> None:
    outcome = split(catalog, made(source(free=40)))

    assert where(outcome, "None") == {"train": 28, "validation": 6, "test": 6}
    assert outcome.bundle.facts == {"counts": {"train": 28, "validation": 6, "test": 6}, "left_out": 0}


@pytest.mark.parametrize("held_out", ["validation", "test"])
def test_with_one_held_out_split_that_one_is_the_test_and_training_gives_the_validation(
    catalog: Catalog, made: Callable[..., Made], held_out: str
) -> None:
    outcome = split(catalog, made(source(train=40, **{held_out: 9})))

    assert where(outcome, held_out) == {"test": 9}
    assert set(where(outcome, "train")) == {"train", "validation"}
    assert where(outcome, "train")["validation"] == pytest.approx(40 * 0.15 / 0.85, abs=2)


def test_with_all_three_the_sources_split_stands(catalog: Catalog, made: Callable[..., Made]) -> None:
    outcome = split(catalog, made(source(train=5, validation=7, test=3, free=2)))

    for name, size in (("train", 5), ("validation", 7), ("test", 3)):
        assert where(outcome, name) == {name: size}
    assert where(outcome, "None") == {"train": 2}


def test_a_training_folder_alone_is_shared_out(catalog: Catalog, made: Callable[..., Made]) -> None:
    assert where(split(catalog, made(source(train=40))), "train") == {"train": 28, "validation": 6, "test": 6}


def test_only_labelled_images_are_assigned(catalog: Catalog, made: Callable[..., Made]) -> None:
    outcome = split(catalog, made([("a", "cat", None), ("b", None, None)]))

    assert list(rows_of(outcome)) == ["a"]


def test_what_the_previous_version_says_stands(catalog: Catalog, made: Callable[..., Made]) -> None:
    rows = source(free=30)
    first = split(catalog, made(rows))
    relabelled = [(image, "wolf", None) for image, _, _ in rows]
    other = SplitParameters(seed=7, validation=0.3, test=0.3)

    second = split(catalog, made([*relabelled, *source(train=10)]), first, other)

    before, after = splits_of(first), splits_of(second)
    assert {image: after[image] for image in before} == before
    assert len(after) == 40


def test_an_image_that_went_away_keeps_its_split_and_finds_it_again(
    catalog: Catalog, made: Callable[..., Made]
) -> None:
    rows = source(free=20)
    first = split(catalog, made(rows))
    gone = [image for image, _, _ in rows[:10]]

    second = split(catalog, made(rows[10:]), first)
    third = split(catalog, made(rows), second)

    assert splits_of(second) == splits_of(first) == splits_of(third)
    assert [image for image, row in rows_of(second).items() if not row["present"]] == gone
    assert sum(second.bundle.facts["counts"].values()) == 10
    assert third.reference.version == first.reference.version != second.reference.version


def test_the_same_question_is_answered_once_and_again_with_the_same_version(
    catalog: Catalog, made: Callable[..., Made]
) -> None:
    asked = made(source(free=12))
    first = split(catalog, asked)

    assert split(catalog, asked).reused is True
    continued = split(catalog, asked, first)
    assert continued.reused is False
    assert continued.reference.version == first.reference.version
    assert split(catalog, asked, parameters=SplitParameters(seed=1)).reference.version != first.reference.version


def test_near_duplicates_of_the_manifest_stay_together(catalog: Catalog, made: Callable[..., Made]) -> None:
    rows = source(free=40)
    pairs = [(f"None{n:03}", f"None{n + 20:03}") for n in range(20)]

    found = splits_of(split(catalog, made(rows, pairs)))

    assert all(found[one] == found[other] for one, other in pairs)
    assert set(found.values()) == set(SPLITS)


def test_an_image_between_two_splits_is_left_out_and_tried_again(
    catalog: Catalog, made: Callable[..., Made]
) -> None:
    rows = [("a", "cat", "train"), ("b", "cat", "test"), ("v", "cat", "validation")]
    first = split(catalog, made(rows))
    between = [*rows, ("c", "cat", "train")]

    second = split(catalog, made(between, [("a", "c"), ("b", "c")]), first)
    third = split(catalog, made(between, [("a", "c")]), second)

    assert rows_of(second)["c"] == {
        "image_id": "c",
        "split": None,
        "reason": "shows the same as images in test and train",
        "present": True,
    }
    assert second.bundle.facts == {"counts": {"train": 1, "validation": 1, "test": 1}, "left_out": 1}
    assert rows_of(third)["c"]["split"] == "train"
