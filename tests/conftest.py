"""What tests of several folders share: a catalog of their own, and pictures made on the spot."""

import hashlib
import io
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import settings
from numpy.typing import NDArray
from PIL import Image

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.garbage import collect_rarely
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.storage.packs import Pack, Place
from cv_pipelines.storage.protocol import ObjectStore

# what it asserts is told as a test's own is: which values differed
pytest.register_assert_rewrite("tests.faults.task_platform")

pytest_plugins = [
    "tests.browsers",
    "tests.clips",
    "tests.order",
    "tests.installation",
    "tests.library",
    "tests.rabbitmq",
    "tests.servers",
    "tests.swarm",
    "tests.docker_engine",
    "tests.web_server",
    "tests.web_site",
    "tests.label_street",
]

# whoever starts the tests in the background may have had SIGINT ignored, by us and all that we start
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

collect_rarely()

# how long an example takes is no property of the code
settings.register_profile("cv", deadline=None, print_blob=True)
settings.load_profile("cv")


@pytest.fixture
def catalog(tmp_path: Path, database_url: str) -> Iterator[Catalog]:
    """A catalog with nothing in it: a fresh database and an empty folder."""
    engine = open_database(database_url)
    yield Catalog(engine, LocalStore(tmp_path / "catalog" / "store"))
    engine.dispose()


@pytest.fixture(scope="session")
def picture() -> Callable[..., NDArray[np.uint8]]:
    """`picture(seed, width, height)`: soft coloured blobs, which survive being saved as a JPEG; RGB uint8."""

    def make(seed: int = 0, width: int = 96, height: int = 80) -> NDArray[np.uint8]:
        coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)

    return make


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    """`encode(pixels, format, **options)`: the bytes of an image file, with Pillow's options for saving."""

    def make(pixels: NDArray[Any] | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        return buffer.getvalue()

    return make


@pytest.fixture(scope="session")
def write_image(picture: Callable[..., NDArray[np.uint8]], encode: Callable[..., bytes]) -> Callable[..., Path]:
    """`write_image(path, seed=0, width=96, height=80, **options)`: one file, its format by its suffix."""

    def write(path: Path, seed: int = 0, width: int = 96, height: int = 80, **options: Any) -> Path:
        kind = Image.registered_extensions()[path.suffix.lower()]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(picture(seed, width, height), kind, **options))
        return path

    return write


@pytest.fixture(scope="session")
def store_images() -> Callable[[ObjectStore, Mapping[str, bytes]], StoredImages]:
    """`store_images(store, {id: bytes})`: image files in one pack, as an ingest leaves them."""

    def put(store: ObjectStore, files: Mapping[str, bytes]) -> StoredImages:
        pack, ids = Pack(), sorted(files)
        places = [pack.add(files[name], hashlib.sha256(files[name]).hexdigest()) for name in ids]
        key = pack.put(store)
        return StoredImages(store, pa.array(ids, pa.string()), pa.array([str(Place(key, *at)) for at in places]))

    return put


@pytest.fixture(scope="session")
def bench_data() -> Path:
    """The folder of larger real data, where there is one."""
    folder = os.environ.get("CV_BENCH_DATA")
    if not folder:
        pytest.skip("CV_BENCH_DATA names no folder of real data")
    return Path(folder)
