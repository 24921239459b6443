"""Everything that is known of an image is found: its bytes wherever they are, and whoever names it."""

import pyarrow as pa
import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.images.ingest import journal_of
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.models.registry import register
from cv_pipelines.retention.forgetting import refuse_from_now_on
from cv_pipelines.retention.tracing import trace
from cv_pipelines.storage.bundles import Reference, put_bundle, put_table
from cv_pipelines.storage.packs import Pack
from tests.library import Library


def learn(library: Library, version: str, *images: str) -> Reference:
    """A model that has learned from images."""
    store = library.catalog.store
    parts = {"learned": put_table(store, pa.table({"image_id": list(images)}))}
    return put_bundle(store, "trained_model", version, {}, parts)


def test_an_image_is_found_in_every_version_that_names_it(library: Library) -> None:
    image = library.write("pets/cat/1.png", seed=1)
    library.write("pets/cat/more/again.png", seed=1)
    first = library.add("pets").reference.version
    library.write("pets/dog/1.png", seed=1)
    second = library.sync("pets").reference.version
    (library.root / "pets/cat/1.png").unlink()
    (library.root / "pets/cat/more/again.png").unlink()
    (library.root / "pets/dog/1.png").unlink()
    library.write("pets/cat/2.png", seed=2)
    library.sync("pets")

    found = trace(library.catalog, image)

    shown = [(one.version, one.current, one.quarantined, sorted(one.paths), one.runs) for one in found.mentions]
    assert shown == [
        (first, False, False, ["cat/1.png", "cat/more/again.png"], ["run-0"]),
        (second, False, True, ["cat/1.png", "cat/more/again.png", "dog/1.png"], ["run-1"]),
    ]
    assert found.datasets == ["pets"]
    assert found.runs == ["run-0", "run-1"]
    assert found.copies.number >= 1


def test_the_first_digits_are_enough_as_long_as_they_are_its_own(library: Library) -> None:
    images = sorted(library.write(f"pets/cat/{seed}.png", seed=seed) for seed in range(3))
    library.add("pets")

    assert trace(library.catalog, images[0][:8]).image_id == images[0]
    assert trace(library.catalog, images[0][:20]).mentions[0].current
    refuse_from_now_on(library.catalog.database, images[0][:20] + "0" * 44, "somebody", "test")
    with pytest.raises(InputError, match="2 images begin with"):
        trace(library.catalog, images[0][:20])


@pytest.mark.parametrize("digits", ["", "abc", "0123456", "ABCDEF01", "nothexatall", "0" * 65, "%" * 8])
def test_what_is_no_id_is_told_so(library: Library, digits: str) -> None:
    with pytest.raises(InputError, match="no id of an image"):
        trace(library.catalog, digits)


@pytest.mark.parametrize("digits", ["0" * 8, "0" * 64])
def test_an_image_that_is_nowhere_is_told_so(library: Library, digits: str) -> None:
    with pytest.raises(InputError, match=f"no image {digits}"):
        trace(library.catalog, digits)


def test_bytes_that_nobody_refers_to_are_found_by_all_digits(library: Library) -> None:
    image, store = library.write("pets/cat/1.png", seed=1), library.catalog.store
    data = (library.root / "pets/cat/1.png").read_bytes()
    pack = Pack()
    pack.add(b"another", "0" * 64)
    pack.add(data, image)
    key = pack.put(store)
    store.put(f"images/{image[:2]}/{image}", data)

    copies = trace(library.catalog, image).copies

    assert [str(place) for place in copies.places] == [f"{key}@7+{len(data)}"]
    assert copies.objects == [f"images/{image[:2]}/{image}"]
    assert (copies.number, copies.packs, copies.unsearchable) == (2, 1, [])


def test_notes_of_an_ingest_that_was_killed_are_found(library: Library) -> None:
    image, other = library.write("pets/cat/1.png", seed=1), library.write("pets/cat/2.png", seed=2)
    facts = library.add("pets").bundle.table("files")
    for row, name in enumerate(facts["image_id"].to_pylist()):
        journal = journal_of(library.catalog.store, FolderSource(library.root / name))
        journal.note(facts.slice(row, 1))
        journal.save()

    found = [trace(library.catalog, name).copies.journals for name in (image, other)]

    assert [len(journals) for journals in found] == [1, 1]
    assert found[0] != found[1]


def test_a_pack_that_is_cut_off_cannot_be_searched_and_is_named(library: Library) -> None:
    image = library.write("pets/cat/1.png", seed=1)
    library.add("pets")
    (pack,) = library.catalog.store.objects("packs/")
    path = library.files / pack.key
    path.write_bytes(path.read_bytes()[:-3])

    copies = trace(library.catalog, image).copies

    assert (copies.places, copies.unsearchable, copies.gone) == ([], [pack.key], False)


def test_models_that_learned_from_it_are_named(library: Library) -> None:
    image, other = library.write("pets/cat/1.png", seed=1), library.write("pets/cat/2.png", seed=2)
    library.add("pets")
    library.catalog.publish("trained_model", "pets", learn(library, "m1", image, other))
    library.catalog.publish("trained_model", "pets", learn(library, "m2", other))
    register(library.catalog.database, "cars", learn(library, "m3", image))

    assert trace(library.catalog, image).models == ["cars/m3", "pets/m1"]


def test_images_that_show_the_same_are_named(library: Library) -> None:
    image = library.write_image(library.root / "pets/cat/1.png", seed=1)
    library.write_image(library.root / "pets/cat/1.jpg", seed=1, quality=90)
    rows = library.add("pets").bundle.table("images").to_pylist()
    ids = {row["sources"][0]: row["image_id"] for row in rows}

    assert trace(library.catalog, ids["cat/1.png"]).alike == [ids["cat/1.jpg"]]
    assert image.exists()


def test_the_runs_that_have_asked_for_its_label_are_found(library: Library) -> None:
    images = [library.write(f"pets/cat/{seed}.png", seed=seed) for seed in range(2)]
    library.add("pets")
    for number, asked in enumerate((images, images[1:])):
        queue = put_table(library.catalog.store, pa.table({"image_id": asked}))
        made = put_bundle(library.catalog.store, "label_queue", f"q{number}", {}, {"queue": queue})
        library.catalog.publish("label_queue", "pets", made, f"ask-{number}")

    assert trace(library.catalog, images[0]).runs == ["ask-0", "run-0"]
    assert trace(library.catalog, images[1]).runs == ["ask-0", "ask-1", "run-0"]
