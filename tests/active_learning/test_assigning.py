import pytest

from cv_pipelines.active_learning.assigning import assign_from
from cv_pipelines.active_learning.parameters import QueueParameters
from cv_pipelines.active_learning.queue import make_queue
from cv_pipelines.annotations.store.assignments import assigned_to
from cv_pipelines.annotations.store.events import Author
from cv_pipelines.errors import InputError
from tests.active_learning.shapes import Shapes


def ask(shapes: Shapes, size: int) -> list[str]:
    """Publish a queue; its images, in their order."""
    parameters = QueueParameters(strategies={"random": 1.0}, size=size)
    made = make_queue(shapes.catalog, "shapes", shapes.manifest, parameters)
    shapes.catalog.publish("label_queue", "shapes", made.reference)
    asked: list[str] = made.bundle.table("queue")["image_id"].to_pylist()
    return asked


def held(shapes: Shapes, who: str) -> set[str]:
    with shapes.catalog.database.connect() as connection:
        return set(assigned_to(connection, "shapes", who))


def test_what_is_asked_for_is_dealt_first_things_first(shapes: Shapes) -> None:
    asked = ask(shapes, 10)
    done = assign_from(shapes.catalog, "shapes", ["ann", "bob"], "me", 4, "asked")
    assert (done.images, done.shares) == (4, {"ann": 2, "bob": 2})
    assert held(shapes, "ann") | held(shapes, "bob") == set(asked[:4])

    more = assign_from(shapes.catalog, "shapes", ["cid"], "me", 3, "asked")
    assert more.images == 3
    assert held(shapes, "cid") == set(asked[4:7]), "those that nobody has yet"


def test_what_somebody_has_labelled_meanwhile_is_asked_for_no_more(shapes: Shapes) -> None:
    asked = ask(shapes, 5)
    first, second, *others = (shapes.ids.index(one) for one in asked)
    shapes.label(first)
    shapes.label(second, author=Author("model-1", "model", "model-1"))
    done = assign_from(shapes.catalog, "shapes", ["ann"], "me", 50, "asked")
    assert done.images == 4
    assert held(shapes, "ann") == {shapes.ids[one] for one in (second, *others)}, "nobody has looked at a model's"
    assert assign_from(shapes.catalog, "shapes", ["bob"], "me", 50, "asked").images == 0


def test_without_a_queue_it_is_told_how_one_is_made(shapes: Shapes) -> None:
    with pytest.raises(InputError, match="cv-pipelines labels ask shapes") as refused:
        assign_from(shapes.catalog, "shapes", ["ann"], "me", 5, "asked")
    assert refused.value.code == "no_queue"


def test_other_sources_are_as_ever(shapes: Shapes) -> None:
    ask(shapes, 3)
    shapes.label(*range(30))
    assert assign_from(shapes.catalog, "shapes", ["ann"], "me", 50).images == 10
    assert assign_from(shapes.catalog, "shapes", ["bob"], "me", 50, "random").images == 30
