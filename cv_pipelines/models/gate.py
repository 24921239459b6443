"""May a new model take the champion's place? A pure function of two evaluations on one test split."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cv_pipelines.models.metrics import bootstrap_interval

if TYPE_CHECKING:
    import pandas as pd

MIN_SLICE = 20
"""Images from which on a slice counts."""
MAX_LOSS = 0.1
"""Recall that no slice may lose."""

Decision = Literal["promote", "keep", "ask"]


@dataclass(frozen=True)
class Comparison:
    """The gate's answer and why.

    Attributes:
        decision: promote the challenger, keep the champion, or ask a person.
        reasons: each a sentence.
        difference: accuracy of the challenger less the champion's, with its 95 % interval.
        worse_slices: the slices that lose too much: division, part, images, recall before and after.
    """

    decision: Decision
    reasons: list[str]
    difference: tuple[float, float, float] | None = None
    worse_slices: list[dict[str, Any]] = field(default_factory=list)


def first_model(challenger: dict[str, Any]) -> Comparison:
    """Without a champion, any model will do that beats always naming the most frequent class."""
    accuracy, majority = challenger["accuracy"], challenger["majority_share"]
    if accuracy > majority:
        return Comparison("promote", ["It is the first model, and better than naming the most frequent class."])
    reason = f"Its accuracy of {accuracy:.3f} is not above {majority:.3f}, the share of the most frequent class."
    return Comparison("keep", [reason])


def compare(
    champion: dict[str, Any],
    challenger: dict[str, Any],
    champion_answers: "pd.DataFrame",
    challenger_answers: "pd.DataFrame",
) -> Comparison:
    """Compare two models on the same test images.

    The challenger passes unless it is worse beyond chance (the 95 % interval of a paired bootstrap
    of the difference in accuracy lies below zero) or a slice of at least MIN_SLICE images loses
    MAX_LOSS of its recall or more. When the models know different classes, a person decides.

    Args:
        champion: metrics of the present champion.
        challenger: metrics of the new model.
        champion_answers: columns `image_id`, `label`, `predicted`.
        challenger_answers: likewise, of the same images.
    """
    low, mean, high = _difference(champion_answers, challenger_answers)
    worse = _worse_slices(champion["slices"], challenger["slices"])
    shown = (mean, low, high)
    before, after = (set(metrics["model_classes"]) for metrics in (champion, challenger))
    if before != after:
        changed = ", ".join(sorted(before ^ after))
        return Comparison("ask", [f"The class lists differ ({changed}): a person decides."], shown, worse)
    reasons = []
    if high < 0:
        reasons.append(f"It is less accurate by {-mean:.3f} (95 %: {-high:.3f} to {-low:.3f}).")
    reasons += [
        f"{s['division']} '{s['part']}' falls from {s['before']:.3f} to {s['after']:.3f} ({s['images']} images)."
        for s in worse
    ]
    if reasons:
        return Comparison("keep", reasons, shown, worse)
    return Comparison("promote", [f"Not worse: accuracy {mean:+.3f} (95 %: {low:+.3f} to {high:+.3f})."], shown)


def _difference(champion: "pd.DataFrame", challenger: "pd.DataFrame") -> tuple[float, float, float]:
    """Lower end, mean and upper end of the paired difference in accuracy."""
    both = champion.merge(challenger, on="image_id", suffixes=("_old", "_new"), validate="one_to_one")
    old = (both["predicted_old"] == both["label_old"]).to_numpy(np.int64)
    new = (both["predicted_new"] == both["label_new"]).to_numpy(np.int64)
    low, high = bootstrap_interval(new - old)
    return low, float((new - old).mean()), high


def _worse_slices(champion: dict[str, Any], challenger: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "division": division,
            "part": part,
            "images": after["images"],
            "before": champion[division][part]["recall"],
            "after": after["recall"],
        }
        for division, parts in challenger.items()
        for part, after in parts.items()
        if after["images"] >= MIN_SLICE
        and round(champion[division][part]["recall"] - after["recall"], 9) >= MAX_LOSS
    ]
