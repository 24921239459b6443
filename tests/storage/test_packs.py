import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cv_pipelines.errors import InfrastructureError, InternalError
from cv_pipelines.images.header import FORMATS
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.storage.packs import PREFIX, Pack, Place, contents, erase, is_erased, place_of, read_packed
from cv_pipelines.storage.protocol import StoredObject

FILES = [b"first", b"", b"the third one", b"\0" * 1000]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def packed(store: LocalStore, files: list[bytes]) -> list[Place]:
    pack = Pack()
    places = [pack.add(data, digest_of(data)) for data in files]
    key = pack.put(store)
    return [Place(key, *place) for place in places]


def listed(store: LocalStore) -> StoredObject:
    (pack,) = store.objects(PREFIX)
    return pack


def test_what_goes_into_a_pack_comes_out_of_its_place(store: LocalStore) -> None:
    places = packed(store, FILES)

    assert [read_packed(store, str(place)) for place in places] == FILES
    assert len({place.key for place in places}) == len(list(store.objects(""))) == 1


def test_a_pack_is_named_by_its_content(store: LocalStore) -> None:
    (place, *_) = packed(store, FILES)
    content = digest_of(store.get(place.key))

    assert place.key == f"packs/{content[:2]}/{content}"
    assert packed(store, FILES)[0] == place
    assert packed(store, FILES[::-1])[0].key != place.key


@given(st.lists(st.binary(max_size=300), max_size=20))
@example([])
def test_a_pack_tells_what_is_in_it(tmp_path_factory: pytest.TempPathFactory, files: list[bytes]) -> None:
    store = LocalStore(tmp_path_factory.mktemp("store"))

    places = packed(store, files)
    found = list(contents(store, listed(store)))

    assert found == [(digest_of(data), place) for data, place in zip(files, places, strict=True)]
    assert [read_packed(store, str(place)) for _, place in found] == files


@given(st.from_regex(r"[a-z0-9/._+-]{1,80}", fullmatch=True), st.integers(0, 2**63), st.integers(0, 2**63))
def test_a_place_survives_being_written_down(key: str, offset: int, length: int) -> None:
    place = Place(key, offset, length)

    assert place_of(str(place)) == place


@pytest.mark.parametrize("uri", ["", "packs/ab/cd", "packs/ab/cd@12", "packs/ab/cd+3"])
def test_what_is_no_place_is_an_error_of_ours(uri: str) -> None:
    with pytest.raises(InternalError, match="not the place of packed bytes") as caught:
        place_of(uri)

    assert caught.value.code == "pack_uri"


def test_an_address_without_a_place_is_a_whole_object(store: LocalStore) -> None:
    store.put("images/ab/abc", b"an image from before there were packs")

    assert read_packed(store, "images/ab/abc") == b"an image from before there were packs"


def test_a_pack_that_is_gone_is_the_stores_fault_and_is_named(store: LocalStore) -> None:
    (place, *_) = packed(store, FILES)
    store.delete(place.key)

    with pytest.raises(InfrastructureError, match=place.key) as caught:
        read_packed(store, str(place))

    assert caught.value.code == "missing_object"


def test_a_pack_that_was_cut_gives_what_it_has_and_never_less_than_asked_for(store: LocalStore) -> None:
    first, *_, last = packed(store, FILES)
    path = store.root / first.key
    path.write_bytes(path.read_bytes()[: last.offset + 10])

    assert read_packed(store, str(first)) == b"first"
    with pytest.raises(InfrastructureError, match="was cut off") as caught:
        read_packed(store, str(last))
    assert caught.value.code == "short_object"


@pytest.mark.parametrize("kept", [0, 5, 15, 16, 17, 60, -1])
def test_a_cut_pack_does_not_tell_nonsense(store: LocalStore, kept: int) -> None:
    packed(store, FILES)
    path = store.root / listed(store).key
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(InfrastructureError, match="was cut off"):
        list(contents(store, listed(store)))


def test_a_count_that_cannot_be_is_no_pack(store: LocalStore) -> None:
    store.put(f"{PREFIX}ab/c", (2**63).to_bytes(8, "little") + b"cv-pack1")

    with pytest.raises(InfrastructureError, match="is no pack") as caught:
        list(contents(store, listed(store)))

    assert caught.value.code == "bad_pack"


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=20, unique=True), st.data())
def test_erased_bytes_are_gone_and_those_beside_them_stay_where_they_are(
    tmp_path_factory: pytest.TempPathFactory, files: list[bytes], data: st.DataObject
) -> None:
    store = LocalStore(tmp_path_factory.mktemp("store"))
    places = packed(store, files)
    gone = data.draw(st.sets(st.sampled_from(places)))

    erased = erase(store, places[0].key, gone)

    for file, place in zip(files, places, strict=True):
        assert read_packed(store, str(place)) == (bytes(len(file)) if place in gone else file)
    kept = [(digest_of(file), place) for file, place in zip(files, places, strict=True) if place not in gone]
    assert list(contents(store, listed(store))) == kept
    assert erased == sum(place.length for place in gone if any(files[places.index(place)]))


def test_erasing_again_changes_nothing(store: LocalStore) -> None:
    (first, *_) = packed(store, FILES)
    erase(store, first.key, [first])
    before = store.get(first.key)

    assert erase(store, first.key, [first]) == 0
    assert store.get(first.key) == before


def test_a_pack_that_is_put_again_after_an_erasure_is_whole_again(store: LocalStore) -> None:
    (first, *_) = packed(store, FILES)
    erase(store, first.key, [first])

    assert packed(store, FILES)[0] == first
    assert read_packed(store, str(first)) == FILES[0]


def test_what_was_erased_is_told_from_an_image(encode: Callable[..., bytes]) -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)

    assert is_erased(bytes(10))
    assert not any(is_erased(encode(pixels, kind)) for kind in FORMATS)
    assert not any(is_erased(encode(pixels, "TIFF", big_tiff=big)) for big in (False, True))


def test_erasing_in_what_is_no_pack_changes_nothing(store: LocalStore) -> None:
    store.put(f"{PREFIX}ab/c", b"no pack")

    with pytest.raises(InfrastructureError, match="is no pack"):
        erase(store, f"{PREFIX}ab/c", [Place(f"{PREFIX}ab/c", 0, 2)])

    assert store.get(f"{PREFIX}ab/c") == b"no pack"
