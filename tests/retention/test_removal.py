"""A data set is removed with every byte that nothing else needs, and with no other."""

import shutil

import pytest
from sqlalchemy import func, select

from cv_pipelines.annotations.store.classes import add_class
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.label_tables import label_class_events, label_events
from cv_pipelines.database.tables import acceptances, artefacts, datasets, models, promotions, publications
from cv_pipelines.database.training_tables import model_names
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import find_dataset, list_datasets
from cv_pipelines.images.decisions import accept
from cv_pipelines.images.ingest import ingest, journal_of
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.stored import stored_images
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.models.names import name_model
from cv_pipelines.models.registry import promote, register
from cv_pipelines.retention import removal as removing
from cv_pipelines.retention.check import check_references
from cv_pipelines.retention.collection import collect_garbage
from cv_pipelines.retention.records import days_ago
from cv_pipelines.retention.removal import Removal, plan_removal, remove
from cv_pipelines.storage.bundles import Reference, put_bundle, put_part, put_table
from tests.library import Library
from tests.servers import on_both_databases


def plan(library: Library, name: str) -> Removal:
    return plan_removal(library.catalog, find_dataset(library.catalog.database, name))


def train(catalog: Catalog, name: str, version: str) -> Reference:
    """A champion with an evaluation, as a run leaves them."""

    def make(kind: str, version: str) -> Reference:
        parts = {"part": put_part(catalog.store, f"{kind} {version}".encode(), ".bin")}
        return catalog.once(
            kind, {"v": version}, lambda _: put_bundle(catalog.store, kind, version, {}, parts)
        ).reference

    model = make("trained_model", version)
    make("model_evaluation", f"{version}-1")
    catalog.publish("trained_model", name, model)
    name_model(catalog.database, name, model, f"{name}-model", "somebody")
    promote(catalog.database, register(catalog.database, name, model), "champion", "x", "y", {})
    return model


def label(catalog: Catalog, name: str) -> None:
    with writing(catalog.database, name) as connection:
        add_class(connection, name, "cat", "somebody")
        append(connection, name, [Change("1" * 64, '{"classes":[0]}')], Author("somebody"))


def rows(catalog: Catalog) -> dict[str, int]:
    """How many rows each table has."""
    tables = [datasets, publications, acceptances, models, promotions, artefacts, label_events, label_class_events]
    tables += [model_names]
    with catalog.database.connect() as connection:
        return {one.name: connection.execute(select(func.count()).select_from(one)).scalar_one() for one in tables}


@on_both_databases
def test_the_only_data_set_leaves_an_empty_store_and_an_empty_record(library: Library) -> None:
    image = library.root / "pets/cat/1.png"
    library.write("pets/cat/1.png", seed=1)
    library.add("pets")
    library.write("pets/dog/2.png", seed=2)
    library.sync("pets")
    train(library.catalog, "pets", "m1")
    accept(library.catalog.database, "pets", "cat/1.png", "somebody")
    label(library.catalog, "pets")
    assert library.holding(image.read_bytes())
    planned = plan(library, "pets")
    assert planned.objects.keys() == library.keys()
    assert planned.bytes == sum(stored.size for stored in library.catalog.store.objects(""))

    assert remove(library.catalog, planned) == 0

    assert library.keys() == set()
    assert set(rows(library.catalog).values()) == {0}
    assert image.exists(), "the source is not ours"


def test_another_data_set_keeps_all_that_it_has(library: Library) -> None:
    library.write("cars/a/1.png", seed=3)
    library.add("cars")
    train(library.catalog, "cars", "m2")
    kept, kept_rows = library.keys(), rows(library.catalog)
    library.write("pets/cat/1.png", seed=1)
    library.add("pets")
    train(library.catalog, "pets", "m1")

    remove(library.catalog, plan(library, "pets"))

    assert library.keys() == kept
    assert rows(library.catalog) == kept_rows


def test_a_twin_keeps_what_both_need(library: Library) -> None:
    library.write("pets/cat/1.png", seed=1)
    library.write("pets/dog/2.png", seed=2)
    library.add("pets")
    library.add("twin", folder="pets")
    model = train(library.catalog, "pets", "m1")
    register(library.catalog.database, "twin", model)
    before = library.keys()

    planned = plan(library, "pets")
    remove(library.catalog, planned)

    assert (planned.objects, planned.places) == ({}, [])
    assert library.keys() == before
    assert check_references(library.catalog.store, library.catalog.references())[1] == []
    assert [one.name for one in list_datasets(library.catalog.database)] == ["twin"]


def test_images_that_only_it_had_are_erased_in_a_pack_that_stays(library: Library) -> None:
    catalog = library.catalog
    for number in range(3):
        library.write(f"pets/cat/{number}.png", seed=number)
    whole = library.add("pets")
    images = whole.bundle.table("images")
    half = {"images": put_table(catalog.store, images.slice(0, 1))}
    library.write("other/a/9.png", seed=9)
    library.add("other")
    catalog.publish(MANIFEST, "other", put_bundle(catalog.store, MANIFEST, "half", {}, half))
    files = {row["image_id"]: stored_images(whole.bundle).read(row["image_id"]) for row in images.to_pylist()}
    kept, *lost = sorted(files)

    planned = plan(library, "pets")
    remove(catalog, planned)

    assert len(planned.places) == 2
    assert [len(library.holding(files[image])) for image in (kept, *lost)] == [1, 0, 0]
    current = catalog.current(MANIFEST, "other")
    assert current is not None
    assert stored_images(catalog.open(current)).read(kept) == files[kept]


def test_a_data_set_that_was_removed_can_come_back_whole(library: Library) -> None:
    test_images_that_only_it_had_are_erased_in_a_pack_that_stays(library)

    again = stored_images(library.add("pets").bundle)

    files = [path.read_bytes() for path in (library.root / "pets").rglob("*.png")]
    assert sorted(again.read(image) for image in again.ids.to_pylist()) == sorted(files)


def test_what_a_killed_ingest_had_noted_goes_too(library: Library) -> None:
    library.write("pets/cat/1.png", seed=1)
    facts = library.add("pets").bundle.table("files")
    journal = journal_of(library.catalog.store, FolderSource(library.root / "pets"))
    journal.note(facts)
    journal.save()

    remove(library.catalog, plan(library, "pets"))

    assert library.keys() == set()


def test_a_manifest_that_a_killed_run_never_showed_goes_too(library: Library) -> None:
    library.write("pets/cat/1.png", seed=1)
    library.add("pets")
    (library.root / "pets/cat/2.png").write_bytes(b"no image")
    ingest(library.catalog, FolderSource(library.root / "pets"), 1)
    library.write("cars/a/1.png", seed=3)
    ingest(library.catalog, FolderSource(library.root / "cars"), 1)

    remove(library.catalog, plan(library, "pets"))

    (left,) = library.catalog.references()
    assert library.catalog.open(left).table("images")["sources"].to_pylist() == [["a/1.png"]]
    assert check_references(library.catalog.store, [left])[1] == []


def test_a_source_that_is_gone_is_no_hindrance(library: Library) -> None:
    library.write("pets/cat/1.png", seed=1)
    library.add("pets")
    shutil.rmtree(library.root)

    remove(library.catalog, plan(library, "pets"))

    assert library.keys() == set()


def test_something_that_came_into_use_meanwhile_stops_it(library: Library) -> None:
    library.write("pets/cat/1.png", seed=1)
    library.add("pets")
    planned = plan(library, "pets")
    library.add("twin", folder="pets")
    before = library.keys(), rows(library.catalog)

    with pytest.raises(InputError, match="run the command again"):
        remove(library.catalog, planned)

    assert (library.keys(), rows(library.catalog)) == before


def test_what_another_ingest_has_written_again_meanwhile_stays(library: Library) -> None:
    library.write("pets/cat/1.png", seed=1)
    bundle = library.add("pets").bundle
    planned = plan(library, "pets")
    (pack,) = library.catalog.store.objects("packs/")
    library.catalog.store.put(pack.key, library.catalog.store.get(pack.key))

    assert remove(library.catalog, planned) == 0

    assert library.keys() == {pack.key}
    assert bundle.facts["images"] == 1


def test_killed_before_the_records_went_it_can_be_repeated(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.write("pets/cat/1.png", seed=1)
    library.add("pets")
    with monkeypatch.context() as change:
        change.setattr(removing, "drop_dataset", be_killed)
        with pytest.raises(KeyboardInterrupt):
            remove(library.catalog, Removal("pets", frozenset(), {}, []))

    assert remove(library.catalog, plan(library, "pets")) == 0
    assert library.keys() == set()


def test_killed_after_the_records_went_garbage_collection_does_the_rest(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.write("pets/cat/1.png", seed=1)
    library.add("pets")
    monkeypatch.setattr(removing, "delete_objects", be_killed)
    with pytest.raises(KeyboardInterrupt):
        remove(library.catalog, plan(library, "pets"))

    assert set(rows(library.catalog).values()) == {0}
    collect_garbage(library.catalog, days_ago(library.catalog.database, days=-1))
    assert library.keys() == set()


def be_killed(*_: object) -> None:
    raise KeyboardInterrupt
