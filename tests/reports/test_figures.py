import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from cv_pipelines.images.contact_sheet import MAX_BYTES
from cv_pipelines.reports.figures import (
    class_histogram,
    confusion_matrix,
    detection_figure,
    drift_bars,
    reliability,
    training_curves,
)

ODD = ["$x^2$", "5 $", "$\\frac{", "{}%s", "<b>", "a\\$b", "", "猫", "a\nb", "_^_", "😀"]
THOUSAND = [f"species number {place}" for place in range(1000)]


def answers(classes: int, images: int, right: float) -> list[list[int]]:
    """A confusion matrix: so many images a class, a share of them right and the others anywhere."""
    random = np.random.default_rng(0)
    counts = np.zeros((classes, classes), int)
    for name in range(classes):
        hits = random.random(images) < right
        np.add.at(counts[name], np.where(hits, name, random.integers(0, classes, images)), 1)
    return [[int(count) for count in row] for row in counts]


def history(epochs: int) -> list[dict[str, float]]:
    random = np.random.default_rng(0)
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    return [
        {name: float(value) for name, value in zip(names, random.random(4), strict=True)} for _ in range(epochs)
    ]


def steps(classes: list[str]) -> dict[str, tuple[list[float], list[float]]]:
    recall = [place / 100 for place in range(101)]
    return {name: (recall, [1 - share**2 / (place + 1) for share in recall]) for place, name in enumerate(classes)}


def precisions(classes: list[str]) -> list[dict[str, object]]:
    return [{"class": name, "AP": 1 / (place + 2), "AP50": 1 / (place + 1)} for place, name in enumerate(classes)]


FIGURES: dict[str, Callable[[], bytes]] = {
    "histogram of two classes": lambda: class_histogram({"cat": 3, "dog": 5}),
    "histogram of 1000 classes": lambda: class_histogram(dict.fromkeys(THOUSAND, 7)),
    "histogram of odd names": lambda: class_histogram({name: place for place, name in enumerate(ODD)}),
    "histogram of nothing": lambda: class_histogram({}),
    "histogram of empty classes": lambda: class_histogram({"cat": 0, "dog": 0}),
    "curves": lambda: training_curves(history(20)),
    "curves of one epoch": lambda: training_curves(history(1)),
    "curves of 10,000 epochs": lambda: training_curves(history(10_000)),
    "curves of a training that diverged": lambda: training_curves(
        [dict.fromkeys(history(1)[0], float("nan"))] * 3
    ),
    "curves of nothing": lambda: training_curves([]),
    "confusion": lambda: confusion_matrix(["cat", "dog"], [[5, 1], [0, 6]]),
    "confusion of odd names": lambda: confusion_matrix(ODD, answers(len(ODD), 20, 0.8)),
    "confusion of 20 classes": lambda: confusion_matrix(THOUSAND[:20], answers(20, 200, 0.8)),
    "confusion of 100 classes": lambda: confusion_matrix(THOUSAND[:100], answers(100, 50, 0.8)),
    "confusion of 1000 classes": lambda: confusion_matrix(THOUSAND, answers(1000, 20, 0.8)),
    "confusion without test images": lambda: confusion_matrix(["cat", "dog"], [[0, 0], [0, 0]]),
    "confusion of nothing": lambda: confusion_matrix([], []),
    "detections": lambda: detection_figure(steps(THOUSAND[:6]), precisions(THOUSAND[:20])),
    "detections of 1000 classes": lambda: detection_figure(steps(THOUSAND[:6]), precisions(THOUSAND)),
    "detections of odd names": lambda: detection_figure(steps(ODD[:10]), precisions(ODD)),
    "detections of nothing": lambda: detection_figure({}, []),
    "detections of nobody knows what": lambda: detection_figure(
        {"cat": ([], [])}, [{"class": "cat", "AP": None, "AP50": None}]
    ),
    "reliability": lambda: reliability([{"confidence": 0.7, "accuracy": 0.6, "count": 9}]),
    "reliability of nothing": lambda: reliability([]),
    "drift": lambda: drift_bars({"brightness": 0.1, "$n$": 5.0}, 0.2),
    "drift of nothing": lambda: drift_bars({}, 0.2),
}


@pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_a_png_small_enough_for_the_event_log(name: str) -> None:
    data = FIGURES[name]()
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) >= 150
        assert max(picture.size) <= 1000
        assert not picture.text  # type: ignore[attr-defined]
        assert len(picture.convert("RGB").getcolors(10**6) or []) > 2
    assert len(data) <= MAX_BYTES


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def share_of(data: bytes, colour: tuple[int, int, int]) -> float:
    return float((np.abs(pixels(data) - colour).max(axis=2) < 12).mean())


@pytest.mark.parametrize("name", ["$\\frac{$", "$x^2^3$"])
def test_a_name_between_dollar_signs_is_not_read_as_mathematics(name: str) -> None:
    """As mathematics, neither can be drawn."""
    assert class_histogram({name: 1}) != class_histogram({name.replace("$", ""): 1})
    assert confusion_matrix([name], [[1]])


def test_a_full_class_has_a_taller_bar() -> None:
    blue = (47, 111, 159)
    bars = pixels(class_histogram({"few": 1, "many": 10}))
    inside = np.abs(bars - blue).max(axis=2) < 12
    half = inside.shape[1] // 2
    left, right = (inside[:, place].any(axis=1).sum() for place in (slice(0, half), slice(half, None)))
    assert right > 5 * left > 0


def test_what_exceeds_the_limit_is_marked_in_another_colour() -> None:
    orange = (217, 130, 43)
    assert share_of(drift_bars({"brightness": 0.1}, 0.2), orange) == 0
    assert share_of(drift_bars({"brightness": 0.3}, 0.2), orange) > 0.05


def test_the_colour_of_a_cell_is_the_share_of_its_true_class() -> None:
    dark = (8, 48, 107)
    sure = share_of(confusion_matrix(["cat", "dog"], [[1000, 0], [0, 1]]), dark)
    mixed = share_of(confusion_matrix(["cat", "dog"], [[500, 500], [1, 1]]), dark)
    assert sure > 0.2
    assert mixed < 0.02


@pytest.mark.filterwarnings("ignore:constrained_layout:UserWarning")
@pytest.mark.parametrize("which", ["histogram", "confusion"])
def test_a_very_long_name_leaves_room_for_the_plot(which: str) -> None:
    names = ["x" * 200, "y" * 200]
    data = (
        class_histogram(dict.fromkeys(names, 9))
        if which == "histogram"
        else confusion_matrix(names, [[9, 0], [0, 9]])
    )
    colour = (47, 111, 159) if which == "histogram" else (8, 48, 107)
    assert share_of(data, colour) > 0.1
