from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.images.ingest import Tables, tabulate
from cv_pipelines.images.manifest import IMAGES, QUARANTINE, manifest_version

FACTS = {"width": 4, "height": 3, "channels": 3, "orientation": 1, "bytes": 9}
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["", "", "", "empty"]), st.sampled_from("abcd"), st.sampled_from([None, "cat", "dog"])
    ),
    max_size=12,
)


def row(path: str, image: str, label: str | None = None, code: str = "", **more: Any) -> dict[str, Any]:
    facts: dict[str, Any] = FACTS | {"image_id": image, "format": "PNG"} if not code else {}
    return {"path": path, "code": code, "reason": code and "bad", "source_label": label} | facts | more


def tables(*rows: dict[str, Any]) -> Tables:
    columns = ["path", "code", "reason", *IMAGES.names]
    return tabulate(pd.DataFrame(list(rows)).reindex(columns=columns).sort_values("path", ignore_index=True))


@given(ROWS)
def test_every_file_is_an_image_a_duplicate_or_quarantined(files: list[tuple[str, str, str | None]]) -> None:
    rows = [row(f"{at}.png", image, label, code) for at, (code, image, label) in enumerate(files)]

    found = tables(*rows)

    used = [path for paths in found.images["sources"].to_pylist() for path in paths]
    assert sorted(used + found.quarantine["path"].to_pylist()) == sorted(one["path"] for one in rows)
    good = [one for one in files if not one[0]]
    labels = {image: {label for _, other, label in good if other == image} - {None} for _, image, _ in good}
    assert found.images["image_id"].to_pylist() == sorted(one for one in labels if len(labels[one]) < 2)
    assert found.images.schema.equals(IMAGES)
    assert found.quarantine.schema.equals(QUARANTINE)


def test_the_same_image_in_two_classes_is_quarantined_with_all_its_copies() -> None:
    found = tables(
        row("cat/1", "x", "cat"), row("dog/1", "x", "dog"), row("dog/2", "x", "dog"), row("dog/3", "y", "dog")
    )

    assert found.images["image_id"].to_pylist() == ["y"]
    assert [(one["path"], one["code"]) for one in found.quarantine.to_pylist()] == [
        ("cat/1", "label_conflict"),
        ("dog/1", "label_conflict"),
        ("dog/2", "label_conflict"),
    ]
    assert "two classes" in found.quarantine["reason"][0].as_py()


def test_an_image_has_the_label_of_whichever_copy_has_one() -> None:
    found = tables(row("1.png", "x"), row("cat/1.png", "x", "cat"))

    assert found.images.select(["sources", "source_label"]).to_pylist() == [
        {"sources": ["1.png", "cat/1.png"], "source_label": "cat"}
    ]


def test_the_version_is_that_of_content_labels_splits_and_what_was_left_out() -> None:
    usual = [row("1.png", "x", "cat", source_split="train"), row("2.png", "", code="empty")]
    variants = [
        usual,
        [usual[0] | {"path": "other.png"}, usual[1]],
        [usual[0] | {"image_id": "y"}, usual[1]],
        [usual[0] | {"source_label": "dog"}, usual[1]],
        [usual[0] | {"source_label": None}, usual[1]],
        [usual[0] | {"source_split": "test"}, usual[1]],
        [usual[0] | {"source_group": "site"}, usual[1]],
        [usual[0], usual[1] | {"reason": "other"}],
        [usual[0]],
    ]

    versions = [manifest_version(found.images, found.quarantine) for found in (tables(*rows) for rows in variants)]

    assert len(set(versions)) == len(variants)
    assert all(len(version) == 16 for version in versions)


def test_the_version_does_not_depend_on_what_follows_from_the_bytes() -> None:
    first, second = (tables(row("1.png", "x", "cat", brightness=value)) for value in (0.1, 0.2))

    assert manifest_version(first.images, first.quarantine) == manifest_version(second.images, second.quarantine)
