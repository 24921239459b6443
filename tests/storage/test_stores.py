"""What holds of every object store, of a folder as of a bucket."""

import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cv_pipelines.errors import InfrastructureError
from cv_pipelines.storage.factory import open_store
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.storage.protocol import ObjectStore
from tests.servers import S3


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "local":
        return open_store((tmp_path / "store").as_uri())
    s3: S3 = request.getfixturevalue("s3")
    return open_store(f"{s3.new_bucket()}/some/prefix")


def test_what_was_put_is_read_back(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "file.bin").write_bytes(b"from a file")
    store.put("a/b/c", b"bytes")
    store.put_file("a/d.bin", tmp_path / "file.bin")
    store.put("größe/a b+c%20", b"")
    store.flush()

    assert store.get("a/b/c") == b"bytes"
    assert store.get("a/d.bin") == b"from a file"
    assert store.get("größe/a b+c%20") == b""


def test_an_object_that_is_there_stands(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "file.bin").write_bytes(b"third")
    store.put("key", b"first")
    store.put("key", b"other")
    store.put_file("key", tmp_path / "file.bin")

    assert store.get("key") == b"first"


def test_a_name_that_lost_its_bytes_is_written_again(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "file.bin").write_bytes(b"second")
    store.replace("one", b"")
    store.replace("two", b"")
    store.put("one", b"first")
    store.put_file("two", tmp_path / "file.bin")

    assert (store.get("one"), store.get("two")) == (b"first", b"second")


def test_replace_changes_an_object(store: ObjectStore) -> None:
    store.replace("pointer", b"old")
    store.replace("pointer", b"newer")

    assert store.get("pointer") == b"newer"


def test_a_range_is_read_and_nothing_beside_it(store: ObjectStore) -> None:
    store.put("pack", bytes(range(100)))

    assert store.read("pack", 0, 3) == b"\x00\x01\x02"
    assert store.read("pack", 97, 3) == b"\x61\x62\x63"
    assert store.read("pack", 50, 0) == b""


@pytest.mark.parametrize(("offset", "length"), [(98, 3), (100, 1), (1000, 5)])
def test_a_range_beyond_the_end_says_that_the_object_is_cut_off(
    store: ObjectStore, offset: int, length: int
) -> None:
    store.put("pack", bytes(100))
    with pytest.raises(InfrastructureError, match="'pack' of the store was cut off") as caught:
        store.read("pack", offset, length)

    assert caught.value.code == "short_object"


def test_many_threads_read_and_write_at_once(store: ObjectStore) -> None:
    packs = {f"packs/{number}": bytes([number]) * 300_000 for number in range(8)}

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(store.put, packs, packs.values()))
        read = list(pool.map(lambda n: store.read(f"packs/{n % 8}", 1000 * n, 1000), range(160)))

    assert read == [bytes([number % 8]) * 1000 for number in range(160)]


def test_an_opened_object_can_seek(store: ObjectStore) -> None:
    data = bytes(number % 251 for number in range(2_500_000))
    store.put("key", data)

    with store.open("key") as file:
        assert file.read(5) == data[:5]
        assert file.seek(-5, 2) == len(data) - 5
        assert file.read() == data[-5:]
        assert file.read() == b""
        file.seek(1_000_000)
        assert file.read(1_200_000) == data[1_000_000:2_200_000]
        assert file.tell() == 2_200_000
        file.seek(-100, 1)
        assert file.read(7) == data[2_199_900:2_199_907]


def test_a_table_is_read_from_an_opened_object(store: ObjectStore, tmp_path: Path) -> None:
    table = pa.table({"number": list(range(1000)), "text": [f"row {number}" for number in range(1000)]})
    pq.write_table(table, tmp_path / "table.parquet")
    store.put_file("table.parquet", tmp_path / "table.parquet")

    with store.open("table.parquet") as file:
        assert pq.read_table(file, columns=["text"]).equals(table.select(["text"]))


def test_keys_are_listed_by_prefix_and_in_order(store: ObjectStore) -> None:
    for key in ("b/2", "b/1", "b-more/1", "a", "b/10/x", "é", "z"):
        store.put(key, b"")

    assert [stored.key for stored in store.objects("")] == ["a", "b-more/1", "b/1", "b/10/x", "b/2", "z", "é"]
    assert [stored.key for stored in store.objects("b/")] == ["b/1", "b/10/x", "b/2"]
    assert [stored.key for stored in store.objects("b/1")] == ["b/1", "b/10/x"]
    assert [stored.key for stored in store.objects("none/at/all")] == []


def test_a_listing_says_how_large_an_object_is_and_when_it_was_written(store: ObjectStore) -> None:
    store.put("a/key", b"12345")

    (stored,) = store.objects("a/")

    assert stored.size == 5
    assert stored.written_at.utcoffset() == timedelta(0)
    assert abs(stored.written_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_deleting_twice_is_no_error(store: ObjectStore) -> None:
    store.put("key", b"data")
    assert store.exists("key")
    store.delete("key")
    store.delete("key")

    assert not store.exists("key")


@pytest.mark.parametrize("length", [0, 5])
def test_a_missing_object_says_its_key(store: ObjectStore, length: int) -> None:
    for ask in (store.get, store.open, lambda key: store.read(key, 0, length)):
        with pytest.raises(InfrastructureError, match="parts/ab/abc") as caught:
            ask("parts/ab/abc")
        assert caught.value.code == "missing_object"


@pytest.mark.parametrize("key", ["/etc/passwd", "../outside", "a/../../outside", "a/..", "..", "", "a//b"])
@pytest.mark.parametrize("method", ["get", "open", "exists", "delete"])
def test_no_method_takes_what_is_no_key(store: ObjectStore, method: str, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        getattr(store, method)(key)


def test_a_store_crosses_to_another_process(store: ObjectStore) -> None:
    store.put("key", b"data")

    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert pool.submit(store.get, "key").result(60) == b"data"


def test_what_is_written_again_is_as_young_as_if_it_were_new(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cv_pipelines.storage.s3.REFRESH", timedelta(seconds=-5))  # so that all is old there
    (tmp_path / "file.bin").write_bytes(b"second")
    store.put("one", b"first")
    store.put("two", b"second")
    before = {stored.key: stored.written_at for stored in store.objects("")}
    time.sleep(1.1)  # a server tells whole seconds

    store.put("one", b"first")
    store.put_file("two", tmp_path / "file.bin")

    assert all(stored.written_at > before[stored.key] for stored in store.objects(""))


def test_what_a_killed_writer_has_left_is_no_object_and_can_be_deleted(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    store.put("packs/ab/key", b"whole")
    (store.root / "packs/ab/0123.partial").write_bytes(b"half")

    (left,) = store.leftovers()
    assert [stored.key for stored in store.objects("")] == ["packs/ab/key"]
    assert left.size == 4
    store.delete(left.key)
    assert list(store.leftovers()) == []


def test_a_store_without_leftovers_has_none(store: ObjectStore) -> None:
    store.put("key", b"data")

    assert list(store.leftovers()) == []
