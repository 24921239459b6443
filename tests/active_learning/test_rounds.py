"""What rounds have gained, from records alone: nothing is trained here."""

import pyarrow as pa
import pytest

from cv_pipelines.active_learning.parameters import QueueParameters
from cv_pipelines.active_learning.queue import make_queue
from cv_pipelines.active_learning.rounds import read_rounds
from cv_pipelines.annotations.labels import make_labels
from cv_pipelines.annotations.splits import SplitParameters, make_splits
from cv_pipelines.annotations.store.events import Author
from cv_pipelines.models import evaluation
from cv_pipelines.models.dataset import labelled_images
from cv_pipelines.models.registry import promote, register
from cv_pipelines.storage.bundles import Reference, put_bundle
from tests.active_learning.shapes import Shapes


def version(shapes: Shapes) -> None:
    """What the assets `labels` and `dataset_splits` do."""
    catalog = shapes.catalog
    labels = make_labels(catalog, "shapes", shapes.manifest).reference
    previous = catalog.current("dataset_splits", "shapes")
    splits = make_splits(catalog, shapes.manifest, labels, previous, SplitParameters()).reference
    catalog.publish("labels", "shapes", labels)
    catalog.publish("dataset_splits", "shapes", splits)


def train(shapes: Shapes, name: str, learned: int) -> Reference:
    version(shapes)
    facts = {"data": {"labels": shapes.catalog.require("labels", "shapes").version}}
    made = shapes.publish("trained_model", name, facts, learned=pa.table({"image_id": shapes.ids[:learned]}))
    register(shapes.catalog.database, "shapes", made)
    return made


def judge(shapes: Shapes, model: Reference, accuracy: float, *f1: float) -> None:
    """As if the model had been judged on the present test split."""
    catalog = shapes.catalog
    labels, splits = (catalog.require(name, "shapes") for name in ("labels", "dataset_splits"))
    test = labelled_images(catalog, labels, splits, ("test",))
    facts = {"accuracy": accuracy, "per_class": {f"{place}": {"f1": one} for place, one in enumerate(f1)}}
    inputs = evaluation._inputs(model, test, shapes.manifest, splits)
    catalog.once(
        "model_evaluation",
        inputs,
        lambda _: put_bundle(catalog.store, "model_evaluation", f"{model.version}-x", facts, {}),
    )


def label_some(shapes: Shapes, first: int, last: int) -> None:
    for number in range(3):
        shapes.label(*[row for row in range(first, last) if row % 3 == number], number=number)


def test_models_come_in_their_order_with_their_labels_and_what_they_have_gained(shapes: Shapes) -> None:
    def ask(**strategies: float) -> None:
        wanted = QueueParameters(strategies=strategies, size=6)
        made = make_queue(shapes.catalog, "shapes", shapes.manifest, wanted).reference
        shapes.catalog.publish("label_queue", "shapes", made)

    ask(random=1)
    label_some(shapes, 0, 12)
    first = train(shapes, "first", 8)
    shapes.predict()
    ask(entropy=2, random=1)
    label_some(shapes, 12, 18)
    shapes.label(18, 19, author=Author("ann", "import"))
    second = train(shapes, "second", 13)
    ask(margin=1)
    judge(shapes, first, 0.5, 0.4, 0.6)
    judge(shapes, second, 0.75, 0.7, 0.9)
    model = register(shapes.catalog.database, "shapes", second)
    promote(shapes.catalog.database, model, "champion", "run", "better", {})

    found = read_rounds(shapes.catalog, "shapes", judge=False)

    assert [(one.model, one.learned, one.promoted) for one in found] == [("first", 8, False), ("second", 13, True)]
    assert [one.labelled for one in found] == [{"person": 12}, {"import": 2, "person": 18}]
    assert [one.asked for one in found] == [{"random": 6}, {"entropy": 4, "random": 2}]
    assert [(one.accuracy, one.gain) for one in found] == [(0.5, None), (0.75, 0.25)]
    assert [one.macro_f1 for one in found] == [pytest.approx(0.5), pytest.approx(0.8)]
    (last,) = read_rounds(shapes.catalog, "shapes", last=1, judge=False)
    assert (last.model, last.gain) == ("second", 0.25), "the gain is over the one that is not shown"


def test_of_models_that_nobody_has_judged_on_the_present_test_split_nothing_is_said(shapes: Shapes) -> None:
    label_some(shapes, 0, 30)
    first = train(shapes, "first", 20)
    judge(shapes, first, 0.5, 0.5)
    label_some(shapes, 30, 40)
    train(shapes, "second", 25)

    found = read_rounds(shapes.catalog, "shapes", judge=False)

    assert [(one.accuracy, one.gain) for one in found] == [(None, None), (None, None)]


def test_before_there_is_a_test_split_nothing_is_said_either(shapes: Shapes) -> None:
    shapes.label(0)
    train(shapes, "only", 1)
    assert [one.accuracy for one in read_rounds(shapes.catalog, "shapes", judge=False)] == [None]


def test_without_models_there_are_no_rounds(shapes: Shapes) -> None:
    assert read_rounds(shapes.catalog, "shapes") == []
