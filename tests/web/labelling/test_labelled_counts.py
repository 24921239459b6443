"""Counts of lists of data sets, against what the header of the grid says."""

from contextlib import suppress
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cv_pipelines.annotations.store.classes import add_class, retire_class
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.label_tables import label_events
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.web.image_index import ImageIndexes
from cv_pipelines.web.labelling import uncounted
from cv_pipelines.web.labelling.labelled_counts import LabelledCounts
from cv_pipelines.web.labelling.labelling import Labelling
from cv_pipelines.web.labelling.prediction_index import PredictionIndexes
from cv_pipelines.web.reviewing.agreement import Agreement
from tests.annotations.datasets import id_of, make_dataset

NAMES = ["a.png", "b.png", "c.png", "d.png"]
CLASSES = ("cat", "dog")
CONTENTS = [None, "{}", '{"classes":[0]}', '{"classes":[0,1]}', '{"boxes":[[1,0.0,0.0,1.0,1.0]]}']
STEPS = st.lists(
    st.tuples(st.just("say"), st.sampled_from(NAMES), st.sampled_from(CONTENTS))
    | st.tuples(st.sampled_from(["retire", "add"]), st.sampled_from(CLASSES), st.none())
    | st.tuples(st.just("images"), st.integers(1, 4), st.none())
    | st.just(("look", "", None)),
    max_size=14,
)
numbers = count()


@dataclass
class World:
    """A data set of at most four images, as one process of the site sees it."""

    labelling: Labelling
    name: str
    present: tuple[str, ...] = ()

    @property
    def catalog(self) -> Catalog:
        return self.labelling.catalog

    def have(self, names: list[str]) -> None:
        self.present = tuple(names)
        make_dataset(self.catalog, dict.fromkeys(names, (30, 20)), self.name)

    def say(self, name: str, content: str | None) -> None:
        if name in self.present:
            with writing(self.catalog.database, self.name) as connection:
                append(connection, self.name, [Change(id_of(name), content)], Author("ann"))

    def act(self, step: str, what: str | int, content: str | None) -> None:
        if step == "say":
            self.say(str(what), content)
        elif step == "images":
            self.have(NAMES[: int(what)])
        elif step != "look":
            with suppress(InputError), writing(self.catalog.database, self.name) as connection:
                (retire_class if step == "retire" else add_class)(connection, self.name, str(what), "ann")

    @property
    def listed(self) -> int:
        """What the list of data sets says."""
        dataset = find_dataset(self.catalog.database, self.name)
        return self.labelling.counts.of([dataset])[self.name]

    @property
    def headed(self) -> int:
        """What the header of the grid says."""
        found = self.labelling.require(self.name, suggesting=False)
        with self.labelling.up_to_date(found):
            return found.labels.counts().labelled


@pytest.fixture
def labelling(catalog: Catalog) -> Labelling:
    indexes = ImageIndexes(catalog)
    agreement, predictions = Agreement(catalog, indexes), PredictionIndexes(catalog)
    return Labelling(catalog, indexes, agreement, predictions, LabelledCounts(catalog))


def begin(labelling: Labelling, name: str) -> World:
    world = World(labelling, name)
    world.have(NAMES)
    with writing(labelling.catalog.database, name) as connection:
        for one in CLASSES:
            add_class(connection, name, one, "ann")
    return world


@pytest.fixture
def world(labelling: Labelling) -> World:
    return begin(labelling, "pets")


def test_labels_of_retired_classes_and_of_images_that_are_gone_do_not_count(world: World) -> None:
    for name in NAMES[:3]:
        world.say(name, '{"classes":[0]}')
    world.say(NAMES[3], '{"classes":[1]}')
    assert (world.listed, world.headed) == (4, 4)

    world.act("retire", "cat", None)
    assert (world.listed, world.headed) == (1, 1)
    world.say(NAMES[0], '{"classes":[1]}')
    assert (world.listed, world.headed) == (2, 2)
    world.have(NAMES[:2])
    assert (world.listed, world.headed) == (1, 1)
    world.act("add", "cat", None)
    assert (world.listed, world.headed) == (2, 2)


def test_what_was_erased_with_its_image_does_not_count(world: World) -> None:
    world.say(NAMES[0], '{"classes":[0]}')
    world.say(NAMES[1], '{"classes":[0]}')
    with world.catalog.database.begin() as connection:
        gone = label_events.c.image_id == id_of(NAMES[1])
        connection.execute(label_events.update().where(gone).values(content=None))
    world.have(NAMES[:1])
    assert (world.listed, world.headed) == (1, 1)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_whatever_happens_the_list_and_the_header_say_the_same(
    labelling: Labelling, steps: list[tuple[str, str | int, str | None]]
) -> None:
    world = begin(labelling, f"pets-{next(numbers)}")
    for step in steps:
        world.act(*step)
        if step[0] == "look":
            assert world.listed == world.headed
    assert world.listed == world.headed


def test_labels_are_read_once_and_only_where_some_may_not_count(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    whole = uncounted._pages
    monkeypatch.setattr(uncounted, "_pages", lambda *given: read.append(1) or whole(*given))
    world.say(NAMES[0], '{"classes":[0]}')
    assert (world.listed, read) == (1, [])
    world.act("retire", "cat", None)
    assert (world.listed, world.listed, read) == (0, 0, [1])
    world.say(NAMES[1], '{"classes":[1]}')
    world.act("add", "horse", None)
    world.say(NAMES[2], '{"classes":[2]}')
    assert (world.listed, read) == (2, [1]), "what has come since is enough"
