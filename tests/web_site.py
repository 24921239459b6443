"""A running web application on a data set of real files, for tests of pages and of browsers."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from cv_pipelines.annotations.source_labels import take_source_labels
from cv_pipelines.annotations.store.events import writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.images.datasets import add_dataset, find_dataset
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.web.tokens import Role, create_token
from tests.installation import COMMAND, Installation

EVIL = "<script>alert(1)</script>&\"'"
"""A name of a class and of files: shown, never executed."""


@dataclass(frozen=True)
class Site:
    """An installation with images, and web applications on it."""

    installation: Installation
    catalog: Catalog
    tokens: dict[str, str]

    def serve(self, *arguments: str, **environment: str) -> AbstractContextManager[str]:
        """The application of this installation; settings may be given."""
        extra = {**self.installation.extra, **environment}
        return serve_web(Installation(self.installation.state, extra), *arguments)

    @property
    def log(self) -> Path:
        """What all its applications log."""
        return self.installation.state / "web.log"

    def bearer(self, role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[role]}"}


@contextmanager
def serve_web(installation: Installation, *arguments: str) -> Iterator[str]:
    """`cv-pipelines web` on a free port; yields its address. It logs to `web.log` in the state folder."""
    command = [COMMAND, "web", "--port", "0", *arguments]
    path = installation.state / "web.log"
    with path.open("a") as log:
        process = subprocess.Popen(
            command,
            env=installation.environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "http://" in line, path.read_text()
        yield line.split("is at ")[1].split(";")[0]
    finally:
        with suppress(ProcessLookupError):  # a test has killed it
            os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)


def fill(catalog: Catalog, name: str, folder: Path) -> list[str]:
    """Ingest a folder as a run does, and take its labels; returns the ids of its images."""
    add_dataset(catalog.database, name, str(folder))
    outcome = ingest(catalog, FolderSource(Path(find_dataset(catalog.database, name).source)), 1)
    catalog.publish(MANIFEST, name, outcome.reference, "run")
    images = outcome.bundle.table("images", ["image_id", "source_label"])
    with writing(catalog.database, name) as connection:
        take_source_labels(connection, name, images)
    ids: list[str] = images["image_id"].to_pylist()
    return ids


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, write_image: Callable[..., Path]) -> Iterator[Site]:
    """Two data sets, `shapes` with 230 images on two pages and `odd` with names that are HTML; three tokens."""
    folder = tmp_path_factory.mktemp("site")
    installation = Installation(folder / "state")
    for number in range(230):
        kind = ("disc", "bar", "frame")[number % 3]
        write_image(folder / "shapes" / kind / f"{number:03}.png", seed=number, width=48, height=36)
    write_image(folder / "odd" / EVIL.replace("/", "") / f"{EVIL.replace('/', '')}.png", seed=500)
    database = open_database(f"sqlite:///{installation.state / 'cv.sqlite'}")
    catalog = Catalog(database, LocalStore(installation.state / "store"))
    fill(catalog, "shapes", folder / "shapes")
    fill(catalog, "odd", folder / "odd")
    add_dataset(database, "later", str(folder / "shapes"))
    tokens = {role.word: create_token(database, role.word, role, "test") for role in Role}
    yield Site(installation, catalog, tokens)
    database.dispose()


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    """The address of one application."""
    with site.serve() as address:
        yield address


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    """A program without a token."""
    with httpx.Client(base_url=url, timeout=30) as one:
        yield one
