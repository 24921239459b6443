"""People at the label page and in the large view, each in a browser of their own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from cv_pipelines.annotations.store.classes import add_class
from cv_pipelines.annotations.store.events import writing
from cv_pipelines.images.datasets import add_dataset, find_dataset
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.web.tokens import Role, create_token
from tests.browser.label_field import CLASSES, Field, go
from tests.browsers import enter, opened
from tests.web_site import Site


@pytest.fixture(scope="module")
def people(site: Site) -> dict[str, str]:
    roles = {"ann": Role.ANNOTATOR, "bob": Role.ANNOTATOR, "vera": Role.VIEWER}
    return {name: create_token(site.catalog.database, name, role, "test") for name, role in roles.items()}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, write_image: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    for number in range(230):
        write_image(folder / f"{number:03}.png", seed=number + 1000, width=48, height=36)
    return folder


@pytest.fixture
def field(site: Site, people: dict[str, str], pictures: Path, request: pytest.FixtureRequest) -> Field:
    """A fresh data set for each test."""
    name, catalog = request.node.name.removeprefix("test_")[:40].strip("_").replace("_", "-"), site.catalog
    add_dataset(catalog.database, name, str(pictures))
    outcome = ingest(catalog, FolderSource(Path(find_dataset(catalog.database, name).source)), 1)
    catalog.publish(MANIFEST, name, outcome.reference, "run")
    with writing(catalog.database, name) as connection:
        for one in CLASSES:
            add_class(connection, name, one, "test")
    ids: list[str] = outcome.bundle.table("images", ["image_id"])["image_id"].to_pylist()
    return Field(site, name, ids, people)


@pytest.fixture
def ann(browser: Browser, url: str, field: Field) -> Iterator[Page]:
    with opened(browser) as page:
        go(page, url, field, "ann")
        yield page


@pytest.fixture
def person(browser: Browser, site: Site, url: str) -> Iterator[Callable[..., Page]]:
    """`person(role)`: a page of a browser of their own; what a script says is a failure."""
    with ExitStack() as stack:

        def come(role: str = "annotator", address: str = url, *allowed: str) -> Page:
            page = stack.enter_context(opened(browser, "Failed to load resource", *allowed))
            enter(page, address, site.tokens[role])
            return page

        yield come
