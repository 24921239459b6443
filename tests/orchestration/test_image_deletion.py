"""An image that is forgotten is gone from every file, whatever happens on the way, and does not come back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._core.test_utils import create_run_for_test

from cv_pipelines.annotations.store.events import Author, Change, append, history, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.images.decode import decode_image
from cv_pipelines.images.ingest import journal_of
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.stored import stored_images
from cv_pipelines.images.versions import MANIFEST, find_version, keep_version, kept_version, restore_version
from cv_pipelines.orchestration import image_deletion
from cv_pipelines.orchestration.image_deletion import Deletion, forget_image
from cv_pipelines.orchestration.materializations import reported_version
from cv_pipelines.retention import copies
from cv_pipelines.settings import Settings
from cv_pipelines.storage.bundles import Bundle
from cv_pipelines.storage.copying import back_up
from cv_pipelines.storage.factory import open_store
from cv_pipelines.storage.packs import erase
from tests.library import Library
from tests.servers import S3


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path / "state")


@pytest.fixture
def image(library: Library) -> str:
    """An image among others of two data sets, in a pack with each of them."""
    for name in ("pets", "zoo"):
        for seed in range(4):
            library.write(f"{name}/cat/{seed}.png", seed=seed if name == "pets" else 10 + seed)
    image = library.write("pets/cat/person.png", seed=99)
    assert library.write("zoo/dog/person.png", seed=99) == image
    library.add("pets")
    library.add("zoo")
    return image


def forget(instance: DagsterInstance, library: Library, settings: Settings, image: str) -> Deletion:
    return forget_image(instance, library.catalog, settings, image, "as asked for", with_runs=True)


def current(library: Library, name: str) -> Bundle:
    return library.catalog.open(library.catalog.require(MANIFEST, name))


def test_no_file_of_the_store_holds_its_bytes_any_more(
    instance: DagsterInstance, library: Library, settings: Settings, image: str
) -> None:
    data = (library.root / "pets/cat/person.png").read_bytes()
    assert len(library.holding(data)) == 2

    done = forget(instance, library, settings, image)

    assert library.holding(data) == []
    assert (done.found.copies.number, done.bytes, done.left.number, done.left.packs) == (2, 2 * len(data), 0, 2)
    assert done.left.gone


def test_what_was_said_of_it_is_erased_and_what_was_said_of_others_stays(
    instance: DagsterInstance, library: Library, settings: Settings, image: str
) -> None:
    other = next(one for one in stored_images(current(library, "pets")).ids.to_pylist() if one != image)
    with writing(library.catalog.database, "pets") as connection:
        changes = [Change(one, '{"boxes":[[0,1.0,2.0,3.0,4.0]]}') for one in (image, other)]
        append(connection, "pets", changes, Author("ann"))

    forget(instance, library, settings, image)
    forget(instance, library, settings, image)

    with library.catalog.database.connect() as connection:
        events = history(connection, "pets", image)
        assert [(one.version, one.content) for one in events] == [(2, None), (1, None)]
        assert [one.content for one in history(connection, "pets", other)] == [changes[1].content]


def test_its_neighbours_are_what_they_were(
    instance: DagsterInstance, library: Library, settings: Settings, image: str
) -> None:
    before = stored_images(current(library, "pets"))
    others = [one for one in before.ids.to_pylist() if one != image]
    pixels = {one: decode_image(before.read(one)) for one in others}

    forget(instance, library, settings, image)

    after = stored_images(current(library, "pets"))
    assert after.ids.to_pylist() == others
    assert all(np.array_equal(decode_image(after.read(one)), pixels[one]) for one in others)


def test_data_sets_go_on_without_it_and_the_next_sync_keeps_it_out(
    instance: DagsterInstance, library: Library, settings: Settings, image: str
) -> None:
    done = forget(instance, library, settings, image)

    assert done.new_versions.keys() == {"pets", "zoo"}
    for name, path in (("pets", "cat/person.png"), ("zoo", "dog/person.png")):
        facts = current(library, name).facts
        assert (facts["files"], facts["images"], facts["quarantined"]) == (5, 4, 1)
        assert reported_version(instance, MANIFEST, name) == done.new_versions[name]
        again = library.sync(name)
        assert again.reference.version == done.new_versions[name]
        (row,) = again.bundle.table("quarantine").to_pylist()
        assert (row["path"], row["code"], row["image_id"]) == (path, "forgotten", None)
    assert library.holding((library.root / "pets/cat/person.png").read_bytes()) == []


def test_a_copy_under_another_name_is_kept_out_too(
    instance: DagsterInstance, library: Library, settings: Settings, image: str
) -> None:
    forget(instance, library, settings, image)

    library.write("later/cat/renamed.png", seed=99)
    library.write("later/cat/other.png", seed=50)

    assert library.add("later").bundle.table("images")["sources"].to_pylist() == [["cat/other.png"]]


def test_an_earlier_version_says_that_it_was_deleted(
    instance: DagsterInstance, library: Library, settings: Settings, image: str
) -> None:
    old = stored_images(current(library, "pets"))

    forget(instance, library, settings, image)

    with pytest.raises(InputError, match="deleted for good") as caught:
        old.read(image)
    assert caught.value.code == "erased_image"


def test_a_version_that_is_gone_back_to_comes_without_it(
    instance: DagsterInstance, library: Library, settings: Settings, image: str
) -> None:
    old = library.catalog.require(MANIFEST, "pets").version
    new = forget(instance, library, settings, image).new_versions["pets"]

    restored = restore_version(library.catalog, "pets", find_version(library.catalog, "pets", old))

    assert restored.version == new


def test_a_data_set_that_stands_at_an_earlier_version_stays_there_without_it(
    instance: DagsterInstance, library: Library, settings: Settings, image: str
) -> None:
    old = find_version(library.catalog, "pets", library.catalog.require(MANIFEST, "pets").version)
    (library.root / "pets/cat/person.png").unlink()
    library.sync("pets")
    restore_version(library.catalog, "pets", old)

    new = forget(instance, library, settings, image).new_versions["pets"]

    assert find_dataset(library.catalog.database, "pets").restored == new
    assert library.catalog.require(MANIFEST, "pets").version == new


def test_a_version_that_a_killed_restore_was_about_to_go_back_to_is_left_for_one_without_it(
    instance: DagsterInstance, library: Library, settings: Settings, image: str
) -> None:
    old = library.catalog.require(MANIFEST, "pets").version
    (library.root / "pets/cat/person.png").unlink()
    library.sync("pets")
    keep_version(library.catalog.database, "pets", old)

    forget(instance, library, settings, image)

    kept = kept_version(library.catalog, find_dataset(library.catalog.database, "pets"))
    assert kept is not None
    assert image not in stored_images(library.catalog.open(kept)).ids.to_pylist()


def test_caches_reports_notes_and_half_written_files_go(
    instance: DagsterInstance, library: Library, settings: Settings, image: str
) -> None:
    facts = current(library, "pets").table("files")
    journal = journal_of(library.catalog.store, FolderSource(library.root / "pets"))
    journal.note(facts)
    journal.save()
    gone = [
        settings.cache / "0123-24.rgb",
        settings.cache / "archives/0123.tar",
        settings.cache / "0123.999999999.partial",
        settings.state / "reports/pets.html",
        library.files / "packs/ab/0123.partial",
    ]
    stays = [settings.state / "reports/other.html", library.files / "parts/ab/0123.partial"]
    for path in [*gone, *stays]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"pixels")

    forget(instance, library, settings, image)

    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in stays)
    assert journal.read().num_rows == 0


STEPS = ["leave_out", "_tell_dagster", "delete_copies", "clear", "present_runs", "delete_runs", "find_copies"]


@pytest.mark.parametrize("step", STEPS)
def test_killed_anywhere_it_can_be_repeated(
    instance: DagsterInstance,
    library: Library,
    settings: Settings,
    image: str,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = (library.root / "pets/cat/person.png").read_bytes()
    with monkeypatch.context() as change:
        change.setattr(image_deletion, step, _be_killed)
        with pytest.raises(KeyboardInterrupt):
            forget(instance, library, settings, image)
    library.write("later/cat/person.png", seed=99)
    assert library.add("later").bundle.facts["images"] == 0, "no ingest takes it in from the first step on"

    done = forget(instance, library, settings, image)

    assert done.left.gone
    assert library.holding(data) == []
    for name in ("pets", "zoo"):
        assert current(library, name).facts["images"] == 4
        assert reported_version(instance, MANIFEST, name) == library.catalog.require(MANIFEST, name).version


def test_killed_between_two_packs_it_erases_the_other_one_next_time(
    instance: DagsterInstance, library: Library, settings: Settings, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (library.root / "pets/cat/person.png").read_bytes()
    steps: Iterator[Callable[..., object]] = iter([erase, _be_killed])
    with monkeypatch.context() as change:
        change.setattr(copies, "erase", lambda *arguments: next(steps)(*arguments))
        with pytest.raises(KeyboardInterrupt):
            forget(instance, library, settings, image)
    assert len(library.holding(data)) == 1

    done = forget(instance, library, settings, image)

    assert (done.found.copies.number, done.left.gone, library.holding(data)) == (1, True, [])


def _be_killed(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("dataset", ["pets", "another"])
def test_nothing_is_erased_while_a_run_may_read_it(
    instance: DagsterInstance, library: Library, settings: Settings, image: str, dataset: str
) -> None:
    run = create_run_for_test(instance, status=DagsterRunStatus.STARTED, tags={PARTITION_NAME_TAG: dataset})
    before = library.keys()

    with pytest.raises(InputError, match=f"{run.run_id} is at work on '{dataset}'"):
        forget(instance, library, settings, image)

    assert library.keys() == before
    instance.report_run_canceled(run)
    assert forget(instance, library, settings, image).left.gone


def test_in_a_bucket_it_is_gone_as_well(
    instance: DagsterInstance, library: Library, settings: Settings, image: str, s3: S3
) -> None:
    data, store = (library.root / "pets/cat/person.png").read_bytes(), open_store(f"{s3.new_bucket()}/prefix")
    back_up(library.catalog.store, store)
    library.catalog = Catalog(library.catalog.database, store)
    assert len([stored.key for stored in store.objects("") if data in store.get(stored.key)]) == 2

    done = forget(instance, library, settings, image)

    assert (done.found.copies.number, done.bytes, done.left.gone) == (2, 2 * len(data), True)
    assert not [stored.key for stored in store.objects("") if data in store.get(stored.key)]
    after = stored_images(current(library, "pets"))
    assert [decode_image(after.read(one)).shape for one in after.ids.to_pylist()] == [(30, 40, 3)] * 4
