import hashlib

import pyarrow as pa
import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.retention.check import Fault, check_contents, check_references
from cv_pipelines.storage.bundles import Reference, put_bundle, put_part, put_table
from cv_pipelines.storage.packs import Pack, Place, contents, erase

IMAGES = [b"one image", b"another", b"a third"]


@pytest.fixture
def manifest(catalog: Catalog) -> Reference:
    """An artefact with a table that names the places of three images in one pack, and a text."""
    pack = Pack()
    places = [pack.add(image, hashlib.sha256(image).hexdigest()) for image in IMAGES]
    key = pack.put(catalog.store)
    table = pa.table({"uri": [str(Place(key, *place)) for place in places]})
    parts = {"images": put_table(catalog.store, table), "text": put_part(catalog.store, b"text", ".txt")}
    return put_bundle(catalog.store, "image_manifest", "v1", {}, parts)


def test_everything_that_is_needed_is_counted_once(catalog: Catalog, manifest: Reference) -> None:
    same_parts = put_bundle(catalog.store, "other", "v2", {}, catalog.open(manifest).parts)
    catalog.store.put("parts/00/nobody-needs-this", b"")

    assert check_references(catalog.store, [manifest, same_parts, manifest]) == (5, [])
    assert [fault.key for fault in check_contents(catalog.store)] == ["parts/00/nobody-needs-this"]


@pytest.mark.parametrize("part", ["images", "text"])
def test_a_part_that_is_missing_is_named_with_what_needs_it(
    catalog: Catalog, manifest: Reference, part: str
) -> None:
    key = catalog.open(manifest).parts[part]
    catalog.store.delete(key)

    _, faults = check_references(catalog.store, [manifest])

    assert faults == [Fault(key, "missing", "image_manifest v1")]


def test_a_missing_bundle_and_a_missing_pack_are_named(catalog: Catalog, manifest: Reference) -> None:
    (pack,) = catalog.store.objects("packs/")
    catalog.store.delete(pack.key)
    gone = Reference("labels", "v3", "bundles/labels/gone.json")

    _, faults = check_references(catalog.store, [gone, manifest])

    assert faults == [Fault(gone.key, "missing", "labels v3"), Fault(pack.key, "missing", "image_manifest v1")]


@pytest.mark.parametrize("prefix", ["bundles/", "packs/", "parts/"])
def test_what_is_cut_off_is_found(catalog: Catalog, manifest: Reference, prefix: str) -> None:
    whole = next(one for one in catalog.store.objects(prefix) if not one.key.endswith(".txt"))
    catalog.store.replace(whole.key, catalog.store.get(whole.key)[:-1])

    _, faults = check_references(catalog.store, [manifest])

    assert faults == [Fault(whole.key, "damaged", "image_manifest v1")]
    assert [fault.key for fault in check_contents(catalog.store)] == [whole.key]


def test_a_pack_in_which_an_image_was_erased_is_as_it_must_be(catalog: Catalog, manifest: Reference) -> None:
    (pack,) = catalog.store.objects("packs/")
    erase(catalog.store, pack.key, [place for _, place in contents(catalog.store, pack)][:1])

    assert check_references(catalog.store, [manifest])[1] == []
    assert list(check_contents(catalog.store)) == []


def test_a_changed_byte_is_found_by_reading(catalog: Catalog, manifest: Reference) -> None:
    (pack,) = catalog.store.objects("packs/")
    catalog.store.replace(pack.key, b"O" + catalog.store.get(pack.key)[1:])

    assert check_references(catalog.store, [manifest])[1] == []
    assert list(check_contents(catalog.store)) == [Fault(pack.key, "damaged", "its name")]
