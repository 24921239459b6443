import errno
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from PIL import Image

from cv_pipelines.errors import ResourceError
from cv_pipelines.images import inspection
from cv_pipelines.images.decode import decode_image, decode_opened
from cv_pipelines.images.inspection import FORGOTTEN, UNREADABLE, Columns, Inspector, crashed
from cv_pipelines.images.manifest import FACTS
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.sources.protocol import SourceItem
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.storage.packs import contents, read_packed

Encode = Callable[..., bytes]
Picture = Callable[..., NDArray[np.uint8]]
WriteImage = Callable[..., Path]
Row = dict[str, Any]


class FullStore(LocalStore):
    """A store whose disk is full."""

    def put(self, key: str, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def rows_of(columns: Columns) -> list[Row]:
    rows: list[Row] = pa.table(columns, FACTS).to_pylist()
    return rows


def inspect(root: Path, store: LocalStore, **wishes: frozenset[str]) -> dict[str, Row]:
    """The facts of every file below a folder, by its path."""
    source = FolderSource(root)
    items = [item for item in source.items() if not item.problem]
    rows = rows_of(Inspector(source, store, **wishes)(items))
    assert [(row["location"], row["stamp"]) for row in rows] == [(item.location, item.stamp) for item in items]
    return dict(zip([item.path for item in items], rows, strict=True))


def stored(store: LocalStore) -> list[str]:
    """The ids of all images in packs."""
    return sorted(image for pack in store.objects("packs/") for image, _ in contents(store, pack))


def id_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_good_file_is_kept_as_it_came_and_described(
    tmp_path: Path, store: LocalStore, write_image: WriteImage
) -> None:
    path = write_image(tmp_path / "data" / "cat" / "1.jpg", width=120, height=90)

    row = inspect(tmp_path / "data", store)["cat/1.jpg"]

    assert (row["code"], row["reason"]) == ("", "")
    assert row["image_id"] == id_of(path)
    assert read_packed(store, row["uri"]) == path.read_bytes()
    assert (row["width"], row["height"], row["channels"], row["format"]) == (120, 90, 3, "JPEG")
    assert (row["orientation"], row["frames"], row["bytes"]) == (1, 1, path.stat().st_size)
    assert len(row["perceptual_hash"]) == 16
    assert all(0 < row[name] < 1 for name in ("brightness", "contrast", "saturation", "sharpness"))


def test_a_bad_file_says_why_and_does_not_stop_its_neighbours(
    tmp_path: Path, store: LocalStore, write_image: WriteImage
) -> None:
    root = tmp_path / "data"
    good = write_image(root / "good.png")
    whole = write_image(root / "short.jpg").read_bytes()
    (root / "short.jpg").write_bytes(whole[: len(whole) // 2])
    large = write_image(root / "nearly whole.jpg", width=1600, height=1200).read_bytes()
    (root / "nearly whole.jpg").write_bytes(large[:-100])
    (root / "empty.png").write_bytes(b"")
    (root / "text.png").write_text("hello")

    found = inspect(root, store)

    assert {path: row["code"] for path, row in found.items()} == {
        "empty.png": "empty",
        "good.png": "",
        "nearly whole.jpg": "undecodable",
        "short.jpg": "undecodable",
        "text.png": "not_an_image",
    }
    for row in (row for row in found.values() if row["code"]):
        assert row["reason"]
        assert {row[name] for name in FACTS.names[4:]} == {None}
    assert stored(store) == [id_of(good)]


@pytest.mark.parametrize("kind", ["jpg", "png", "tiff"])
def test_a_photo_that_lies_on_its_side_is_described_as_people_see_it(
    tmp_path: Path, store: LocalStore, write_image: WriteImage, kind: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = write_image(tmp_path / "data" / f"1.{kind}", width=800, height=600, exif=exif)

    row = inspect(tmp_path / "data", store)[path.name]

    assert (row["width"], row["height"], row["orientation"]) == (600, 800, 6)
    assert decode_image(read_packed(store, row["uri"])).shape == (800, 600, 3)


def test_the_first_frame_of_an_animation_is_measured_and_the_others_counted(
    tmp_path: Path, store: LocalStore, picture: Picture, encode: Encode
) -> None:
    (tmp_path / "data").mkdir()
    first, *others = (Image.fromarray(picture(seed, 90, 70)) for seed in range(3))
    for kind in ("png", "webp", "tiff"):
        options = {"lossless": True} if kind == "webp" else {}
        (tmp_path / "data" / f"all.{kind}").write_bytes(
            encode(first, kind, save_all=True, append_images=others, **options)
        )
    (tmp_path / "data" / "first.png").write_bytes(encode(first))

    found = inspect(tmp_path / "data", store)
    still = found.pop("first.png")

    assert still["frames"] == 1
    for row in found.values():
        assert (row["code"], row["width"], row["height"], row["frames"]) == ("", 90, 70, 3)
        assert (row["perceptual_hash"], row["brightness"]) == (still["perceptual_hash"], still["brightness"])


def test_equal_bytes_are_stored_once_and_found_from_each_file(
    tmp_path: Path, store: LocalStore, write_image: WriteImage
) -> None:
    for name in ("1.png", "2.png", "3.png"):
        write_image(tmp_path / "data" / name, seed=int(name[0]) % 2)

    found = inspect(tmp_path / "data", store)

    assert len(stored(store)) == 2
    assert found["1.png"]["uri"] == found["3.png"]["uri"] != found["2.png"]["uri"]


def test_a_full_pack_is_followed_by_another(
    tmp_path: Path, store: LocalStore, write_image: WriteImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [write_image(tmp_path / "data" / f"{seed}.png", seed=seed).stat().st_size for seed in range(7)]
    write_image(tmp_path / "data" / "again.png", seed=0)
    monkeypatch.setattr(inspection, "FULL", sizes[0] + sizes[1] + 1)

    found = inspect(tmp_path / "data", store)

    packs = [[place.length for _, place in contents(store, pack)] for pack in store.objects("packs/")]
    assert sorted(map(len, packs)) == [1, 3, 3]
    assert sum(map(sum, packs)) == sum(sizes), "the same bytes are not packed again, in whichever pack they are"
    for name, row in found.items():
        assert read_packed(store, row["uri"]) == (tmp_path / "data" / name).read_bytes()


def test_without_a_good_file_there_is_no_pack(tmp_path: Path, store: LocalStore) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bad.png").write_bytes(b"")

    inspect(tmp_path / "data", store)

    assert list(store.objects("")) == []


def test_a_file_that_went_away_after_the_listing_is_unreadable(
    tmp_path: Path, store: LocalStore, write_image: WriteImage
) -> None:
    write_image(tmp_path / "data" / "1.png")
    source = FolderSource(tmp_path / "data")
    (item,) = source.items()

    (row,) = rows_of(Inspector(source, store)([item._replace(location=str(tmp_path / "gone.png"))]))

    assert (row["code"], row["reason"]) == (UNREADABLE, "cannot be read: No such file or directory")


def test_want_of_memory_is_not_the_fault_of_the_file(
    tmp_path: Path, store: LocalStore, write_image: WriteImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(*_: object, **__: object) -> object:
        raise ResourceError("out_of_memory", "There is not enough memory to decode an image.")

    write_image(tmp_path / "data" / "1.png")
    monkeypatch.setattr(inspection, "decode_opened", run_out)

    row = inspect(tmp_path / "data", store)["1.png"]

    assert (row["code"], row["reason"]) == (UNREADABLE, "There is not enough memory to decode an image.")


def test_a_store_that_fails_is_not_the_fault_of_the_file(tmp_path: Path, write_image: WriteImage) -> None:
    write_image(tmp_path / "data" / "1.png")

    with pytest.raises(Exception, match="No space left on device"):
        inspect(tmp_path / "data", FullStore(tmp_path / "store"))


def test_a_person_may_want_a_file_that_is_over_the_limit_of_pixels(
    tmp_path: Path, store: LocalStore, write_image: WriteImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, side in (("small.png", 30), ("large.png", 60), ("wanted.png", 60), ("monstrous.png", 90)):
        write_image(tmp_path / "data" / name, width=side, height=side)
    monkeypatch.setattr(inspection, "MAX_PIXELS", 1000)
    monkeypatch.setattr(inspection, "MOST_PIXELS", 4000)

    found = inspect(tmp_path / "data", store, accepted=frozenset({"wanted.png", "monstrous.png", "no file"}))

    assert {path: row["code"] for path, row in found.items()} == {
        "large.png": "too_many_pixels",
        "monstrous.png": "too_many_pixels",
        "small.png": "",
        "wanted.png": "",
    }
    assert found["wanted.png"]["width"] == 60


def test_a_forgotten_image_is_neither_described_nor_stored(
    tmp_path: Path, store: LocalStore, write_image: WriteImage
) -> None:
    kept, forgotten = (write_image(tmp_path / "data" / f"{seed}.png", seed=seed) for seed in (1, 2))
    write_image(tmp_path / "data" / "again.png", seed=2)

    found = inspect(tmp_path / "data", store, forgotten=frozenset({id_of(forgotten)}))

    assert {path: row["code"] for path, row in found.items()} == {
        "1.png": "",
        "2.png": FORGOTTEN,
        "again.png": FORGOTTEN,
    }
    assert found["2.png"]["image_id"] is None
    assert "delete it from the source" in found["2.png"]["reason"]
    assert stored(store) == [id_of(kept)]


def test_a_file_at_which_a_worker_died_has_a_row_as_well() -> None:
    (row,) = rows_of(crashed(SourceItem("a.png", "/data/a.png", stamp="3:4")))

    assert (row["location"], row["stamp"], row["code"]) == ("/data/a.png", "3:4", "decoder_crashed")
    assert row["reason"]


@dataclass
class DistantSource:
    """A place that is read by four threads at once, and not at all by fewer."""

    data: bytes
    threads: int = 4
    read_so_far: int = 0
    together: Barrier = field(default_factory=lambda: Barrier(4))

    def read(self, item: SourceItem) -> bytes:
        self.together.wait(timeout=10)
        self.read_so_far += 1
        if item.path == "away":
            raise OSError(errno.EIO, "Input/output error")
        return self.data if item.path != "bad" else b""


def test_over_a_network_files_are_read_several_at_once_and_not_too_far_ahead(
    store: LocalStore, picture: Picture, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = DistantSource(encode(picture(1)))
    names = ["good", "away", "bad", *(f"{number}" for number in range(37))]
    ahead: list[int] = []

    def decode_and_look(image: Image.Image, **options: int) -> NDArray[np.uint8]:
        ahead.append(source.read_so_far - len(ahead))
        return decode_opened(image, **options)

    monkeypatch.setattr(inspection, "decode_opened", decode_and_look)
    rows = rows_of(Inspector(source, store)([SourceItem(name, name) for name in names]))  # type: ignore[arg-type]

    assert [row["location"] for row in rows] == names
    assert [row["code"] for row in rows] == ["", UNREADABLE, "empty", *[""] * 37]
    assert max(ahead) <= 2 * 4 + 2, "two of them were never decoded"
