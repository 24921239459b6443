"""Garbage collection deletes exactly what nobody can ask for, and survives being killed."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.database.tables import artefacts, datasets, models, publications
from cv_pipelines.errors import InfrastructureError
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.images.ingest import journal_of
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.versions import MANIFEST, list_versions
from cv_pipelines.models.registry import register
from cv_pipelines.retention import collection
from cv_pipelines.retention.check import check_references
from cv_pipelines.retention.collection import Tally, collect_garbage
from cv_pipelines.retention.records import days_ago
from cv_pipelines.storage.bundles import Reference, put_bundle, put_part, put_table
from cv_pipelines.storage.factory import open_store
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.videos.archive import register_videos, remove_video
from cv_pipelines.videos.listing import ListedVideo
from tests.catalogs import forget_name
from tests.library import Library
from tests.servers import S3, on_both_databases


def gc(library: Library, days: float = 7, dry_run: bool = False) -> dict[str, Tally]:
    return collect_garbage(library.catalog, days_ago(library.catalog.database, days), dry_run)


def make(catalog: Catalog, kind: str, version: str, content: bytes = b"") -> Reference:
    """An artefact of one part, recorded and not published."""

    def write(_: str) -> Reference:
        return put_bundle(catalog.store, kind, version, {}, {"part": put_part(catalog.store, content, ".bin")})

    return catalog.once(kind, {"version": version}, write).reference


def part_of(catalog: Catalog, reference: Reference) -> str:
    return catalog.open(reference).parts["part"]


def be_killed(*_: object) -> None:
    raise KeyboardInterrupt


def assert_nothing_is_missing(library: Library) -> None:
    _, faults = check_references(library.catalog.store, library.catalog.references())
    assert faults == []


def test_all_versions_and_models_of_data_sets_stay(library: Library) -> None:
    library.write("pets/cat/1.png", seed=1)
    library.write("pets/dog/2.png", seed=2)
    library.add("pets")
    (library.root / "pets/cat/1.png").unlink()
    library.write("pets/cat/3.png", seed=3)
    library.sync("pets")
    register(library.catalog.database, "pets", make(library.catalog, "trained_model", "m1", b"weights"))
    make(library.catalog, "model_evaluation", "m1-abc", b"answers")
    library.grow_old()
    before = library.keys()

    tallies = gc(library)

    assert library.keys() == before
    assert sum(tally.deleted.objects for tally in tallies.values()) == 0
    assert sum(tally.kept.objects for tally in tallies.values()) == len(before)
    assert [version.facts["images"] for version in list_versions(library.catalog, "pets")] == [2, 2]
    assert_nothing_is_missing(library)


def test_what_nobody_stands_for_goes_when_it_is_old(library: Library) -> None:
    catalog = library.catalog
    for name in ("pets", "cars"):
        library.write(f"{name}/a/{name}.png", seed=len(name))
        library.write(f"{name}/b/{name}.png", seed=10 + len(name))
        library.add(name)
    kept = library.keys()
    library.write("zoo/a/1.png", seed=20)
    library.add("zoo")
    never_published = make(catalog, "labels", "x", b"never published")
    forget_name(catalog.database, "zoo")
    library.grow_old()
    young = make(catalog, "labels", "y", b"young")

    tallies = gc(library)

    assert library.keys() == kept | {young.key, part_of(catalog, young)}
    assert tallies["bundles"].deleted.objects == 2
    assert tallies["packs"].deleted.objects == 1
    assert never_published.key not in {one.key for one in catalog.references()}
    assert_nothing_is_missing(library)


def test_a_dry_run_deletes_nothing_and_tells_the_same(library: Library) -> None:
    make(library.catalog, "labels", "x", b"never published")
    library.grow_old()
    before = library.keys()

    promised = gc(library, dry_run=True)

    assert library.keys() == before
    assert len(library.catalog.references()) == 1
    assert promised == gc(library)
    assert library.keys() == set()


def test_what_is_young_stays_as_long_as_the_days_of_grace(library: Library) -> None:
    make(library.catalog, "labels", "x")
    library.grow_old(days=6)
    assert gc(library, days=7)["bundles"].deleted.objects == 0
    assert gc(library, days=5)["bundles"].deleted.objects == 1


def test_whoever_writes_or_finds_something_old_again_keeps_it(library: Library) -> None:
    catalog = library.catalog
    found, written = make(catalog, "labels", "found", b"1"), put_part(catalog.store, b"2", ".bin")
    library.grow_old()

    make(catalog, "labels", "found", b"1")
    put_part(catalog.store, b"2", ".bin")
    gc(library)

    assert library.keys() == {found.key, part_of(catalog, found), written}


def test_what_is_collected_while_somebody_looks_at_it_is_made_again(library: Library) -> None:
    catalog = library.catalog
    make(catalog, "labels", "x", b"content")
    library.grow_old()

    def look_slowly(_: object) -> bool:
        return bool(gc(library))

    def write(_: str) -> Reference:
        return put_bundle(catalog.store, "labels", "x", {}, {"part": put_part(catalog.store, b"content", ".bin")})

    outcome = catalog.once("labels", {"version": "x"}, write, look_slowly)

    assert not outcome.reused
    assert outcome.bundle.bytes("part") == b"content"
    assert catalog.references() == [outcome.reference]


def test_a_killed_ingest_keeps_its_notes_and_packs_until_they_are_old(library: Library) -> None:
    library.write("pets/cat/1.png", seed=1)
    bundle = library.add("pets").bundle
    (pack,) = library.catalog.store.objects("packs/")
    facts = bundle.table("files")
    for key in library.keys() - {pack.key}:
        library.catalog.store.delete(key)
    forget_name(library.catalog.database, "pets")
    journal = journal_of(library.catalog.store, FolderSource(library.root / "pets"))
    library.grow_old(days=30)
    journal.note(facts)
    journal.save()
    library.grow_old(days=6)

    gc(library)
    assert journal.read().num_rows == 1
    assert library.catalog.store.exists(pack.key)
    library.grow_old(days=2)
    gc(library)
    assert library.keys() == set()


def test_a_training_that_goes_on_keeps_all_of_its_checkpoint(library: Library) -> None:
    store = library.catalog.store
    for key in ("checkpoints/old/newest.json", "checkpoints/old/a.keras", "checkpoints/new/b.keras"):
        store.put(key, b"old")
    library.grow_old()
    store.put("checkpoints/new/newest.json", b"new")

    gc(library)

    assert library.keys() == {"checkpoints/new/newest.json", "checkpoints/new/b.keras"}


def test_what_is_not_ours_stays_however_old(library: Library) -> None:
    for key in ("compute-logs/run/step.out", "notes.txt", "other/key"):
        library.catalog.store.put(key, b"data")
    (library.files / "other/half.partial").write_bytes(b"half")
    library.grow_old()

    gc(library)

    assert len(library.keys()) == 3
    assert (library.files / "other/half.partial").exists()


def test_half_written_files_go_when_they_are_old(library: Library) -> None:
    library.catalog.store.put("packs/ab/whole", b"whole")
    for name in ("old", "new"):
        (library.files / f"packs/ab/{name}.partial").write_bytes(b"half")
        if name == "old":
            library.grow_old()

    tallies = gc(library)

    assert sorted(path.name for path in library.files.rglob("*.partial")) == ["new.partial"]
    assert (tallies["leftovers"].deleted.objects, tallies["leftovers"].deleted.bytes) == (1, 4)


def test_killed_between_records_and_objects_it_can_be_repeated(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.write("pets/cat/1.png", seed=1)
    library.add("pets")
    kept = library.keys()
    for version in ("x", "y"):
        make(library.catalog, "labels", version, version.encode())
    library.grow_old()
    with monkeypatch.context() as change:
        change.setattr(collection, "delete_objects", be_killed)
        with pytest.raises(KeyboardInterrupt):
            gc(library)

    assert len(library.keys()) == len(kept) + 4
    assert_nothing_is_missing(library)
    gc(library)
    assert library.keys() == kept
    assert_nothing_is_missing(library)


@on_both_databases
def test_records_of_removed_data_sets_go_with_what_they_name(library: Library) -> None:
    catalog = library.catalog
    library.write("pets/cat/1.png", seed=1)
    library.add("pets")
    model = make(catalog, "trained_model", "m1", b"weights")
    register(catalog.database, "pets", model)
    make(catalog, "model_evaluation", "m1-abc", b"answers")
    forget_name(catalog.database, "pets")
    library.grow_old()

    gc(library)

    with catalog.database.connect() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(t)).scalar()
            for t in (publications, models, artefacts)
        ]
    assert counts == [0, 0, 0]
    assert library.keys() == set()


def test_images_from_before_there_were_packs_stay_as_long_as_a_version_names_them(library: Library) -> None:
    store = library.catalog.store
    for name in ("images/ab/named", "images/cd/orphan"):
        store.put(name, b"an image")
    images = pa.table({"image_id": ["named"], "uri": ["images/ab/named"]})
    manifest = put_bundle(store, MANIFEST, "v", {}, {"images": put_table(store, images)})
    library.write("pets/cat/1.png", seed=1)
    library.add("pets")
    library.catalog.publish(MANIFEST, "pets", manifest)
    library.grow_old()

    gc(library)

    assert [stored.key for stored in store.objects("images/")] == ["images/ab/named"]


def test_garbage_in_a_bucket_goes_as_well(catalog: Catalog, s3: S3) -> None:
    catalog = Catalog(catalog.database, open_store(f"{s3.new_bucket()}/prefix"))
    add_dataset(catalog.database, "pets", "/pets")
    kept = make(catalog, "labels", "x", b"kept")
    catalog.publish("labels", "pets", kept)
    make(catalog, "labels", "y", b"garbage")
    catalog.store.put("compute-logs/run/step.out", b"not ours")

    tallies = collect_garbage(catalog, days_ago(catalog.database, days=-1))

    left = {stored.key for stored in catalog.store.objects("")}
    assert left == {kept.key, part_of(catalog, kept), "compute-logs/run/step.out"}
    assert (tallies["parts"].deleted.bytes, tallies["parts"].kept.bytes) == (len(b"garbage"), len(b"kept"))


def test_nothing_is_deleted_where_a_version_cannot_be_read(library: Library) -> None:
    library.write("pets/cat/1.png", seed=1)
    bundle = library.add("pets").bundle
    make(library.catalog, "labels", "x")
    library.grow_old()
    part = library.files / bundle.parts["images"]
    part.write_bytes(part.read_bytes()[:100])
    before = library.keys()

    with pytest.raises(InfrastructureError, match=bundle.parts["images"]):
        gc(library)

    assert library.keys() == before


@dataclass(frozen=True)
class Made:
    """An artefact of a world made by chance."""

    published_by: str | None
    record_is_old: bool
    bundle_is_old: bool
    parts: frozenset[int]


MADE = st.builds(
    Made, st.sampled_from([None, "here", "gone"]), st.booleans(), st.booleans(), st.frozensets(st.integers(0, 4))
)


@settings(max_examples=40)
@given(st.lists(MADE, max_size=6), st.frozensets(st.integers(0, 4)))
def test_exactly_what_is_old_and_needed_by_nobody_goes(made: list[Made], old_parts: frozenset[int]) -> None:
    with TemporaryDirectory() as folder:
        catalog = Catalog(open_database(f"sqlite:///{folder}/cv.sqlite"), LocalStore(Path(folder, "store")))
        library = Library(catalog, Path(folder), lambda *_: Path())
        add_dataset(catalog.database, "here", folder)
        parts = [put_part(catalog.store, bytes([number]), ".bin") for number in range(5)]
        bundles = []
        for number, one in enumerate(made):
            named = {str(part): parts[part] for part in one.parts}
            reference = put_bundle(catalog.store, "labels", str(number), {}, named)
            catalog.once("labels", {"number": number}, lambda _, made=reference: made)  # type: ignore[misc]
            if one.published_by:
                catalog.publish("labels", one.published_by, reference)
            bundles.append(reference.key)
        library.age_objects([key for key, one in zip(bundles, made, strict=True) if one.bundle_is_old], 30)
        library.age_objects([parts[number] for number in old_parts], 30)
        library.age_records([str(number) for number, one in enumerate(made) if one.record_is_old], 30)

        gc(library)

        stays = [one.published_by == "here" or not (one.record_is_old and one.bundle_is_old) for one in made]
        expected = {key for key, staying in zip(bundles, stays, strict=True) if staying}
        expected |= {
            parts[part] for one, staying in zip(made, stays, strict=True) if staying for part in one.parts
        }
        expected |= {part for number, part in enumerate(parts) if number not in old_parts}
        assert library.keys() == expected
        assert_nothing_is_missing(library)
        catalog.database.dispose()


@on_both_databases
def test_what_was_made_of_a_video_stays_as_long_as_the_archive_has_it(catalog: Catalog) -> None:
    kept, removed = (_video(catalog, name) for name in ("kept.mp4", "removed.mp4"))
    results = [make(catalog, "camera_motion", key, key.encode()) for key in (kept, removed)]
    for key, made in zip((kept, removed), results, strict=True):
        catalog.publish("camera_motion", key, made)

    collect_garbage(catalog, days_ago(catalog.database, -1))
    assert [catalog.current("camera_motion", key) for key in (kept, removed)] == results

    remove_video(catalog.database, removed)
    collect_garbage(catalog, days_ago(catalog.database, -1))
    assert [catalog.store.exists(made.key) for made in results] == [True, False]
    assert catalog.current("camera_motion", kept) == results[0]
    assert catalog.current("camera_motion", removed) is None


@on_both_databases
def test_a_video_that_comes_back_has_nothing_of_its_first_time(catalog: Catalog) -> None:
    key = _video(catalog, "film.mp4")
    catalog.publish("camera_motion", key, make(catalog, "camera_motion", "x"))
    remove_video(catalog.database, key)
    time.sleep(0.01)  # the database tells times to the millisecond

    assert _video(catalog, "film.mp4") == key

    assert catalog.history("camera_motion", key) == []
    collect_garbage(catalog, days_ago(catalog.database, 7))
    with catalog.database.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(publications)) == 0


def _video(catalog: Catalog, name: str) -> str:
    """A video of the archive; returns its key."""
    ((registered,),) = register_videos(catalog.database, [ListedVideo(f"/films/{name}", name)])
    return registered.video.key


@on_both_databases
def test_of_embeddings_only_the_newest_stay(library: Library) -> None:
    for name in ("pets", "birds"):
        library.write(f"{name}/cat/1.png", seed=1)
        library.add(name)
    made = [make(library.catalog, "image_embeddings", f"m{number}", f"{number}".encode()) for number in range(3)]
    for reference, name in zip([made[0], made[1], made[2]], ("pets", "pets", "birds"), strict=True):
        library.catalog.publish("image_embeddings", name, reference)
    gc(library)
    assert library.catalog.store.exists(made[0].key), "it is not old yet"
    library.grow_old()
    with library.catalog.database.begin() as connection:
        for row in connection.execute(select(publications)).all():
            then = row.created_at - timedelta(days=30)
            connection.execute(publications.update().where(publications.c.id == row.id).values(created_at=then))
        connection.execute(datasets.update().values(created_at=datetime(2020, 1, 1, tzinfo=UTC)))

    gc(library)

    assert [library.catalog.store.exists(one.key) for one in made] == [False, True, True]
    assert library.catalog.current("image_embeddings", "pets") == made[1]
    assert len(library.catalog.history("image_manifest", "pets")) == 1
    assert_nothing_is_missing(library)
