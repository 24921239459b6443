import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.quality.rules import RULES
from cv_pipelines.quality.tables import TABLES
from cv_pipelines.quality.validation import check_asset

Pieces = dict[str, Any]
Publish = Callable[[Pieces], Catalog]
BLOCKING = {
    "image_manifest": {"schema", "not_empty", "unique_ids", "formats"},
    "labels": {
        "labels_in_vocabulary",
        "two_classes",
        "images_per_class",
        "boxes_have_area",
        "boxes_within_images",
        "boxes_distinct",
        "objects_in_vocabulary",
        "few_in_dispute",
    },
    "dataset_splits": {"one_split_per_image", "nothing_shared_between_splits", "every_class_in_every_split"},
    "model_evaluation": set(),
    "predictions": {"one_prediction_per_image"},
    "prediction_drift": set(),
    "detection_evaluation": set(),
    "video_catalog": {"has_frames", "has_size", "has_duration"},
    "camera_motion": {"few_invalid", "intervals_cover_video"},
    "motion_regions": {"regions_tile_video", "known_kinds"},
    "static_thumbnails": set(),
}


@dataclass(frozen=True)
class Case:
    """Something that breaks one rule: how, which rows must be named, and what else follows from it."""

    rule: str
    change: Callable[[Pieces], object]
    rows: list[dict[str, Any]]
    failing: int = 1
    also: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        return self.rule.split("/")[1]


def no_owl_in_the_test(pieces: Pieces) -> None:
    owls = {row["image_id"] for row in pieces["labels"] if row["label"] == "owl"}
    for row in pieces["assignments"]:
        if row["image_id"] in owls and row["split"] == "test":
            row["split"] = "train"


def only_cats(pieces: Pieces) -> None:
    pieces["labels"] = [row for row in pieces["labels"] if row["label"] == "cat"]
    pieces["classes"] = ["cat"]


def with_class(name: str, images: int) -> Callable[[Pieces], object]:
    """One more class, of so many images."""
    return lambda pieces: (pieces["classes"].append(name), pieces["counts"].update({name: images}))


def left_out(pieces: Pieces) -> None:
    for row in pieces["assignments"][-3:-1]:
        row |= {"split": None, "reason": "shows the same as images in test and train"}


def boxes(*held: list[Any]) -> Callable[[Pieces], object]:
    """Boxes on one image: number of the class, left, top, width, height."""
    return lambda pieces: pieces["objects"].update(i00=list(held))


def opinions(*held: tuple[str, str, int]) -> Callable[[Pieces], object]:
    """Who has said of which image which class."""
    return lambda pieces: pieces["opinions"].extend(held)


def wrong(problem: str, image: str = "i00.png") -> list[dict[str, Any]]:
    return [{"image": image, "problem": problem}]


BOW_TIE = {"outline": [[[0, 0], [9, 9], [9, 0], [0, 9]]]}
AGREED = [(who, f"i{number:02}", 0) for who in ("ann", "bob") for number in range(4)]

CASES = [
    Case("image_manifest/schema", lambda p: p.update(columns=p["columns"][:-1]), []),
    Case("image_manifest/not_empty", lambda p: p.update(images=[]), []),
    Case(
        "image_manifest/unique_ids",
        lambda p: p["images"].append(p["images"][4]),
        [{"image_id": "i04"}, {"image_id": "i04"}],
        failing=2,
    ),
    Case("image_manifest/formats", lambda p: p["images"][5].update(format="HEIF"), [{"image_id": "i05"}]),
    Case("image_manifest/dimensions", lambda p: p["images"][3].update(height=7), [{"image_id": "i03"}]),
    Case(
        "image_manifest/quarantine_share",
        lambda p: p["files"].update(files=100, quarantined=6),
        [{"files": 100, "quarantined": 6}],
    ),
    Case(
        "labels/labels_in_vocabulary",
        lambda p: p["labels"][0].update(label="emu"),
        [{"image_id": "i00", "label": "emu"}],
    ),
    Case(
        "labels/labels_of_known_images",
        lambda p: p["labels"].append({"image_id": "gone", "label": "cat"}),
        [{"image_id": "gone"}],
    ),
    Case("labels/two_classes", only_cats, []),
    Case(
        "labels/images_per_class",
        with_class("emu", 2),
        [{"label": "emu", "images": 2}],
        also={"enough_images_per_class"},
    ),
    Case("labels/enough_images_per_class", with_class("emu", 19), [{"label": "emu", "images": 19}]),
    Case(
        "labels/class_balance",
        lambda p: p["counts"].update(cat=1000, dog=50, owl=49),
        [{"label": "owl", "images": 49}],
    ),
    Case("labels/distinct_class_names", with_class("D og", 24), [{"label": "dog"}, {"label": "D og"}], failing=2),
    Case("labels/boxes_have_area", boxes([0, 1, 2, 0, 4]), wrong("'cat' at 1, 2, 0 x 4 has no area")),
    Case(
        "labels/boxes_within_images",
        boxes([1, 600, 2, 42, 4], [1, 500, 2, 141, 4]),
        wrong("'dog' at 600, 2, 42 x 4 is outside of 640 x 480"),
    ),
    Case(
        "labels/boxes_distinct",
        boxes([1, 6, 2, 30, 40], [1, 6, 2, 30, 40]),
        wrong("'dog' at 6, 2, 30 x 40 is there twice: 'dog' at 6, 2, 30 x 40 (IoU 1.00)"),
    ),
    Case(
        "labels/objects_marked_once",
        boxes([1, 6, 2, 30, 40], [1, 7, 2, 30, 40], [0, 6, 2, 30, 40]),
        wrong("'dog' at 6, 2, 30 x 40 may be the same as 'dog' at 7, 2, 30 x 40 (IoU 0.94)"),
    ),
    Case(
        "labels/objects_in_vocabulary",
        boxes([3, 6, 2, 30, 40]),
        wrong("the class 'ghost' is not in the label set"),
    ),
    Case(
        "labels/outlines_simple",
        boxes([0, 0, 0, 9, 9, BOW_TIE]),
        wrong("the outline of 'cat' at 0, 0, 9 x 9 crosses itself"),
    ),
    Case(
        "labels/nothing_in_dispute",
        opinions(*AGREED, ("ann", "i04", 1), ("bob", "i04", 2)),
        wrong("ann: dog; bob: owl", "i04.png"),
    ),
    Case(
        "labels/few_in_dispute",
        opinions(*AGREED, ("ann", "i03", 1)),
        [{"images": 4, "in_dispute": 1, "allowed_share": 0.2}],
        also={"nothing_in_dispute"},
    ),
    Case(
        "dataset_splits/one_split_per_image",
        lambda p: p["assignments"].append({**p["assignments"][0], "split": "train"}),
        [{"image_id": "i00"}, {"image_id": "i00"}],
        failing=2,
    ),
    Case(
        "dataset_splits/nothing_shared_between_splits",
        lambda p: p["near_duplicates"].append({"image_id": "i02", "other_id": "i70", "distance": 1}),
        [{"image_id": "i02", "other_id": "i70"}],
    ),
    Case("dataset_splits/every_class_in_every_split", no_owl_in_the_test, [{"label": "owl", "split": "test"}]),
    Case("dataset_splits/nothing_left_out", left_out, [{"image_id": "i69"}, {"image_id": "i70"}], failing=2),
    Case(
        "model_evaluation/better_than_majority",
        lambda p: p["evaluation"].update(accuracy_low=0.4),
        [{"accuracy_low": 0.4, "majority_share": 0.4}],
    ),
    Case(
        "model_evaluation/calibrated",
        lambda p: p["evaluation"].update(calibration={"error": 0.11, "bins": []}),
        [{"calibration_error": 0.11}],
    ),
    Case(
        "predictions/one_prediction_per_image",
        lambda p: p["predictions"].pop(),
        [{"image_id": "i71", "predictions": 0}],
    ),
    Case(
        "prediction_drift/no_drift",
        lambda p: p["drift"]["indices"].update(contrast=0.21),
        [{"quantity": "contrast", "index": 0.21}],
    ),
    Case(
        "detection_evaluation/detections_of_labelled_images",
        lambda p: p["detections"].update(detections=170, detections_on_unlabelled_images=30),
        [{"detections": 200, "on_unlabelled_images": 0.15}],
    ),
    Case(
        "detection_evaluation/detections_of_known_classes",
        lambda p: p["detections"].update(detections=170, detections_of_unknown_classes=20),
        [{"detections": 200, "of_unknown_classes": 0.1}],
    ),
    Case(
        "detection_evaluation/every_class_is_detected",
        lambda p: p["detections"]["per_class"]["owl"].update(detections=0),
        [{"class": "owl", "objects": 9, "detections": 0}],
    ),
    Case(
        "video_catalog/has_frames",
        lambda p: p["video"].update(frames=1),
        [{"address": "/films/a.mp4", "frames": 1}],
    ),
    Case(
        "video_catalog/has_size",
        lambda p: p["video"].update(height=15),
        [{"address": "/films/a.mp4", "short_side": 15}],
    ),
    Case(
        "video_catalog/has_duration",
        lambda p: p["video"].update(duration="0"),
        [{"address": "/films/a.mp4", "seconds": 0.0}],
    ),
    Case(
        "camera_motion/few_invalid",
        lambda p: p["motion"].update(invalid_share=0.21),
        [{"invalid_share": 0.21, "limit": 0.2}],
    ),
    Case(
        "camera_motion/intervals_cover_video",
        lambda p: p["intervals"].pop(),
        [{"after_frame": 28, "next_frame": 31}],
    ),
    Case(
        "motion_regions/regions_tile_video",
        lambda p: p["regions"][1].update(start_frame=20),
        [{"after_frame": 21, "next_frame": 20}],
    ),
    Case(
        "motion_regions/known_kinds",
        lambda p: p["regions"][1].update(kind="flight"),
        [{"start_frame": 21, "kind": "flight"}],
    ),
    Case(
        "static_thumbnails/every_stretch_has_a_picture",
        lambda p: p["stretches"][0].update(problem="it is damaged"),
        [{"frame": 10, "problem": "it is damaged"}],
    ),
]


def test_every_rule_has_a_case_that_breaks_it() -> None:
    rules = [f"{asset}/{rule.name}" for asset, rules in RULES.items() for rule in rules]
    assert sorted(case.rule for case in CASES) == sorted(rules)
    assert len(set(rules)) == len(rules)


def test_every_asset_with_rules_has_their_tables() -> None:
    assert TABLES.keys() == RULES.keys()


def test_what_blocks_is_what_training_or_predicting_would_be_wrong_with() -> None:
    assert {asset: {rule.name for rule in rules if rule.blocking} for asset, rules in RULES.items()} == BLOCKING


@pytest.mark.parametrize("asset", RULES)
def test_a_good_loop_passes_every_rule_and_says_what_holds(publish: Publish, pieces: Pieces, asset: str) -> None:
    results = check_asset(publish(pieces), asset, "pets")
    assert [result.name for result in results] == [rule.name for rule in RULES[asset]]
    for result, rule in zip(results, RULES[asset], strict=True):
        assert result.passed, result
        assert (result.message, result.failing, result.rows) == (rule.promise, 0, [])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_fails_alone_and_names_what_breaks_it(publish: Publish, pieces: Pieces, case: Case) -> None:
    asset = case.rule.split("/")[0]
    case.change(pieces)
    results = {result.name: result for result in check_asset(publish(pieces), asset, "pets")}
    assert {name for name, result in results.items() if not result.passed} == {case.name} | case.also
    found = results[case.name]
    (rule,) = [rule for rule in RULES[asset] if rule.name == case.name]
    assert found.rows == case.rows
    assert found.failing == case.failing
    assert found.blocking == rule.blocking
    expected, _, named = found.message.partition(" Found: ")
    assert expected == f"Expected: {rule.promise} {rule.advice}"
    assert bool(named) == bool(case.rows)
    assert all(str(value)[:12] in named for row in case.rows[:3] for value in row.values())
    assert json.loads(json.dumps(asdict(found))) == asdict(found)
