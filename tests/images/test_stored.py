import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from cv_pipelines.errors import InfrastructureError, InputError
from cv_pipelines.images.manifest import IMAGES
from cv_pipelines.images.stored import StoredImages, stored_images
from cv_pipelines.storage.bundles import open_bundle, put_bundle, put_table
from cv_pipelines.storage.local import LocalStore

FILES = {f"{number:03}": bytes([number]) * number for number in range(200)}


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def images(store: LocalStore, store_images: Callable[..., StoredImages]) -> StoredImages:
    return store_images(store, FILES)


def test_every_image_is_found_in_whatever_order_it_is_asked_for(images: StoredImages) -> None:
    names = random.Random(0).sample(sorted(FILES), len(FILES))

    assert [images.read(name) for name in names] == [FILES[name] for name in names]


@pytest.mark.parametrize("name", ["", "000 ", "0005", "zzz", "é"])
def test_an_image_that_the_manifest_does_not_have_is_the_callers_mistake(images: StoredImages, name: str) -> None:
    with pytest.raises(InputError, match=f"no image '{name}'") as caught:
        images.read(name)

    assert caught.value.code == "missing_image"


def test_an_image_whose_pack_is_gone_is_the_stores_fault(store: LocalStore, images: StoredImages) -> None:
    (pack,) = store.objects("packs/")
    store.delete(pack.key)

    with pytest.raises(InfrastructureError, match=pack.key):
        images.read("001")


def test_a_manifest_gives_its_images(store: LocalStore, images: StoredImages) -> None:
    rows = [{"image_id": name, "uri": uri.as_py()} for name, uri in zip(sorted(FILES), images.uris, strict=True)]
    parts = {"images": put_table(store, pa.Table.from_pylist(rows, IMAGES))}
    manifest = open_bundle(store, put_bundle(store, "image_manifest", "v", {}, parts))

    found = stored_images(manifest)

    assert found.ids.to_pylist() == sorted(FILES)
    assert found.read("199") == FILES["199"]


def test_a_manifest_without_images_has_none_to_give(store: LocalStore) -> None:
    parts = {"images": put_table(store, IMAGES.empty_table())}

    found = stored_images(open_bundle(store, put_bundle(store, "image_manifest", "v", {}, parts)))

    assert len(found.ids) == 0
    with pytest.raises(InputError):
        found.read("001")
