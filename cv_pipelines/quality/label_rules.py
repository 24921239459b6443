"""What must hold of labels."""

from cv_pipelines.annotations.checks import ALIKE
from cv_pipelines.quality.results import MOST_FINDINGS
from cv_pipelines.quality.rule import Rule

FEWEST_IMAGES = 5
USUAL_FEWEST = 20
LEAST_SHARE = 0.05


def _no(code: str, name: str, promise: str, advice: str, blocking: bool = True) -> Rule:
    """A rule that nothing of a kind is among the findings."""
    return Rule(
        name,
        promise,
        advice,
        "findings",
        "ExpectColumnValuesToNotBeInSet",
        {"column": "code", "value_set": [code]},
        blocking,
        identity=("image", "problem"),
        total="total",
        shown=MOST_FINDINGS,
    )


OBJECT_RULES = [
    _no("no_area", "boxes_have_area", "Every box has an area.", "Draw these boxes anew, or delete them."),
    _no(
        "outside",
        "boxes_within_images",
        "Every box lies within its image; a pixel is forgiven.",
        "Where all boxes of an image are listed, they were drawn on one of another size.",
    ),
    _no("duplicate", "boxes_distinct", "No box is there twice.", "Delete one box of each pair."),
    _no(
        "near_duplicate",
        "objects_marked_once",
        f"No two boxes of one class overlap by an IoU of {ALIKE} or more.",
        "Look whether these are one object, marked twice.",
        blocking=False,
    ),
    _no(
        "unknown_class",
        "objects_in_vocabulary",
        "The classes of boxes, and of images with several, are classes of the data set.",
        "Correct these labels, or add the class to the data set.",
    ),
    _no(
        "self_crossing",
        "outlines_simple",
        "No outline crosses itself.",
        "Draw these outlines anew: what lies within a crossing is ambiguous.",
        blocking=False,
    ),
    _no(
        "dispute",
        "nothing_in_dispute",
        "Nobody disagrees about an image.",
        "What was said last counts until somebody settles it: see 'cv-pipelines labels disputes'.",
        blocking=False,
    ),
    Rule(
        "few_in_dispute",
        "Of the images that two or more people have labelled, few are in dispute (CV_MOST_DISPUTED).",
        "These labels are too uncertain to learn from: settle them with 'cv-pipelines labels adjudicate'.",
        "agreement",
        "ExpectColumnValuesToBeInSet",
        {"column": "few", "value_set": [True]},
        identity=("images", "in_dispute", "allowed_share"),
    ),
]

LABEL_RULES = [
    Rule(
        "labels_in_vocabulary",
        "Every label is one of the data set's classes.",
        "Correct these labels, or add the class to the data set.",
        "labels",
        "ExpectColumnValuesToBeInSet",
        {"column": "known_class", "value_set": [True]},
        identity=("image_id", "label"),
    ),
    Rule(
        "labels_of_known_images",
        "Every labelled image is one that the data set has.",
        "Nothing need be done: labels of images that are gone are kept, and nothing learns from them.",
        "labelled",
        "ExpectColumnValuesToBeInSet",
        {"column": "known_image", "value_set": [True]},
        blocking=False,
    ),
    Rule(
        "two_classes",
        "There are at least two classes to tell apart.",
        "Put the images into one subfolder per class, or give a labels.csv.",
        "vocabulary",
        "ExpectTableRowCountToBeBetween",
        {"min_value": 2},
        identity=("label",),
    ),
    Rule(
        "images_per_class",
        f"Every class has at least {FEWEST_IMAGES} images: fewer do not reach all three splits.",
        "Add images to these classes, or take the classes out.",
        "vocabulary",
        "ExpectColumnValuesToBeBetween",
        {"column": "images", "min_value": FEWEST_IMAGES},
        identity=("label", "images"),
    ),
    Rule(
        "enough_images_per_class",
        f"Every class has at least {USUAL_FEWEST} images.",
        "Figures about these classes will be rough; add images to them.",
        "vocabulary",
        "ExpectColumnValuesToBeBetween",
        {"column": "images", "min_value": USUAL_FEWEST},
        blocking=False,
        identity=("label", "images"),
    ),
    Rule(
        "class_balance",
        f"Every class has at least {LEAST_SHARE:.0%} of the images that the largest class has.",
        "A model will neglect these classes; add images to them.",
        "vocabulary",
        "ExpectColumnValuesToBeBetween",
        {"column": "share_of_largest", "min_value": LEAST_SHARE},
        blocking=False,
        identity=("label", "images"),
    ),
    Rule(
        "distinct_class_names",
        "No two classes differ only by case or spaces.",
        "Give these classes one name.",
        "vocabulary",
        "ExpectColumnValuesToBeUnique",
        {"column": "folded"},
        blocking=False,
        identity=("label",),
    ),
    *OBJECT_RULES,
]
