"""A data set to label on the grid, and what tests do on its page."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from playwright.sync_api import Locator, Page, expect

from cv_pipelines.annotations.store.events import history
from cv_pipelines.annotations.store.shown import count_since
from cv_pipelines.database.engine import reading
from cv_pipelines.database.label_tables import label_events
from cv_pipelines.models.prediction import PREDICTIONS
from cv_pipelines.storage.bundles import put_bundle, put_table
from tests.browsers import enter
from tests.web_site import EVIL, Site

CLASSES = ["cat", "dog", "horse", "cow", "sheep", "goat", "hen", "duck", "goose", "bee", "wasp", EVIL]


@dataclass(frozen=True)
class Field:
    """A data set without labels, and who may label it."""

    site: Site
    name: str
    ids: list[str]
    tokens: dict[str, str]

    def events(self, image_id: str) -> list[tuple[int, str, str | None]]:
        """Versions, authors and contents of an image, the oldest first."""
        with reading(self.site.catalog.database) as connection:
            rows = history(connection, self.name, image_id)
            return [(row.version, row.who, row.content) for row in reversed(rows)]

    @property
    def labelled(self) -> int:
        with reading(self.site.catalog.database) as connection:
            return count_since(connection, {self.name: 0}).get(self.name, (0, 0))[1]

    @property
    def count(self) -> int:
        """Of all events."""
        with reading(self.site.catalog.database) as connection:
            return len(connection.execute(label_events.select().where(label_events.c.dataset == self.name)).all())

    def predict(self) -> None:
        """Publish what a model sees: cats, of which it is the surer the further on they are."""
        sure = np.linspace(0.5, 1, 230)
        columns = {
            "image_id": self.ids,
            "predicted": ["cat"] * 230,
            "probability": sure,
            "second_probability": 1 - sure,
        }
        rest = {"entropy": np.linspace(0.7, 0, 230), "model_version": ["m1"] * 230, "data_version": ["d1"] * 230}
        table = pa.table({**columns, **rest}).cast(PREDICTIONS)
        store = self.site.catalog.store
        parts = {"predictions": put_table(store, table)}
        bundle = put_bundle(store, "predictions", "1", {"model": "m1", "images": 230}, parts)
        self.site.catalog.publish("predictions", self.name, bundle, "run")


def go(page: Page, url: str, field: Field, who: str) -> None:
    enter(page, url, field.tokens[who])
    page.goto(f"{url}/datasets/{field.name}")
    expect(tiles(page)).to_have_count(200)


def tiles(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Images").get_by_role("option")


def current(page: Page) -> Locator:
    return page.locator(".tile.current")


def saved(page: Page) -> None:
    expect(page.locator("#state")).to_have_attribute("data-waiting", "0")
    expect(page.locator("#state")).to_have_text("all saved")
    expect(page.locator(".tile.unsaved")).to_have_count(0)


def name_of(page: Page, at: int) -> str:
    return tiles(page).nth(at).get_attribute("data-name") or ""
