"""When another round is due, on both databases."""

import pytest

from cv_pipelines.active_learning.next_round import labels_since_training, queue_is_used_up, training_of
from cv_pipelines.active_learning.parameters import QueueParameters
from cv_pipelines.active_learning.queue import make_queue
from cv_pipelines.annotations.labels import make_labels
from cv_pipelines.annotations.store.events import Author, writing
from tests.active_learning.shapes import COUNT, Shapes
from tests.servers import on_both_databases

MODEL = Author("program", "model", "model-1")


def new(shapes: Shapes) -> int:
    return labels_since_training(shapes.catalog, "shapes")


def commit(shapes: Shapes) -> None:
    made = make_labels(shapes.catalog, "shapes", shapes.manifest).reference
    shapes.catalog.publish("labels", "shapes", made)


def train(shapes: Shapes) -> None:
    """What a run does, as far as others see it."""
    commit(shapes)
    shapes.publish("trained_model", "model-1", {})


def ask(shapes: Shapes, **settings: object) -> list[int]:
    made = make_queue(shapes.catalog, "shapes", shapes.manifest, QueueParameters(**settings))
    shapes.catalog.publish("label_queue", "shapes", made.reference)
    return [int(one) for one in made.bundle.table("queue")["image_id"].to_pylist()]


@on_both_databases
def test_images_count_whose_labels_are_others_than_those_learned_from(shapes: Shapes) -> None:
    assert new(shapes) == 0
    shapes.label(0, 1, 2)
    shapes.label(3, author=Author("ann", "import"))
    assert new(shapes) == 4, "before the first model all count"
    train(shapes)
    assert new(shapes) == 0
    shapes.label(4, 5)
    shapes.label(0, number=1)
    shapes.label(0, number=2)
    assert new(shapes) == 3, "an image counts once"
    shapes.label(1, number=None)
    assert new(shapes) == 4, "a label that was taken away is a change"


@on_both_databases
def test_what_came_and_went_and_what_a_model_says_is_nothing_new(shapes: Shapes) -> None:
    shapes.label(0, 1)
    train(shapes)
    shapes.label(0, number=1)
    shapes.label(0, number=0)
    shapes.label(5)
    shapes.label(5, number=None)
    shapes.label(1, author=Author("bob"))
    shapes.label(7, 8, author=MODEL)
    assert new(shapes) == 0
    shapes.label(7, author=Author("bob"))
    assert new(shapes) == 1, "a person has looked at it"


def test_a_version_without_a_training_is_no_round(shapes: Shapes) -> None:
    shapes.label(0, 1)
    train(shapes)
    shapes.label(2, 3, 4)
    commit(shapes)
    assert new(shapes) == 3


def test_labels_that_are_again_what_they_were_need_no_round(shapes: Shapes) -> None:
    shapes.label(0, 1)
    train(shapes)
    shapes.label(2, 3)
    train(shapes)
    shapes.label(2, 3, number=None)
    assert new(shapes) == 2
    train(shapes)
    assert new(shapes) == 0, "their version is the first one again, and so is the event in it"


def test_nobody_who_labels_is_waited_for(shapes: Shapes) -> None:
    ask(shapes, size=10)
    train(shapes)
    with writing(shapes.catalog.database, "shapes"):
        assert new(shapes) == 0
        assert not queue_is_used_up(shapes.catalog, "shapes")


def test_each_training_has_its_own_number(shapes: Shapes) -> None:
    assert training_of(shapes.catalog, "shapes") == 0
    numbers = []
    for _ in range(2):
        train(shapes)
        numbers.append(training_of(shapes.catalog, "shapes"))
    assert 0 < numbers[0] < numbers[1]


def test_a_database_that_was_restored_counts_from_the_start(shapes: Shapes) -> None:
    shapes.label(0, 1)
    train(shapes)
    shapes.publish("labels", "later", {"state": {"event": 999, "class_event": 0, "total": "0", "version": "x"}})
    shapes.publish("trained_model", "model-1", {})
    assert new(shapes) == 2


@on_both_databases
def test_a_queue_is_used_up_when_nearly_all_of_it_is_labelled(shapes: Shapes) -> None:
    def used_up() -> bool:
        return queue_is_used_up(shapes.catalog, "shapes")

    assert used_up(), "there was none yet"
    rows = ask(shapes, size=10)
    assert not used_up()
    shapes.label(*rows[:8])
    shapes.label(rows[8], author=MODEL)
    assert not used_up()
    shapes.label(rows[8])
    assert used_up()
    ask(shapes, size=100)
    assert not used_up()
    shapes.label(*range(COUNT))
    assert used_up()
    ask(shapes)
    assert not used_up(), "there is nothing to ask for any more"


@pytest.mark.parametrize(("per_day", "due"), [(5, True), (50, False)])
def test_what_a_day_did_not_allow_the_next_one_does(per_day: int, due: bool, shapes: Shapes) -> None:
    ask(shapes, size=10, per_day=per_day)
    assert not queue_is_used_up(shapes.catalog, "shapes")
    queue = shapes.catalog.open(shapes.catalog.require("label_queue", "shapes"))
    shapes.publish("label_queue", "x", {**queue.facts, "day": "2020-01-01"}, queue=queue.table("queue"))
    assert queue_is_used_up(shapes.catalog, "shapes") is due


def test_images_that_are_gone_are_not_waited_for(shapes: Shapes) -> None:
    rows = ask(shapes, size=10)
    shapes.label(*rows[:5])
    kept = sorted({*range(COUNT)} - {*rows[6:]})
    shapes.with_images(*kept)
    assert not queue_is_used_up(shapes.catalog, "shapes"), "one of those that are left is to be labelled"
    shapes.label(rows[5])
    assert queue_is_used_up(shapes.catalog, "shapes")
    shapes.with_images(*(row for row in kept if row not in rows))
    assert queue_is_used_up(shapes.catalog, "shapes"), "none is left"


def test_new_images_end_a_queue_in_which_there_was_nothing_to_ask_for(shapes: Shapes) -> None:
    every, shapes.manifest = shapes.manifest, shapes.with_images(0, 1, 2)
    shapes.label(0, 1, 2)
    assert ask(shapes) == []
    assert not queue_is_used_up(shapes.catalog, "shapes")
    shapes.catalog.publish("image_manifest", "shapes", every)
    assert queue_is_used_up(shapes.catalog, "shapes")
