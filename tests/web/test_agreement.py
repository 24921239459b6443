"""Figures of agreement that are kept up: always those that reading everything anew would give."""

from concurrent.futures import wait
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cv_pipelines.annotations.annotation import NONE
from cv_pipelines.annotations.store.classes import ensure_classes, rename_class
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.web.image_index import ImageIndexes
from cv_pipelines.web.reviewing.agreement import Agreement, Figures
from tests.annotations.datasets import id_of, make_dataset

IMAGES = [f"{number}.png" for number in range(4)]
CONTENTS = ['{"classes":[0]}', '{"classes":[1]}', '{"boxes":[[0,0,0,9,9]]}', None]
PEOPLE = ["ann", "bob", "cid"]
EVENTS = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(IMAGES), st.sampled_from(CONTENTS), st.booleans()),
    max_size=8,
)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    folder: Path = tmp_path_factory.mktemp("agreement")
    return Catalog(open_database(f"sqlite:///{folder / 'cv.sqlite'}"), LocalStore(folder / "store"))


def say(catalog: Catalog, dataset: str, said: list[tuple[str, str, str | None, bool]]) -> None:
    for who, image, content, adjudicates in said:
        with writing(catalog.database, dataset) as connection:
            append(connection, dataset, [Change(id_of(image), content, None, adjudicates)], Author(who))


def read(agreement: Agreement, dataset: str) -> Figures:
    answer = agreement.of(dataset, patience=30)
    assert answer.fresh
    assert answer.figures is not None
    return answer.figures


def about(figures: Figures) -> object:
    rows = [*figures.pairs, *figures.annotators, *figures.classes, {"kappa": figures.kappa}]
    return figures.images, figures.disputes, [pytest.approx(row) for row in rows]


def plain(figures: Figures) -> object:
    rows = [*figures.pairs, *figures.annotators, *figures.classes, {"kappa": figures.kappa}]
    return figures.images, figures.disputes, rows


numbers = iter(range(1_000_000))


@settings(max_examples=25, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=4))
def test_what_is_kept_up_is_what_reading_all_gives(
    catalog: Catalog, portions: list[list[tuple[str, str, str | None, bool]]]
) -> None:
    dataset = f"set-{next(numbers)}"
    make_dataset(catalog, dict.fromkeys(IMAGES[:3], (20, 20)), dataset)
    with writing(catalog.database, dataset) as connection:
        ensure_classes(connection, dataset, [("cat", "", NONE), ("dog", "", NONE)], "ann")
    kept = Agreement(catalog, ImageIndexes(catalog))
    for some in portions:
        say(catalog, dataset, some)
        now = read(kept, dataset)
        assert plain(now) == about(read(Agreement(catalog, ImageIndexes(catalog)), dataset))
    assert id_of(IMAGES[3]) not in now.disputes, "the data set does not have it"


def test_another_name_of_a_class_is_known_at_once(catalog: Catalog) -> None:
    make_dataset(catalog, dict.fromkeys(IMAGES, (20, 20)), "renamed")
    with writing(catalog.database, "renamed") as connection:
        ensure_classes(connection, "renamed", [("cat", "", NONE), ("dog", "", NONE)], "ann")
    agreement = Agreement(catalog, ImageIndexes(catalog))
    say(catalog, "renamed", [("ann", "0.png", CONTENTS[0], False), ("bob", "0.png", CONTENTS[1], False)])
    assert [one["class"] for one in read(agreement, "renamed").classes] == ["cat", "dog"]
    with writing(catalog.database, "renamed") as connection:
        rename_class(connection, "renamed", "cat", "tom", "ann")

    assert [one["class"] for one in read(agreement, "renamed").classes] == ["dog", "tom"]


def test_figures_that_are_ready_in_the_last_moment_are_known_to_be_of_now(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the page says that they are old, and asks again."""
    make_dataset(catalog, dict.fromkeys(IMAGES, (20, 20)), "just-so")
    monkeypatch.setattr("cv_pipelines.web.reviewing.agreement.wait", lambda work, _: wait(work))

    assert Agreement(catalog, ImageIndexes(catalog)).of("just-so", patience=0).fresh


def test_who_does_not_wait_is_told_what_is_known(catalog: Catalog) -> None:
    make_dataset(catalog, dict.fromkeys(IMAGES, (20, 20)), "busy")
    with writing(catalog.database, "busy") as connection:
        ensure_classes(connection, "busy", [("cat", "", NONE), ("dog", "", NONE)], "ann")
    agreement = Agreement(catalog, ImageIndexes(catalog))
    first = agreement.of("busy", patience=0)
    assert first.figures is None or first.fresh
    before = read(agreement, "busy")
    say(catalog, "busy", [("ann", "0.png", CONTENTS[0], False), ("bob", "0.png", CONTENTS[1], False)])

    now = agreement.of("busy", patience=0)

    assert now.fresh or now.figures == before
    assert read(agreement, "busy").disputes == (id_of("0.png"),)
