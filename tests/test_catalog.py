import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.tables import artefacts
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.models.registry import register
from cv_pipelines.storage.bundles import Reference, put_bundle, put_part
from tests.catalogs import forget_name
from tests.servers import on_both_databases


def put(catalog: Catalog, version: str, kind: str = "toy", note: str = "") -> Reference:
    parts = {"text": put_part(catalog.store, f"text of {version}".encode(), ".txt")}
    return put_bundle(catalog.store, kind, version, {"note": note}, parts)


def test_the_same_inputs_are_worked_on_once(catalog: Catalog) -> None:
    made: list[str] = []

    def make(key: str) -> Reference:
        made.append(key)
        return put(catalog, "v1")

    first = catalog.once("toy", {"a": 1, "b": [2]}, make)
    second = catalog.once("toy", {"b": [2], "a": 1}, make)

    assert len(made) == 1
    assert (first.reused, second.reused) == (False, True)
    assert first.reference == second.reference
    assert second.bundle.bytes("text") == b"text of v1"


def test_other_inputs_or_another_kind_are_worked_on(catalog: Catalog) -> None:
    catalog.once("toy", {"a": 1}, lambda _: put(catalog, "v1"))

    other_inputs = catalog.once("toy", {"a": 2}, lambda _: put(catalog, "v2"))
    other_kind = catalog.once("game", {"a": 1}, lambda _: put(catalog, "v3", kind="game"))

    assert (other_inputs.reference.version, other_inputs.reused) == ("v2", False)
    assert (other_kind.reference.version, other_kind.reused) == ("v3", False)


@on_both_databases
def test_of_two_threads_the_first_one_recorded_stands_for_both(catalog: Catalog) -> None:
    both_are_making = threading.Barrier(2, timeout=30)

    def work(name: str) -> Reference:
        def make(_: str) -> Reference:
            both_are_making.wait()
            return put(catalog, "v1", note=name)

        return catalog.once("toy", {"a": 1}, make).reference

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(work, ["one", "other"])

    assert first == second
    assert catalog.open(first).facts["note"] in ("one", "other")
    with catalog.database.connect() as connection:
        assert connection.execute(select(func.count()).select_from(artefacts)).scalar() == 1
    later = catalog.once("toy", {"a": 1}, lambda _: put(catalog, "never"))
    assert (later.reference, later.reused) == (first, True)


def test_what_fails_is_not_recorded_and_tried_again(catalog: Catalog) -> None:
    def fail(_: str) -> Reference:
        raise InputError("bad", "Bad data.")

    with pytest.raises(InputError, match="Bad data"):
        catalog.once("toy", {"a": 1}, fail)

    assert catalog.once("toy", {"a": 1}, lambda _: put(catalog, "v1")).reused is False


@on_both_databases
def test_an_artefact_that_the_store_has_lost_is_made_again(catalog: Catalog) -> None:
    first = catalog.once("toy", {"a": 1}, lambda _: put(catalog, "v1", note="first"))
    catalog.store.delete(first.reference.key)

    second = catalog.once("toy", {"a": 1}, lambda _: put(catalog, "v1", note="second"))
    third = catalog.once("toy", {"a": 1}, lambda _: put(catalog, "v1", note="third"))

    assert second.bundle.facts["note"] == "second"
    assert (third.reference, third.reused) == (second.reference, True)


@on_both_databases
def test_the_newest_publication_is_the_current_one_and_the_others_stay_in_the_record(catalog: Catalog) -> None:
    references = [put(catalog, version) for version in ("v1", "v2", "v3", "v2")]
    for number, reference in enumerate(references):
        catalog.publish("labels", "digits", reference, run_id=f"run-{number}")

    history = catalog.history("labels", "digits")

    assert catalog.current("labels", "digits") == references[-1]
    assert [one.reference.version for one in history] == ["v2", "v3", "v2", "v1"]
    assert {(one.asset, one.dataset) for one in history} == {("labels", "digits")}
    assert [one.reference.version for one in catalog.history("labels", "digits", limit=2)] == ["v2", "v3"]


def test_partitions_and_assets_do_not_see_each_other(catalog: Catalog) -> None:
    catalog.publish("labels", "digits", put(catalog, "v1"))

    assert catalog.current("labels", "digits-2") is None
    assert catalog.current("splits", "digits") is None
    assert catalog.history("splits", "digits") == []


@on_both_databases
def test_a_publication_says_when_it_was_in_utc(catalog: Catalog) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    catalog.publish("labels", "digits", put(catalog, "v1"))

    (publication,) = catalog.history("labels", "digits")

    assert publication.created_at.utcoffset() == timedelta(0)
    assert before <= publication.created_at <= datetime.now(UTC) + timedelta(seconds=1)


def test_what_was_never_published_is_asked_for_with_the_command(catalog: Catalog) -> None:
    with pytest.raises(InputError, match="cv-pipelines run digits") as caught:
        catalog.require("labels", "digits")

    assert caught.value.code == "not_materialized"
    catalog.publish("labels", "digits", put(catalog, "v1"))
    assert catalog.require("labels", "digits").version == "v1"


@on_both_databases
def test_the_newest_artefact_is_found_by_the_start_of_its_version(catalog: Catalog) -> None:
    def put_once(number: int, version: str) -> None:
        catalog.once("toy", {"n": number}, lambda _: put(catalog, version))

    for number, version in enumerate(["a_b-1", "axb-2", "a_b-3", "axb-4"]):
        put_once(number, version)

    newest = catalog.newest("toy", "a_b")

    assert newest is not None
    assert newest.version == "a_b-3"
    assert catalog.newest("toy", "%") is None
    assert catalog.newest("game", "a") is None


@on_both_databases
def test_a_name_given_anew_does_not_stand_for_what_was_removed(catalog: Catalog) -> None:
    add_dataset(catalog.database, "name", "/one")
    reference = put_bundle(catalog.store, "toy", "v", {}, {})
    catalog.publish("asset", "name", reference)
    assert catalog.current("asset", "name") == reference
    forget_name(catalog.database, "name")
    time.sleep(0.01)  # the database's clock counts milliseconds
    add_dataset(catalog.database, "name", "/other")
    assert catalog.current("asset", "name") is None


@on_both_databases
def test_every_artefact_that_the_record_names_is_listed_once(catalog: Catalog) -> None:
    made = catalog.once("toy", {"a": 1}, lambda _: put(catalog, "v1")).reference
    published = put(catalog, "v2", kind="game")
    catalog.publish("labels", "digits", made)
    catalog.publish("labels", "digits", published)
    model = put(catalog, "v3", kind="trained_model")
    register(catalog.database, "digits", model)

    assert sorted(catalog.references(), key=lambda one: one.version) == [made, published, model]
