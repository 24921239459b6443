import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cv_pipelines.errors import InfrastructureError
from cv_pipelines.storage.copying import Copied, back_up, restore
from cv_pipelines.storage.factory import open_store
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.storage.packs import Pack, contents, erase
from cv_pipelines.storage.protocol import ObjectStore, StoredObject
from tests.servers import S3


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def backup(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "backup")


def everything(store: ObjectStore) -> dict[str, bytes]:
    return {one.key: store.get(one.key) for one in store.objects("")}


def put_pack(store: ObjectStore, *images: bytes) -> str:
    pack = Pack()
    for image in images:
        pack.add(image, hashlib.sha256(image).hexdigest())
    return pack.put(store)


def test_a_folder_goes_to_a_bucket_and_back(store: LocalStore, s3: S3, tmp_path: Path) -> None:
    bucket, other = open_store(f"{s3.new_bucket()}/backup"), LocalStore(tmp_path / "other")
    for number in range(40):
        store.put(f"parts/{number}", str(number).encode())

    assert back_up(store, bucket) == Copied(40, 40, 70)
    assert restore(bucket, other) == Copied(40, 40, 70)
    assert everything(other) == everything(store)


def test_a_second_backup_copies_only_what_is_new_or_has_changed(store: LocalStore, backup: LocalStore) -> None:
    store.put("parts/old", b"old")
    store.replace("checkpoints/newest.json", b"1")
    back_up(store, backup)
    store.put("parts/new", b"new")
    store.replace("checkpoints/newest.json", b"2")

    assert back_up(store, backup).copied == 2
    assert everything(backup) == everything(store)
    assert back_up(store, backup).copied == 0


def test_what_is_deleted_during_a_backup_is_missed_by_nobody(store: LocalStore, backup: LocalStore) -> None:
    store.put("parts/stays", b"stays")

    class Shrinking(LocalStore):
        def objects(self, prefix: str) -> Iterator[StoredObject]:
            yield from super().objects(prefix)
            yield from (StoredObject("checkpoints/gone", 1, one.written_at) for one in super().objects(prefix))

    back_up(Shrinking(store.root), backup)

    assert everything(backup) == {"parts/stays": b"stays"}


def test_a_backup_that_cannot_be_written_fails(store: LocalStore, tmp_path: Path) -> None:
    store.put("parts/a", b"a")
    (tmp_path / "file").write_bytes(b"no folder")

    with pytest.raises(InfrastructureError, match="cannot be written"):
        back_up(store, LocalStore(tmp_path / "file"))


def test_a_restore_mends_what_is_missing_or_cut_off_and_leaves_what_is_there(
    store: LocalStore, backup: LocalStore
) -> None:
    pack = put_pack(store, b"one image", b"another")
    for key in ("parts/missing", "parts/cut", "parts/there"):
        store.put(key, key.encode())
    back_up(store, backup)
    before = everything(store)
    store.delete("parts/missing")
    store.replace("parts/cut", b"pa")
    store.replace(pack, before[pack][:-3])
    store.replace("checkpoints/newest.json", b"newer than the backup")

    assert restore(backup, store).copied == 3
    assert everything(store) == {**before, "checkpoints/newest.json": b"newer than the backup"}


def test_an_image_that_was_erased_since_does_not_come_back(store: LocalStore, backup: LocalStore) -> None:
    pack = put_pack(store, b"a person", b"a flower")
    back_up(store, backup)
    places = [place for _, place in contents(store, next(iter(store.objects(pack))))]
    erase(store, pack, places[:1])

    restore(backup, store)
    assert b"a person" not in store.get(pack)
    back_up(store, backup)
    assert b"a person" not in backup.get(pack)
