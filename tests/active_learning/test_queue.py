"""Queues of a data set, on both databases where the labels are read."""

from collections import Counter
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from cv_pipelines.active_learning.parameters import QueueParameters
from cv_pipelines.active_learning.queue import QUEUE, make_queue
from cv_pipelines.annotations.store.classes import retire_class
from cv_pipelines.annotations.store.events import Author, writing
from cv_pipelines.annotations.store.versions import state_of
from cv_pipelines.catalog import Outcome
from cv_pipelines.database.tables import publications
from cv_pipelines.detections.detection import DETECTIONS
from cv_pipelines.errors import InputError
from tests.active_learning.shapes import COUNT, Shapes
from tests.servers import on_both_databases

MODEL = Author("program", "model", "model-1")


def ask(shapes: Shapes, **settings: object) -> Outcome:
    return make_queue(shapes.catalog, "shapes", shapes.manifest, QueueParameters(**settings))


def asked(outcome: Outcome) -> list[int]:
    return [int(one) for one in outcome.bundle.table("queue")["image_id"].to_pylist()]


def test_the_first_labels_are_asked_for_at_random(shapes: Shapes) -> None:
    outcome = ask(shapes, size=10)
    facts, table = outcome.bundle.facts, outcome.bundle.table("queue")
    assert table.schema == QUEUE
    assert table["rank"].to_pylist() == [*range(1, 11)]
    assert set(table["strategy"].to_pylist()) == {"random"}
    assert (facts["replaced"], facts["model"], facts["candidates"]) == (["margin", "diverse"], None, COUNT)
    assert asked(ask(shapes, size=10, seed=1)) != asked(outcome)


@on_both_databases
def test_only_images_without_a_label_of_a_person_or_a_file_are_asked_for(shapes: Shapes) -> None:
    shapes.label(0, 1, 2, 3)
    shapes.label(4, author=Author("ann", "import"))
    shapes.label(5, author=MODEL)
    shapes.label(3, number=None)
    shapes.label(6, 7, number=1)
    with writing(shapes.catalog.database, "shapes") as connection:
        retire_class(connection, "shapes", "disc", "ann")
        state = state_of(connection, "shapes")
    outcome = ask(shapes, size=100)
    assert sorted(asked(outcome)) == [3, *range(5, COUNT)]
    assert outcome.bundle.facts["labels"] == state.version


def test_strategies_look_at_predictions_and_embeddings_of_these_very_images(shapes: Shapes) -> None:
    shapes.predict()
    vectors = shapes.embed()
    shapes.label(0)
    outcome = ask(shapes, size=9, strategies={"margin": 2, "diverse": 1})
    facts, rows = outcome.bundle.facts, outcome.bundle.table("queue").to_pylist()
    assert facts["counts"] == {"margin": 6, "diverse": 3}
    assert [int(row["image_id"]) for row in rows if row["strategy"] == "margin"] == [1, 2, 3, 4, 5, 6]
    assert (facts["model"], facts["embeddings_model"], facts["replaced"]) == ("model-1", "model-1", [])
    exact = vectors.astype(np.float64)
    nearest = (exact @ exact[:7].T).max(axis=1)
    first = next(row for row in rows if row["strategy"] == "diverse")
    assert int(first["image_id"]) == nearest.argmin()
    assert first["score"] == pytest.approx(1 - nearest.min(), abs=2e-3)
    assert rows[0]["reason"] == "'disc' with 0.41, only 0.06 ahead of the next class"

    shapes.predict(manifest="another")
    assert ask(shapes, strategies={"margin": 1}).bundle.facts["replaced"] == ["margin"]


def test_predictions_of_an_earlier_release_do_but_for_margin(shapes: Shapes) -> None:
    shapes.predict(second_probability=None)
    assert asked(ask(shapes, size=3, strategies={"entropy": 1})) == [0, 1, 2]
    with pytest.raises(InputError, match="make them again"):
        ask(shapes, strategies={"margin": 1})


def test_detections_are_counted_from_a_score_on(shapes: Shapes) -> None:
    seen = [(1, 0.9), (1, 0.8), (2, 0.9), (2, 0.1), (3, 0.9), (3, 0.7), (3, 0.6)]
    rows = [[f"{image:02}", "bar", 0.0, 0.0, 1.0, 1.0, score] for image, score in seen]
    table = pa.table([list(column) for column in zip(*rows, strict=True)], schema=DETECTIONS)
    shapes.publish("detections", "d-1", {}, detections=table)
    outcome = ask(shapes, strategies={"detections_number_based": 1}, fewest=2)
    assert sorted(asked(outcome)) == [1, 3]
    assert outcome.bundle.facts["detections"] == "d-1"
    assert "objects detected" in outcome.bundle.table("queue")["reason"][0].as_py()


def test_the_same_labels_model_and_wishes_are_asked_about_once(shapes: Shapes) -> None:
    shapes.predict()
    first = ask(shapes, size=5)
    assert ask(shapes, size=5).reference == first.reference
    assert ask(shapes, size=5).reused
    shapes.label(*asked(first)[:2])
    after = ask(shapes, size=5)
    assert not after.reused
    assert not {*asked(first)[:2]} & {*asked(after)}
    shapes.label(20, author=MODEL)
    before = ask(shapes, size=100, strategies={"random": 1})
    shapes.label(20)
    assert 20 in asked(before)
    assert 20 not in asked(ask(shapes, size=100, strategies={"random": 1})), "the same label, now a person's"


@on_both_databases
def test_a_day_has_a_limit_over_all_its_queues(shapes: Shapes) -> None:
    def another(**settings: object) -> list[int]:
        outcome = ask(shapes, size=10, per_day=15, strategies={"random": 1}, **settings)
        shapes.catalog.publish("label_queue", "shapes", outcome.reference)
        return asked(outcome)

    first = another()
    assert len(first) == 10
    assert another() == first, "asked for again, they count once"
    shapes.label(*first)
    second = another()
    assert len(second) == 5
    shapes.label(*second)
    assert another() == []
    with shapes.catalog.database.begin() as connection:
        for row in connection.execute(publications.select()).all():
            then = row.created_at - timedelta(days=1)
            if row.asset == "label_queue":
                connection.execute(
                    publications.update().where(publications.c.id == row.id).values(created_at=then)
                )
    assert len(another()) == 10, "another day"


def test_a_class_has_a_limit(shapes: Shapes) -> None:
    table = shapes.predict()
    outcome = ask(shapes, size=30, per_class=4, strategies={"entropy": 1, "random": 1})
    classes = dict(zip(table["image_id"].to_pylist(), table["predicted"].to_pylist(), strict=True))
    counts = Counter(classes[one] for one in outcome.bundle.table("queue")["image_id"].to_pylist())
    assert counts == {"bar": 4, "disc": 4, "frame": 4}


def test_what_the_source_says_counts_before_the_store_has_taken_it_in(shapes: Shapes) -> None:
    shapes.manifest = shapes.with_source_labels()
    assert sorted(asked(ask(shapes, size=100))) == [*range(10, COUNT)]
    shapes.publish("labels", "l-1", {"manifest": "manifest-2"})
    assert len(asked(ask(shapes, size=100))) == COUNT, "the store knows better: somebody took these labels away"


def test_nothing_is_left_to_ask_for(shapes: Shapes) -> None:
    shapes.label(*range(COUNT))
    shapes.predict()
    outcome = ask(shapes)
    assert (asked(outcome), outcome.bundle.facts["candidates"]) == ([], 0)


def test_the_order_of_strategies_makes_another_queue(shapes: Shapes) -> None:
    shapes.predict()
    first = ask(shapes, size=20, strategies={"entropy": 1.0, "random": 1.0})
    second = ask(shapes, size=20, strategies={"random": 1.0, "entropy": 1.0})
    assert not second.reused
    assert [*second.bundle.facts["parameters"]["strategies"]] == ["random", "entropy"]
    assert asked(first) != asked(second)
