"""Pages of queues of a data set: which images, in which order, with which labels and suggestions."""

import math

import numpy as np
import pyarrow as pa
import pytest

from cv_pipelines.annotations.store.assignments import assign
from cv_pipelines.annotations.store.classes import add_class, rename_class, retire_class
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.manifest import QUARANTINE
from cv_pipelines.models.embedding import embeddings_schema
from cv_pipelines.models.prediction import PREDICTIONS
from cv_pipelines.retention.records import drop_dataset
from cv_pipelines.storage.bundles import put_bundle, put_table
from cv_pipelines.web.image_index import ImageIndexes
from cv_pipelines.web.labelling.labelled_counts import LabelledCounts
from cv_pipelines.web.labelling.labelling import Labelling
from cv_pipelines.web.labelling.prediction_index import PredictionIndexes
from cv_pipelines.web.labelling.queue_page import QueuePage, find_page, neighbours_of
from cv_pipelines.web.labelling.queues import Choice
from cv_pipelines.web.labelling.similar import find_similar
from cv_pipelines.web.labelling.suggestions import suggested, take_over
from cv_pipelines.web.reviewing.agreement import Agreement
from tests.annotations.datasets import id_of, make_dataset

NAMES = sorted(["a.png", "B.png", "dir/c.png", "d.png", "e.png"], key=id_of)
"""In the order of their ids."""


@pytest.fixture
def labelling(catalog: Catalog) -> Labelling:
    """Five images; classes cat, dog and cow, the last one retired."""
    make_dataset(catalog, dict.fromkeys(NAMES, (30, 20)), "pets")
    with writing(catalog.database, "pets") as connection:
        for name in ("cat", "dog", "cow"):
            add_class(connection, "pets", name, "ann")
        retire_class(connection, "pets", "cow", "ann")
    indexes = ImageIndexes(catalog)
    return Labelling(
        catalog, indexes, Agreement(catalog, indexes), PredictionIndexes(catalog), LabelledCounts(catalog)
    )


def say(labelling: Labelling, name: str, content: str | None, author: Author | str = "ann") -> None:
    by = Author(author) if isinstance(author, str) else author
    with writing(labelling.catalog.database, "pets") as connection:
        append(connection, "pets", [Change(id_of(name), content)], by)


def predict(labelling: Labelling, answers: dict[str, tuple[str, float, float]]) -> None:
    """Publish answers: class, probability and entropy by name."""
    rows = [
        {"image_id": id_of(name), "predicted": predicted, "probability": probability, "entropy": entropy}
        for name, (predicted, probability, entropy) in answers.items()
    ]
    versions = {"model_version": "m1", "data_version": "d1"}
    table = pa.Table.from_pylist(sorted([one | versions for one in rows], key=str), PREDICTIONS)
    store = labelling.catalog.store
    bundle = put_bundle(store, "predictions", "m1-d1", {"model": "m1"}, {"predictions": put_table(store, table)})
    labelling.catalog.publish("predictions", "pets", bundle)


def names(page: QueuePage) -> list[str]:
    return [one.name for one in page.tiles]


def shown(labelling: Labelling, choice: Choice, who: str = "ann") -> list[str]:
    """All images of a queue, two a page."""
    found, after = list[str](), ""
    while True:
        page = find_page(labelling, "pets", choice, who, after, most=2)
        assert (page.start, page.complete) == (len(found), True)
        found += names(page)
        if not (after := page.next):
            assert page.total == len(found)
            return found


def test_images_are_chosen_by_label_by_name_and_by_whether_they_are_labelled(labelling: Labelling) -> None:
    say(labelling, NAMES[0], '{"classes":[0]}')
    say(labelling, NAMES[1], '{"boxes":[[1,0.0,0.0,1.0,1.0]],"classes":[0]}')
    say(labelling, NAMES[2], '{"classes":[2]}')

    assert shown(labelling, Choice()) == NAMES
    assert shown(labelling, Choice("unlabelled")) == NAMES[2:]
    assert shown(labelling, Choice(hide_labelled=True)) == NAMES[2:]
    assert shown(labelling, Choice(label=0)) == NAMES[:2]
    assert shown(labelling, Choice(label=1)) == NAMES[1:2]
    assert shown(labelling, Choice(label=7)) == []
    assert shown(labelling, Choice(search="b.P")) == ["B.png"]
    assert shown(labelling, Choice(search=".*")) == []
    assert shown(labelling, Choice(sort="name")) == ["B.png", "a.png", "d.png", "dir/c.png", "e.png"]
    assert shown(labelling, Choice(sort="newest")) == [NAMES[2], NAMES[1], NAMES[0], *NAMES[3:]]
    counts = find_page(labelling, "pets", Choice(), "ann").counts
    assert (counts.labelled, counts.total, counts.classes) == (2, 5, {0: 2, 1: 1, 2: 1})


def test_the_page_before_is_found_from_any_page_also_from_one_that_is_empty(labelling: Labelling) -> None:
    second = find_page(labelling, "pets", Choice(), "ann", after=id_of(NAMES[1]), most=2)
    first = find_page(labelling, "pets", Choice(), "ann", before=second.previous, most=2)
    behind = find_page(labelling, "pets", Choice(), "ann", after=id_of(NAMES[4]), most=2)

    assert (names(first), names(second), names(behind)) == (NAMES[:2], NAMES[2:4], [])
    assert (first.previous, first.place, second.place) == ("", "", id_of(NAMES[1]))
    assert names(find_page(labelling, "pets", Choice(), "ann", before=behind.previous, most=2)) == NAMES[2:4]
    assert names(find_page(labelling, "pets", Choice(), "ann", after=second.place, most=1)) == NAMES[2:3]
    for sort in ("name", "newest"):
        last = find_page(labelling, "pets", Choice(sort=sort), "ann", before="f" * 64, most=2)
        assert last.end == last.total == 5


def test_what_the_champion_is_least_sure_of_comes_first(labelling: Labelling) -> None:
    predict(labelling, {NAMES[0]: ("cat", 0.9, 0.3), NAMES[1]: ("dog", 0.5, 0.7), NAMES[3]: ("cow", 0.6, 0.9)})
    say(labelling, NAMES[0], '{"classes":[0]}', Author("ann", "model", "m1"))
    say(labelling, NAMES[4], '{"classes":[0]}')

    assert shown(labelling, Choice("unsure")) == [NAMES[3], NAMES[1], NAMES[0], NAMES[2]]
    assert shown(labelling, Choice(sort="unsure"))[:3] == [NAMES[3], NAMES[1], NAMES[0]]
    page = find_page(labelling, "pets", Choice(), "ann")
    told = [one.suggestion and (one.suggestion[0].name, round(one.suggestion[1], 3)) for one in page.tiles]
    assert (told, page.model) == ([("cat", 0.9), ("dog", 0.5), None, None, None], "m1"), "cow is retired"


def test_suggestions_become_labels_of_the_model_where_nobody_has_said_anything(labelling: Labelling) -> None:
    predict(labelling, dict.fromkeys(NAMES[:4], ("dog", 0.9, 0.1)) | {NAMES[4]: ("cat", 0.4, 0.5)})
    with writing(labelling.catalog.database, "pets") as connection:
        rename_class(connection, "pets", "dog", "hound", "ann")
    say(labelling, NAMES[0], '{"classes":[0]}')
    say(labelling, NAMES[1], '{"classes":[0]}')
    say(labelling, NAMES[1], None)
    found = labelling.require("pets")
    assert found.predictions
    with labelling.up_to_date(found):
        some = suggested(found, found.predictions, 0.9)
        assert len(suggested(found, found.predictions, 0.9, id_of(NAMES[1])).rows) == 2
    say(labelling, NAMES[2], '{"classes":[0]}', "bob")

    written = take_over(labelling.catalog.database, found, "m1", some, "ann")

    tiles = find_page(labelling, "pets", Choice(), "ann").tiles
    assert ([found.images.name_at(row) for row in some.rows.tolist()], written) == (NAMES[1:4], 2)
    assert [(one.origin, one.who, one.model, [c.name for c in one.classes]) for one in tiles] == [
        ("person", "ann", "", ["cat"]),
        ("model", "ann", "m1", ["hound"]),
        ("person", "bob", "", ["cat"]),
        ("model", "ann", "m1", ["hound"]),
        ("", "", "", []),
    ]


def test_the_loop_asks_for_images_in_its_order(labelling: Labelling) -> None:
    asked = [NAMES[3], NAMES[0], "no longer there", NAMES[4]]
    table = pa.table({"rank": [4, 2, 3, 1], "image_id": [id_of(asked[n]) for n in (3, 1, 2, 0)]})
    store = labelling.catalog.store
    bundle = put_bundle(store, "label_queue", "1", {}, {"queue": put_table(store, table)})
    assert shown(labelling, Choice("asked")) == []
    labelling.catalog.publish("label_queue", "pets", bundle)

    assert shown(labelling, Choice("asked")) == [NAMES[3], NAMES[0], NAMES[4]]
    say(labelling, NAMES[0], "{}")
    assert shown(labelling, Choice("asked")) == [NAMES[3], NAMES[4]]
    assert shown(labelling, Choice("asked", sort="id")) == [NAMES[3], NAMES[4]]
    found = labelling.require("pets")
    row = int(found.images.rows_of([id_of(NAMES[0])])[0])
    ends = neighbours_of(labelling, found, Choice("asked"), "ann", row)
    assert ends == (id_of(NAMES[3]), id_of(NAMES[4])), "also of an image that has just left the queue"


def test_what_is_assigned_is_labelled_without_seeing_what_others_say(labelling: Labelling) -> None:
    with writing(labelling.catalog.database, "pets") as connection:
        assign(connection, "pets", [id_of(NAMES[1]), id_of(NAMES[3])], ["bob"], "admin")
    say(labelling, NAMES[1], '{"classes":[0]}')
    say(labelling, NAMES[3], '{"classes":[0]}', Author("source", "import"))

    assert shown(labelling, Choice("mine"), "bob") == [NAMES[1], NAMES[3]]
    assert shown(labelling, Choice("mine"), "ann") == []
    seen = {one.name: (one.version, one.origin) for one in find_page(labelling, "pets", Choice(), "bob").tiles}
    assert (seen[NAMES[1]], seen[NAMES[3]]) == ((1, ""), (1, "import"))
    for who, bearing, left in (("bob", [NAMES[3]], NAMES[1]), ("ann", [NAMES[1], NAMES[3]], None)):
        assert shown(labelling, Choice(label=0), who) == bearing, "no filter tells it either"
        for choice in (Choice(hide_labelled=True), Choice("unlabelled"), Choice("unsure")):
            assert (NAMES[1] in shown(labelling, choice, who)) == (left is not None)
    say(labelling, NAMES[1], '{"classes":[1]}', "bob")
    assert shown(labelling, Choice("mine"), "bob") == [NAMES[3]]
    find_page(labelling, "pets", Choice("disagreement"), "ann")
    assert shown(labelling, Choice("disagreement")) == [NAMES[1]]


def test_images_like_one_are_found_unlabelled_ones_first(labelling: Labelling) -> None:
    with pytest.raises(InputError, match="train one first"):
        find_similar(labelling, "pets", id_of(NAMES[0]), "ann", 9)
    angles = {NAMES[0]: 0, NAMES[1]: 10, NAMES[2]: 40, NAMES[3]: 90, NAMES[4]: 20, "gone": 1}
    rows = sorted((id_of(name), math.radians(angle)) for name, angle in angles.items())
    vectors = np.array([[math.cos(angle), math.sin(angle)] for _, angle in rows], np.float16)
    arrays = [pa.array([one for one, _ in rows]), pa.FixedSizeListArray.from_arrays(vectors.ravel(), 2)]
    store = labelling.catalog.store
    parts = {"embeddings": put_table(store, pa.table(arrays, embeddings_schema(2)))}
    bundle = put_bundle(store, "image_embeddings", "1", {}, parts)
    labelling.catalog.publish("image_embeddings", "pets", bundle)
    say(labelling, NAMES[1], '{"classes":[0]}')

    page = find_similar(labelling, "pets", id_of(NAMES[0]), "ann", 9)

    assert names(page) == [NAMES[4], NAMES[2], NAMES[3], NAMES[1]]
    assert page.like
    assert (page.like.name, page.total) == (NAMES[0], 4)
    assert names(find_similar(labelling, "pets", id_of(NAMES[0]), "ann", 1)) == [NAMES[4]]


def test_files_that_are_not_used_are_told_with_their_reasons(catalog: Catalog, labelling: Labelling) -> None:
    manifest = catalog.open(catalog.require("image_manifest", "pets"))
    rows = [{"path": f"{n}.jpg", "code": "empty", "reason": "it is empty"} for n in range(5)]
    parts = {**manifest.parts, "quarantine": put_table(catalog.store, pa.Table.from_pylist(rows, QUARANTINE))}
    catalog.publish("image_manifest", "pets", put_bundle(catalog.store, "image_manifest", "2", {}, parts))

    first = find_page(labelling, "pets", Choice("quarantined"), "ann", most=2)
    last = find_page(labelling, "pets", Choice("quarantined"), "ann", before="f" * 64, most=2)

    assert [one.path for one in first.files] == ["0.jpg", "1.jpg"]
    assert (first.files[0].reason, first.start, first.total, first.end) == ("it is empty", 0, 5, 2)
    second = find_page(labelling, "pets", Choice("quarantined"), "ann", first.next, most=2)
    assert [one.path for one in second.files] == ["2.jpg", "3.jpg"]
    assert find_page(labelling, "pets", Choice("quarantined"), "ann", before=second.previous, most=2) == first
    assert [one.path for one in last.files] == ["3.jpg", "4.jpg"]
    assert [one.path for one in find_page(labelling, "pets", Choice("quarantined", search="3"), "ann").files] == [
        "3.jpg"
    ]


def test_a_data_set_that_was_removed_and_named_again_has_no_labels(labelling: Labelling) -> None:
    say(labelling, NAMES[0], "{}")
    assert find_page(labelling, "pets", Choice(), "ann").counts.labelled == 1
    with labelling.catalog.database.begin() as connection:
        drop_dataset(connection, "pets")
    make_dataset(labelling.catalog, dict.fromkeys(NAMES, (30, 20)), "pets")

    assert find_page(labelling, "pets", Choice(), "ann").counts.labelled == 0
