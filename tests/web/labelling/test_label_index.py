"""What stands of images as arrays, against what the label store says of them one by one."""

from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from cv_pipelines.annotations.store.classes import add_class, classes_of, rename_class, retire_class
from cv_pipelines.annotations.store.content import classes_in
from cv_pipelines.annotations.store.events import Author, Change, append, newest_of, writing
from cv_pipelines.database.engine import open_database
from cv_pipelines.database.label_tables import label_class_events, label_events
from cv_pipelines.web.labelling.label_index import Counts, Label, LabelIndex
from tests.web.indexes import index_of

IMAGES = ["0a", "1b", "2c", "3d"]
NAMES = ("cat", "dog", "cow")
BOX = "0.0,0.0,1.0,1.0"
CONTENTS = [
    None,
    "{}",
    '{"classes":[0]}',
    '{"classes":[2,1]}',
    f'{{"boxes":[[1,{BOX}],[0,{BOX}],[1,{BOX}]],"classes":[2]}}',
    f'{{"boxes":[[2,{BOX}]]}}',
]
AUTHORS = [Author("ann"), Author("bob"), Author("source", "import"), Author("ann", "model", "m1")]
SAYING = st.tuples(st.sampled_from([*IMAGES, "elsewhere"]), st.sampled_from(CONTENTS), st.sampled_from(AUTHORS))
STEPS = st.lists(SAYING | st.sampled_from(["look", "retire", "bring back"]), max_size=12)
numbers = count()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('labels') / 'cv.sqlite'}")
    yield engine
    engine.dispose()


def plainly(connection: Connection, dataset: str) -> tuple[dict[str, Label], Counts]:
    """The labels of images, and how many there are, as each event says it."""
    classes = {one.number: one for one in classes_of(connection, dataset)}
    alive = {number for number, one in classes.items() if one.state != "retired"}
    labels, bearing = dict.fromkeys(IMAGES, Label()), Counter[int]()
    columns = ["image_id", "version", "content", "origin", "who", "model"]
    for row in newest_of(connection, dataset, IMAGES, columns):
        of_image, of_boxes = classes_in(row.content) if row.content else ([], [])
        bears = list(dict.fromkeys([*of_image, *of_boxes]))
        bearing.update(bears)
        if row.content is None or (bears and not alive & set(bears)):
            labels[row.image_id] = Label(row.version)
        else:
            shown = tuple(classes[one] for one in bears if one in alive)
            boxes = sum(one in alive for one in of_boxes)
            labels[row.image_id] = Label(row.version, shown, boxes, row.origin, row.who, row.model)
    labelled = sum(one.origin != "" for one in labels.values())
    return labels, Counts(labelled, len(IMAGES), {number: bearing[number] for number in classes})


@given(STEPS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_index_says_what_the_events_say_whenever_it_is_asked(database: Engine, steps: list[object]) -> None:
    dataset = f"pets-{next(numbers)}"
    index = LabelIndex(index_of(IMAGES), dataset)
    with writing(database, dataset) as connection:
        for name in NAMES:
            add_class(connection, dataset, name, "ann")
    for step in [*steps, "look"]:
        with writing(database, dataset) as connection:
            match step:
                case (str(image), None | str() as content, Author() as author):
                    append(connection, dataset, [Change(image, content)], author)
                case "retire" if any(
                    one.name == "dog" and one.state == "active" for one in classes_of(connection, dataset)
                ):
                    retire_class(connection, dataset, "dog", "ann")
                case "bring back" if any(one.state == "retired" for one in classes_of(connection, dataset)):
                    add_class(connection, dataset, "dog", "ann")
        if step == "look":
            with database.connect() as connection:
                index.catch_up(connection)
                labels, counts = plainly(connection, dataset)
            assert [index.label(row) for row in range(len(IMAGES))] == list(labels.values())
            assert index.counts() == counts
            assert index.labelled().tolist() == [one.origin != "" for one in labels.values()]
            for origin in ("person", "import", "model"):
                assert index.labelled_by(origin).tolist() == [one.origin == origin for one in labels.values()]


def test_a_model_goes_on_using_names_that_classes_had(database: Engine) -> None:
    index = LabelIndex(index_of(IMAGES), "renamed")
    with writing(database, "renamed") as connection:
        for name in NAMES:
            add_class(connection, "renamed", name, "ann")
        rename_class(connection, "renamed", "dog", "hound", "ann")
        retire_class(connection, "renamed", "cow", "ann")
        index.catch_up(connection)

    assert {name: one.number for name, one in index.by_name.items()} == {"cat": 0, "dog": 1, "hound": 1}


def test_a_database_that_has_gone_back_is_read_anew(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'cv.sqlite'}")
    index = LabelIndex(index_of(IMAGES), "pets")
    with writing(engine, "pets") as connection:
        add_class(connection, "pets", "cat", "ann")
        append(connection, "pets", [Change(one, '{"classes":[0]}') for one in IMAGES], Author("ann"))
        index.catch_up(connection)
    with engine.begin() as connection:
        connection.execute(label_events.delete().where(label_events.c.id > 1))
        connection.execute(label_class_events.delete())
        index.catch_up(connection)

    assert (index.counts(), index.labelled().tolist()) == (Counts(0, 4, {}), [False] * 4)
    engine.dispose()
