from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from cv_pipelines.annotations.labels import LABELS
from cv_pipelines.annotations.splits import ASSIGNMENTS
from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.models.dataset import LabelledImages, labelled_images
from cv_pipelines.storage.bundles import put_bundle, put_table

IMAGES = {"i3": ("owl", "train"), "i1": ("cat", "train"), "i2": ("cat", "test"), "i4": ("owl", "validation")}
Join = Callable[..., LabelledImages]


@pytest.fixture
def join(catalog: Catalog) -> Join:
    """Labels and splits of four images and one that is labelled no more, joined."""

    def run(
        changes: dict[str, tuple[str, str | None]] | None = None,
        wanted: tuple[str, ...] = ("train", "validation"),
        classes: tuple[str, ...] = ("cat", "owl"),
        gone: str = "i9",
    ) -> LabelledImages:
        images = IMAGES | (changes or {})
        labels = [{"image_id": image, "label": label} for image, (label, _) in images.items() if image != gone]
        rows = [(image, split, image != gone) for image, (_, split) in images.items()] + [("i9", "train", False)]
        assigned = [
            {"image_id": i, "split": split, "reason": "", "present": present} for i, split, present in rows
        ]
        parts = {"labels": put_table(catalog.store, pa.Table.from_pylist(labels, LABELS))}
        given = put_bundle(catalog.store, "labels", "l", {"classes": list(classes)}, parts)
        parts = {"assignments": put_table(catalog.store, pa.Table.from_pylist(assigned, ASSIGNMENTS))}
        return labelled_images(catalog, given, put_bundle(catalog.store, "splits", "s", {}, parts), wanted)

    return run


def test_images_come_in_the_order_of_their_ids_with_label_and_split(join: Join) -> None:
    found = join()
    assert found.image_ids == ["i1", "i3", "i4"]
    assert found.targets.tolist() == [0, 1, 1]
    assert found.targets.dtype == np.int64
    assert found.splits.tolist() == ["train", "train", "validation"]
    assert found.labels() == ["cat", "owl", "owl"]


def test_indices_follow_the_label_set_and_not_the_alphabet(join: Join) -> None:
    assert join(classes=("owl", "cat", "emu")).targets.tolist() == [1, 0, 0]


def test_one_split_can_be_taken_out(join: Join) -> None:
    found = join().split("train")
    assert (found.image_ids, found.labels(), found.splits.tolist()) == (
        ["i1", "i3"],
        ["cat", "owl"],
        ["train"] * 2,
    )
    assert found.version != join().split("validation").version


def test_an_image_that_is_labelled_no_more_is_left_out(join: Join) -> None:
    assert join(gone="i3").image_ids == ["i1", "i4"]


def test_an_image_left_out_of_all_splits_is_not_learned_from(join: Join) -> None:
    assert join({"i5": ("cat", None)}).image_ids == ["i1", "i3", "i4"]


def test_the_version_is_that_of_images_labels_splits_and_classes(join: Join) -> None:
    version = join().version
    assert join().version == version
    others = [
        join({"i1": ("owl", "train")}),
        join({"i1": ("cat", "validation")}),
        join({"i5": ("cat", "train")}),
        join(classes=("owl", "cat")),
        join(gone="i3"),
    ]
    assert len({version, *(other.version for other in others)}) == 6


def test_what_happens_in_another_split_does_not_change_the_version(join: Join) -> None:
    assert join({"i2": ("owl", "test"), "i6": ("cat", "test")}).version == join().version


def test_a_label_outside_the_label_set_is_named(join: Join) -> None:
    with pytest.raises(InputError, match="not in the label set: emu") as caught:
        join({"i1": ("emu", "train")})
    assert caught.value.code == "unknown_label"


@pytest.mark.parametrize("split", ["validation", "test"])
def test_an_empty_split_is_named(join: Join, split: str) -> None:
    everything = {image: (label, "train") for image, (label, _) in IMAGES.items()}
    with pytest.raises(InputError, match=f"The {split} split has no images") as caught:
        join(everything, wanted=("train", split))
    assert caught.value.code == "empty_split"
