"""What must hold of data, told apart by what breaks without it."""

from cv_pipelines.images.header import FORMATS
from cv_pipelines.images.manifest import IMAGES
from cv_pipelines.models.drift import LIMIT
from cv_pipelines.quality.label_rules import LABEL_RULES
from cv_pipelines.quality.motion_rules import MOTION_RULES
from cv_pipelines.quality.rule import FAULT, Rule

SMALLEST_SIDE = 8
MOST_QUARANTINED = 0.05
MOST_MISCALIBRATED = 0.1
MOST_UNJUDGED = 0.05

MANIFEST_RULES = [
    Rule(
        "schema",
        "The manifest has its columns, in their order.",
        FAULT,
        "images",
        "ExpectTableColumnsToMatchOrderedList",
        {"column_list": IMAGES.names},
    ),
    Rule(
        "not_empty",
        "There is at least one image.",
        "Look at the quarantine for the reasons, and at the folder that the data set names.",
        "images",
        "ExpectTableRowCountToBeBetween",
        {"min_value": 1},
    ),
    Rule(
        "unique_ids",
        "No image stands in the manifest twice.",
        FAULT,
        "images",
        "ExpectColumnValuesToBeUnique",
        {"column": "image_id"},
    ),
    Rule(
        "formats",
        "Every image has a format that we decode.",
        "Convert these images.",
        "images",
        "ExpectColumnValuesToBeInSet",
        {"column": "format", "value_set": list(FORMATS)},
    ),
    Rule(
        "dimensions",
        f"The shorter side of every image has at least {SMALLEST_SIDE} pixels.",
        "Look at these images: they may be icons or broken exports.",
        "sides",
        "ExpectColumnValuesToBeBetween",
        {"column": "short_side", "min_value": SMALLEST_SIDE},
        blocking=False,
    ),
    Rule(
        "quarantine_share",
        f"At most {MOST_QUARANTINED:.0%} of the files are in quarantine.",
        "Look at the reasons in the quarantine; a broken copy or a wrong folder often explains many.",
        "totals",
        "ExpectColumnValuesToBeBetween",
        {"column": "quarantined_share", "max_value": MOST_QUARANTINED},
        blocking=False,
        identity=("files", "quarantined"),
    ),
]

SPLIT_RULES = [
    Rule(
        "one_split_per_image",
        "No image is in two splits.",
        FAULT,
        "assignments",
        "ExpectColumnValuesToBeUnique",
        {"column": "image_id"},
    ),
    Rule(
        "nothing_shared_between_splits",
        "No two splits have images that show the same.",
        "Remove one image of each pair from the source.",
        "pairs",
        "ExpectColumnPairValuesToBeEqual",
        {"column_A": "split", "column_B": "other_split"},
        identity=("image_id", "other_id"),
    ),
    Rule(
        "every_class_in_every_split",
        "Every class is in training, validation and test.",
        "Add images to these classes; new images go where a class has too few.",
        "cells",
        "ExpectColumnValuesToBeBetween",
        {"column": "images", "min_value": 1},
        identity=("label", "split"),
    ),
    Rule(
        "nothing_left_out",
        "Every labelled image is in a split.",
        "Nothing need be done: these images show the same as images in two splits.",
        "present",
        "ExpectColumnValuesToBeInSet",
        {"column": "in_a_split", "value_set": [True]},
        blocking=False,
    ),
]

EVALUATION_RULES = [
    Rule(
        "better_than_majority",
        "Accuracy is above the share of the most frequent class, beyond chance.",
        "It cannot be told from guessing: look at the training curves, the labels and the number of test images.",
        "totals",
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {"column_A": "accuracy_low", "column_B": "majority_share"},
        blocking=False,
        identity=("accuracy_low", "majority_share"),
    ),
    Rule(
        "calibrated",
        f"Stated probabilities are off by at most {MOST_MISCALIBRATED} on average.",
        "Take the probabilities as an order rather than as a promise.",
        "totals",
        "ExpectColumnValuesToBeBetween",
        {"column": "calibration_error", "max_value": MOST_MISCALIBRATED},
        blocking=False,
        identity=("calibration_error",),
    ),
]

PREDICTION_RULES = [
    Rule(
        "one_prediction_per_image",
        "Every image of the manifest has exactly one prediction.",
        "Materialize the predictions again.",
        "images",
        "ExpectColumnValuesToBeInSet",
        {"column": "just_one", "value_set": [True]},
        identity=("image_id", "predictions"),
    ),
]

DRIFT_RULES = [
    Rule(
        "no_drift",
        f"Images and predictions are as they were in training (stability index at most {LIMIT}).",
        "Look at the new images; if they are right, label some of them and train again.",
        "indices",
        "ExpectColumnValuesToBeBetween",
        {"column": "index", "max_value": LIMIT},
        blocking=False,
        identity=("quantity", "index"),
    ),
]

DETECTION_RULES = [
    Rule(
        "detections_of_labelled_images",
        f"At most {MOST_UNJUDGED:.0%} of the detections are on images without labels.",
        "They were left out: label these images, or detect on labelled ones.",
        "totals",
        "ExpectColumnValuesToBeBetween",
        {"column": "on_unlabelled_images", "max_value": MOST_UNJUDGED},
        blocking=False,
        identity=("detections", "on_unlabelled_images"),
    ),
    Rule(
        "detections_of_known_classes",
        f"At most {MOST_UNJUDGED:.0%} of the detections are of classes of which no object is labelled.",
        "They were left out: look whether the detector calls its classes as the labels do.",
        "totals",
        "ExpectColumnValuesToBeBetween",
        {"column": "of_unknown_classes", "max_value": MOST_UNJUDGED},
        blocking=False,
        identity=("detections", "of_unknown_classes"),
    ),
    Rule(
        "every_class_is_detected",
        "Every class with objects has detections.",
        "The detector does not know these classes, calls them otherwise, or fails at them.",
        "classes",
        "ExpectColumnValuesToBeBetween",
        {"column": "detections", "min_value": 1},
        blocking=False,
        identity=("class", "objects", "detections"),
    ),
]

DATASET_RULES: dict[str, list[Rule]] = {
    "image_manifest": MANIFEST_RULES,
    "labels": LABEL_RULES,
    "dataset_splits": SPLIT_RULES,
    "model_evaluation": EVALUATION_RULES,
    "predictions": PREDICTION_RULES,
    "prediction_drift": DRIFT_RULES,
    "detection_evaluation": DETECTION_RULES,
}
RULES = DATASET_RULES | MOTION_RULES
"""The checks of each asset that has some."""
