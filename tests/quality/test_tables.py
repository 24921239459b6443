from collections.abc import Callable
from typing import Any

import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.quality.rules import RULES
from cv_pipelines.quality.validation import check_asset

Pieces = dict[str, Any]
Publish = Callable[[Pieces], Catalog]


def failing(catalog: Catalog, asset: str) -> set[str]:
    return {result.name for result in check_asset(catalog, asset, "pets") if not result.passed}


@pytest.mark.parametrize("asset", RULES)
def test_an_asset_that_was_never_made_cannot_be_checked(catalog: Catalog, asset: str) -> None:
    with pytest.raises(InputError, match=f"'pets' has no {asset} yet") as caught:
        check_asset(catalog, asset, "pets")
    assert caught.value.code == "not_materialized"


def test_a_data_set_without_any_label_lacks_classes_and_nothing_else(publish: Publish, pieces: Pieces) -> None:
    pieces.update(labels=[], classes=[])
    assert failing(publish(pieces), "labels") == {"two_classes"}


def test_a_class_of_a_fixed_label_set_without_images_is_missed_everywhere(
    publish: Publish, pieces: Pieces
) -> None:
    pieces["classes"].append("emu")
    catalog = publish(pieces)
    assert failing(catalog, "labels") == {"images_per_class", "enough_images_per_class", "class_balance"}
    (missing,) = [r for r in check_asset(catalog, "dataset_splits", "pets") if not r.passed]
    assert missing.rows == [{"label": "emu", "split": split} for split in ("train", "validation", "test")]


def test_images_that_are_gone_neither_fill_a_split_nor_count_as_left_out(publish: Publish, pieces: Pieces) -> None:
    for row in pieces["assignments"][:9]:
        row["present"] = False
    pieces["assignments"].append({"image_id": "gone", "split": None, "reason": "", "present": False})
    pieces["near_duplicates"].append({"image_id": "i03", "other_id": "i70", "distance": 1})
    (found,) = [r for r in check_asset(publish(pieces), "dataset_splits", "pets") if not r.passed]
    assert [row["split"] for row in found.rows] == ["test"] * 3


def test_a_data_set_without_near_duplicates_shares_nothing(publish: Publish, pieces: Pieces) -> None:
    pieces["near_duplicates"] = []
    assert failing(publish(pieces), "dataset_splits") == set()


def test_detections_of_nothing_pass(publish: Publish, pieces: Pieces) -> None:
    pieces["detections"].update(detections=0, detections_on_unlabelled_images=0)
    assert failing(publish(pieces), "detection_evaluation") == set()


def test_a_class_without_objects_need_not_be_detected(publish: Publish, pieces: Pieces) -> None:
    pieces["detections"]["per_class"]["owl"].update(objects=0, detections=0)
    assert failing(publish(pieces), "detection_evaluation") == set()


def test_exactly_what_a_limit_allows_passes(publish: Publish, pieces: Pieces) -> None:
    pieces["images"][0]["width"] = 8
    pieces["files"].update(files=100, quarantined=5)
    pieces["counts"].update(cat=400, dog=20, owl=20)
    pieces["evaluation"]["calibration"] = {"error": 0.1, "bins": []}
    pieces["drift"].update(images=50, indices={"brightness": 0.2})
    catalog = publish(pieces)
    assert [failing(catalog, asset) for asset in RULES] == [set()] * len(RULES)


def test_a_folder_without_files_has_no_quarantined_share(publish: Publish, pieces: Pieces) -> None:
    pieces.update(images=[], near_duplicates=[], files={"files": 0, "images": 0, "quarantined": 0})
    assert failing(publish(pieces), "image_manifest") == {"not_empty"}


def test_drift_of_too_few_images_is_not_judged(publish: Publish, pieces: Pieces) -> None:
    pieces["drift"].update(images=49, indices={"brightness": 9.0})
    assert failing(publish(pieces), "prediction_drift") == set()


def test_an_image_that_was_predicted_twice_is_not_made_up_for_by_one_left_out(
    publish: Publish, pieces: Pieces
) -> None:
    pieces["predictions"][0] = pieces["predictions"][1]
    assert failing(publish(pieces), "predictions") == {"one_prediction_per_image"}


def test_predictions_of_other_images_do_not_count(publish: Publish, pieces: Pieces) -> None:
    pieces["predictions"][0] = {"image_id": "an image of yesterday"}
    assert failing(publish(pieces), "predictions") == {"one_prediction_per_image"}


@pytest.mark.parametrize(("asset", "rule"), [("model_evaluation", "calibrated"), ("prediction_drift", "no_drift")])
def test_a_figure_that_is_no_number_does_not_pass(publish: Publish, pieces: Pieces, asset: str, rule: str) -> None:
    pieces["evaluation"]["calibration"] = {"error": float("nan"), "bins": []}
    pieces["drift"]["indices"] = {"brightness": float("nan")}
    assert failing(publish(pieces), asset) == {rule}
