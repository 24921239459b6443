from collections.abc import Callable
from itertools import count
from typing import Any

import pyarrow as pa
import pytest

from cv_pipelines.annotations.labels import LABELS, make_labels
from cv_pipelines.annotations.store.classes import add_class, ensure_classes, rename_class, retire_class
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.storage.bundles import Reference, put_bundle, put_table

Labelled = dict[str, str | None]


@pytest.fixture
def manifest(catalog: Catalog) -> Callable[[Labelled], Reference]:
    """A manifest of images with the labels that their source gives them."""

    def make(images: Labelled) -> Reference:
        schema = pa.schema([("image_id", pa.string()), ("source_label", pa.string())])
        rows = [{"image_id": one, "source_label": images[one]} for one in sorted(images)]
        parts = {"images": put_table(catalog.store, pa.Table.from_pylist(rows, schema))}
        return put_bundle(catalog.store, "image_manifest", str(hash(tuple(images.items()))), {}, parts)

    return make


def rows_of(outcome: Outcome) -> list[dict[str, Any]]:
    table = outcome.bundle.table("labels")
    assert table.schema.equals(LABELS)
    return table.to_pylist()


def test_labels_are_those_of_the_source(catalog: Catalog, manifest: Callable[[Labelled], Reference]) -> None:
    outcome = make_labels(catalog, "d", manifest({"a": "größe", "b": None, "c": "cat", "d": "cat"}))

    assert rows_of(outcome) == [
        {"image_id": "a", "label": "größe"},
        {"image_id": "c", "label": "cat"},
        {"image_id": "d", "label": "cat"},
    ]
    facts = outcome.bundle.facts
    assert facts["classes"] == ["cat", "größe"]
    assert facts["counts"] == {"cat": 2, "größe": 1}
    assert (facts["unlabelled"], facts["several"], facts["absent"]) == (1, 0, 0)


def test_a_fixed_vocabulary_keeps_its_order_and_its_empty_classes(
    catalog: Catalog, manifest: Callable[[Labelled], Reference]
) -> None:
    facts = make_labels(catalog, "d", manifest({"a": "cat", "b": "dog"}), ("dog", "wolf", "cat")).bundle.facts

    assert facts["classes"] == ["dog", "wolf", "cat"]
    assert facts["counts"] == {"dog": 1, "wolf": 0, "cat": 1}


def test_a_label_outside_the_vocabulary_is_kept_and_counted_for_the_check_to_see(
    catalog: Catalog, manifest: Callable[[Labelled], Reference]
) -> None:
    outcome = make_labels(catalog, "d", manifest({"a": "cat", "b": "cta", "c": "dog"}), ("dog", "cat"))

    assert outcome.bundle.facts["classes"] == ["dog", "cat"]
    assert outcome.bundle.facts["counts"] == {"dog": 1, "cat": 1, "cta": 1}
    assert [row["label"] for row in rows_of(outcome)] == ["cat", "cta", "dog"]


def test_the_version_follows_from_rows_and_classes_alone(
    catalog: Catalog, manifest: Callable[[Labelled], Reference]
) -> None:
    names = (f"d{number}" for number in count())

    def version(images: Labelled, *classes: str) -> str:
        return make_labels(catalog, next(names), manifest(images), classes).reference.version

    usual = version({"a": "cat", "b": "dog"})

    assert version({"a": "cat", "b": "dog", "c": None}) == usual
    assert version({"a": "cat", "b": "dog"}, "cat", "dog") == usual
    assert version({"a": "cat", "b": "dog"}, "dog", "cat") != usual
    assert version({"a": "dog", "b": "cat"}) != usual
    assert version({"a": "cat", "c": "dog"}) != usual


def test_a_class_that_was_renamed_keeps_what_the_source_calls_by_its_old_name(
    catalog: Catalog, manifest: Callable[[Labelled], Reference]
) -> None:
    make_labels(catalog, "d", manifest({"a": "cat", "b": "dog"}))
    with writing(catalog.database, "d") as connection:
        rename_class(connection, "d", "cat", "tabby", "ann")

    outcome = make_labels(catalog, "d", manifest({"a": "cat", "b": "dog", "c": "cat"}))

    assert outcome.bundle.facts["counts"] == {"tabby": 2, "dog": 1}
    with writing(catalog.database, "d") as connection:
        add_class(connection, "d", "cat", "ann")
    assert make_labels(catalog, "d", manifest({"a": "cat", "c": "cat"})).bundle.facts["counts"]["cat"] == 2


def test_what_a_person_has_said_stands_when_the_source_changes(
    catalog: Catalog, manifest: Callable[[Labelled], Reference]
) -> None:
    make_labels(catalog, "d", manifest({"a": "cat", "b": "dog", "c": "dog"}))
    with writing(catalog.database, "d") as connection:
        append(connection, "d", [Change("a", '{"classes":[1]}', seen=1)], Author("ann"))
        append(connection, "d", [Change("b", None, seen=1)], Author("ann"))

    facts = make_labels(catalog, "d", manifest({"a": "cow", "b": "cow", "c": "cow", "d": "cow"})).bundle.facts

    assert facts["counts"] == {"cat": 0, "dog": 1, "cow": 2}
    assert (facts["unlabelled"], facts["origins"]) == (1, {"import": 2, "person": 1})
    again = make_labels(catalog, "d", manifest({"a": None, "c": None})).bundle.facts
    assert (again["counts"], again["absent"]) == ({"cat": 0, "dog": 1, "cow": 0}, 1), "one is not there any more"


def test_labels_of_a_retired_class_count_for_nothing_until_it_is_back(
    catalog: Catalog, manifest: Callable[[Labelled], Reference]
) -> None:
    images = manifest({"a": "cat", "b": "dog"})
    usual = make_labels(catalog, "d", images)
    with writing(catalog.database, "d") as connection:
        retire_class(connection, "d", "cat", "ann")
    without = make_labels(catalog, "d", images)
    with writing(catalog.database, "d") as connection:
        add_class(connection, "d", "cat", "ann")

    assert rows_of(without) == [{"image_id": "b", "label": "dog"}]
    assert (without.bundle.facts["classes"], without.bundle.facts["unlabelled"]) == (["dog"], 1)
    assert make_labels(catalog, "d", images).reference == usual.reference


def test_boxes_and_several_classes_are_kept_and_counted(
    catalog: Catalog, manifest: Callable[[Labelled], Reference]
) -> None:
    images = manifest({"a": None, "b": None, "c": None})
    boxes = '{"boxes":[[0,1.0,2.0,3.0,4.0],[0,0.0,0.0,1.0,1.0]],"classes":[1]}'
    with writing(catalog.database, "d") as connection:
        ensure_classes(connection, "d", [("cat", "", {}), ("dog", "", {})], "ann")
        changes = [Change("a", boxes), Change("b", '{"classes":[0,1]}'), Change("c", "{}"), Change("x", boxes)]
        append(connection, "d", changes, Author("ann"))

    bundle = make_labels(catalog, "d", images).bundle

    assert bundle.facts["counts"] == {"cat": 2, "dog": 2}
    assert bundle.facts["objects"] == {"cat": 2}
    assert (bundle.facts["unlabelled"], bundle.facts["several"], bundle.facts["absent"]) == (0, 1, 1)
    assert bundle.table("labels").to_pylist() == [{"image_id": "a", "label": "dog"}]


def test_the_same_manifest_is_labelled_once(catalog: Catalog, manifest: Callable[[Labelled], Reference]) -> None:
    reference = manifest({"a": "cat"})
    first = make_labels(catalog, "d", reference)
    again = make_labels(catalog, "d", reference)
    other = make_labels(catalog, "d", reference, ("cat", "dog"))

    assert (first.reused, again.reused, other.reused) == (False, True, False)
    assert again.reference == first.reference


@pytest.mark.parametrize("images", [{}, {"a": None, "b": None}])
def test_a_source_without_labels_gives_an_empty_table(
    catalog: Catalog, manifest: Callable[[Labelled], Reference], images: Labelled
) -> None:
    outcome = make_labels(catalog, "d", manifest(images))

    assert rows_of(outcome) == []
    facts = outcome.bundle.facts
    assert (facts["classes"], facts["counts"], facts["unlabelled"]) == ([], {}, len(images))
