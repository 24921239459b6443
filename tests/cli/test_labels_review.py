"""`cv-pipelines labels set|delete|agreement|disputes|adjudicate`: what a person sees, and what is said then."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from cv_pipelines.active_learning.parameters import QueueParameters
from cv_pipelines.active_learning.queue import make_queue
from cv_pipelines.annotations.annotation import NONE
from cv_pipelines.annotations.store.classes import ensure_classes
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.main import main
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.images.manifest import IMAGES
from cv_pipelines.settings import load_settings
from cv_pipelines.storage.bundles import put_bundle, put_table

Run = Callable[..., Result]
IDS = {"cat/1.png": "aa" * 32, "dog/2.png": "bb" * 32}
BOX = '{"boxes":[[1,0,0,9,9]],"classes":[0]}'


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalog]:
    """The data set `pets` with two images and two classes, as the commands open it."""
    monkeypatch.setenv("CV_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("LOGNAME", "me")
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    made = open_catalog()
    add_dataset(made.database, "pets", str(tmp_path))
    images = [{"image_id": image, "sources": [path], "width": 40, "height": 30} for path, image in IDS.items()]
    parts = {"images": put_table(made.store, pa.Table.from_pylist(images, IMAGES))}
    made.publish("image_manifest", "pets", put_bundle(made.store, "image_manifest", "m1", {}, parts))
    with writing(made.database, "pets") as connection:
        ensure_classes(connection, "pets", [("cat", "", NONE), ("dog", "", NONE)], "source")
        ensure_classes(connection, "pets", [("ghost", "", NONE)], "source", "unknown")
    yield made
    made.database.dispose()
    load_settings.cache_clear()


@pytest.fixture
def run(catalog: Catalog) -> Run:
    """`run(*words)`: a command; `catalog` is what it works on."""
    return lambda *words: CliRunner().invoke(main, ["labels", *words])


def history(run: Run, image: str = "cat/1.png") -> list[tuple[Any, ...]]:
    shown = json.loads(run("history", "pets", image, "--json").stdout)
    return [(one["version"], one["label"], one["origin"], one["who"]) for one in shown]


def draw(catalog: Catalog, who: str, content: str = BOX) -> None:
    with writing(catalog.database, "pets") as connection:
        append(connection, "pets", [Change(IDS["cat/1.png"], content)], Author(who))


def dispute(run: Run) -> None:
    assert run("set", "pets", "cat/1.png", "--class", "cat", "--by", "ann").exit_code == 0
    assert run("set", "pets", "aaaaaa", "--class", "dog", "--by", "bob").exit_code == 0


def test_what_a_person_says_is_their_event(run: Run) -> None:
    assert "me says of cat/1.png: cat." in run("set", "pets", "cat/1.png", "--class", "cat").output
    assert "So it was before" in run("set", "pets", "cat/1.png", "--class", "cat").output
    assert (
        run("set", "pets", "cat/1.png", "--class", "cat", "--by", "bob").output == "bob says of cat/1.png: cat.\n"
    )
    assert run("set", "pets", "cat/1.png", "--class", "cat", "--class", "dog").exit_code == 0
    assert "has no label now" in run("delete", "pets", "cat/1.png", "--by", "bob").output
    assert "had none" in run("delete", "pets", "dog/2.png").output

    assert history(run) == [
        (4, "no label", "person", "bob"),
        (3, "cat, dog", "person", "me"),
        (2, "cat", "person", "bob"),
        (1, "cat", "person", "me"),
    ]


def test_classes_are_set_and_boxes_stay(run: Run, catalog: Catalog) -> None:
    draw(catalog, "ann")
    assert run("set", "pets", "cat/1.png", "--class", "dog").exit_code == 0
    assert history(run)[0] == (2, "dog, 1 × dog", "person", "me")


def test_who_has_seen_an_older_version_is_refused(run: Run) -> None:
    dispute(run)
    for words in (
        ("set", "pets", "cat/1.png", "--class", "cat"),
        ("delete", "pets", "cat/1.png"),
        ("adjudicate", "pets", "cat/1.png", "--as", "ann"),
    ):
        refused = run(*words, "--seen", "1")
        assert refused.exit_code == 1
        assert "'cat/1.png' has changed: there is version 2 by bob, not version 1." in refused.output
    assert len(history(run)) == 2
    assert run("adjudicate", "pets", "cat/1.png", "--as", "ann", "--seen", "2").exit_code == 0
    assert "there is no label yet, not version 1" in run("delete", "pets", "dog/2.png", "--seen", "1").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", "pets", "cat/9.png", "--class", "cat"), "'pets' has no image 'cat/9.png'"),
        (("set", "pets", "cat/1.png", "--class", "emu"), "'pets' has no class 'emu' (there are: 'cat', 'dog')"),
        (("set", "pets", "cat/1.png", "--class", "ghost"), "labels classes add pets 'ghost'"),
        (("set", "pats", "cat/1.png", "--class", "cat"), "There is no data set 'pats'"),
        (("set", "pets", "cat/1.png", "--class", "cat", "--by", " "), "' ' is nobody's name"),
        (
            ("adjudicate", "pets", "cat/1.png", "--as", "cid"),
            "'cid' says nothing of 'cat/1.png' (who does: 'ann', 'bob')",
        ),
        (("adjudicate", "pets", "dog/2.png", "--as", "ann"), "(who does: nobody yet)"),
        (("agreement", "pats"), "There is no data set 'pats'"),
        (("disputes", "pats"), "There is no data set 'pats'"),
    ],
)
def test_mistakes_are_told_and_change_nothing(run: Run, words: tuple[str, ...], said: str) -> None:
    dispute(run)
    refused = run(*words)
    assert refused.exit_code == 1
    assert said in " ".join(refused.output.split())
    assert len(history(run)) == 2


@pytest.mark.parametrize("words", [(), ("--as", "ann", "--class", "cat")])
def test_a_verdict_is_a_person_or_classes(run: Run, words: tuple[str, ...]) -> None:
    assert run("adjudicate", "pets", "cat/1.png", *words).exit_code == 2


def test_disputes_are_listed_until_they_are_settled(run: Run) -> None:
    assert "Nothing is in dispute: 0 images" in run("disputes", "pets").output
    dispute(run)

    told = run("disputes", "pets").output
    assert "1 image in dispute" in told
    assert [line.split() for line in told.splitlines()[2:4]] == [
        ["cat/1.png", "2", "ann", "cat"],
        ["cat/1.png", "2", "bob", "dog"],
    ]
    assert json.loads(run("disputes", "pets", "--json").stdout) == {
        "dataset": "pets",
        "in_dispute": 1,
        "images": [
            {
                "image": "cat/1.png",
                "image_id": IDS["cat/1.png"],
                "version": 2,
                "opinions": [
                    {"who": "ann", "classes": ["cat"], "boxes": []},
                    {"who": "bob", "classes": ["dog"], "boxes": []},
                ],
            }
        ],
    }

    assert "cat/1.png is settled: as ann says." in run("adjudicate", "pets", "cat/1.png", "--as", "ann").output
    assert history(run)[0] == (3, "cat", "adjudication", "me")
    assert json.loads(run("disputes", "pets", "--json").stdout)["images"] == []
    assert "was not in dispute" in run("adjudicate", "pets", "cat/1.png", "--class", "dog").output
    assert history(run)[0] == (4, "dog", "adjudication", "me")


def test_a_verdict_takes_a_persons_boxes_and_never_loses_them(run: Run, catalog: Catalog) -> None:
    draw(catalog, "ann", '{"attributes":{"weather":"fog"},"boxes":[[1,0,0,9,9,{"attributes":{"hidden":true}}]]}')
    draw(catalog, "bob", '{"boxes":[[0,0,0,9,9]]}')

    refused = run("adjudicate", "pets", "cat/1.png", "--class", "cat")
    assert refused.exit_code == 1
    assert "ann, bob have drawn boxes on 'cat/1.png': classes alone would lose them" in refused.output
    assert run("adjudicate", "pets", "cat/1.png", "--as", "ann").exit_code == 0

    with writing(catalog.database, "pets") as connection:
        same = Change(
            IDS["cat/1.png"],
            '{"attributes":{"weather":"fog"},"boxes":[[1,0,0,9,9,{"attributes":{"hidden":true}}]]}',
        )
        assert append(connection, "pets", [same], Author("me")).unchanged == 1, "the very same, attributes and all"


def test_agreement(run: Run) -> None:
    assert run("agreement", "pets").output == "0 images of pets have labels of two or more people.\n"
    dispute(run)
    for who in ("ann", "bob", "cid"):
        run("set", "pets", "dog/2.png", "--class", "dog", "--by", who)

    told = run("agreement", "pets").output
    assert "2 images of pets have labels of two or more people." in told
    assert "In dispute: 1. Next: cv-pipelines labels disputes pets" in told
    found = json.loads(run("agreement", "pets", "--json").stdout)
    assert [(one["first"], one["second"], one["images"], one["agree_on"]) for one in found["pairs"]] == [
        ("ann", "bob", 2, 1),
        ("ann", "cid", 1, 1),
        ("bob", "cid", 1, 1),
    ]
    assert found["pairs"][0] | {"images": 2} == found["pairs"][0]
    assert (found["images"], found["in_dispute"], found["pairs"][1]["kappa"]) == (2, 1, None)
    assert [one["class"] for one in found["classes"]] == ["cat", "dog"]


def test_images_are_assigned_labelled_and_taken_back(run: Run) -> None:
    given = json.loads(
        run("assign", "pets", "--to", "ann", "--to", "bob", "--count", "2", "--twice", "1", "--json").stdout
    )
    assert given == {"dataset": "pets", "images": 2, "twice": 2, "shares": {"ann": 2, "bob": 2}}
    assert run("set", "pets", "cat/1.png", "--class", "cat", "--by", "ann").exit_code == 0

    rows = json.loads(run("assignments", "pets", "--json").stdout)
    assert [(row["who"], row["assigned"], row["done"], row["open"]) for row in rows] == [
        ("ann", 2, 1, 1),
        ("bob", 2, 0, 2),
    ]
    assert "2 assignments taken back from bob." in run("withdraw", "pets", "--from", "bob").output
    assert "1 assignments taken back in all." in run("withdraw", "pets").output


def test_these_images_are_assigned(run: Run) -> None:
    told = run("assign", "pets", "--to", "ann", "--image", "cat/1.png", "--image", "aaaaaa").output

    assert "1 image assigned, 0 of them to two people." in told
    again = run("assign", "pets", "--to", "bob", "--image", "cat/1.png")
    assert "0 images assigned" in again.output
    assert "somebody has them" in again.output


def test_what_is_asked_for_is_assigned(run: Run, catalog: Catalog) -> None:
    assert "cv-pipelines labels ask pets" in run("assign", "pets", "--to", "ann", "--from", "asked").output
    made = make_queue(catalog, "pets", catalog.require("image_manifest", "pets"), QueueParameters(size=1))
    catalog.publish("label_queue", "pets", made.reference)
    assert "1 image assigned" in run("assign", "pets", "--to", "ann", "--from", "asked").output


def test_labelled_images_are_assigned_only_where_any_will_do(run: Run) -> None:
    run("set", "pets", "cat/1.png", "--class", "cat", "--by", "cid")

    assert "1 image assigned" in run("assign", "pets", "--to", "ann").output
    run("withdraw", "pets")
    assert "2 images assigned" in run("assign", "pets", "--to", "ann", "--from", "random").output


def test_that_two_people_label_takes_two(run: Run) -> None:
    alone = run("assign", "pets", "--to", "ann", "--to", "ann", "--twice", "0.5")

    assert alone.exit_code == 1
    assert "two people or more" in alone.output
    assert run("assign", "pets", "--to", "a\nb").exit_code == 1
    assert run("assign", "none", "--to", "ann").exit_code == 1
