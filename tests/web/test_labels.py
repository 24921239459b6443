"""Labels that pages save: at once, never over somebody else's, and nothing else than labels."""

from typing import Any

import httpx
import pytest

from cv_pipelines.annotations.store.events import history
from tests.web.test_pages import ids_of
from tests.web_site import Site

ADDRESS = "/datasets/shapes/labels"


@pytest.fixture
def ann(site: Site, client: httpx.Client) -> httpx.Client:
    client.headers.update(site.bearer("annotator"))
    return client


@pytest.fixture
def bob(site: Site, client: httpx.Client, url: str) -> Any:
    with httpx.Client(base_url=url, headers=site.bearer("admin"), timeout=30) as one:
        yield one


def save(client: httpx.Client, *changes: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(ADDRESS, json={"changes": changes})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def events(site: Site, image: str) -> list[tuple[int, str, str | None, str, str]]:
    with site.catalog.database.connect() as connection:
        rows = history(connection, "shapes", image)
    return [(row.version, row.who, row.content, row.origin, row.note) for row in rows]


def test_a_label_is_saved_shown_undone_and_taken_away(site: Site, ann: httpx.Client) -> None:
    image = ids_of(site, "shapes")[0]
    address = f"/datasets/shapes/images/{image}/label"
    before = ann.get(address).json()
    assert (before["version"], before["origin"], before["width"], before["height"]) == (1, "import", 48, 36)
    (was,) = before["annotation"]["classes"]

    told = save(ann, {"image_id": image, "seen": 1, "classes": [(was + 1) % 3]})
    label = {"classes": [(was + 1) % 3], "boxes": 0, "origin": "person", "who": "annotator", "model": ""}
    assert told["saved"] == [{"image_id": image, "version": 2, "label": label}]
    assert (told["refused"], told["counts"]["labelled"], told["counts"]["total"]) == ([], 230, 230)

    back = save(ann, {"image_id": image, "seen": 2, "restore": 1})
    assert back["saved"][0]["label"] == {**label, "classes": [was], "origin": "import"}
    again = save(ann, {"image_id": image, "seen": 2, "restore": 1})
    assert again["saved"] == back["saved"], "an answer that got lost"
    gone = save(ann, {"image_id": image, "seen": 3, "delete": True})
    assert (gone["saved"][0]["label"], gone["counts"]["labelled"]) == (None, 229)
    assert ann.get(address).json()["annotation"] is None
    assert [one[:2] for one in events(site, image)] == [(n, "annotator") for n in (4, 3, 2)] + [(1, "source")]


def test_of_two_people_who_label_at_once_the_second_one_is_told(
    site: Site, ann: httpx.Client, bob: httpx.Client
) -> None:
    image = ids_of(site, "shapes")[1]
    first = save(ann, {"image_id": image, "seen": 1, "classes": [0, 1]})
    second = save(bob, {"image_id": image, "seen": 1, "classes": [2]})

    assert second["saved"] == []
    assert second["refused"] == [{**first["saved"][0], "code": "conflict", "who": "annotator"}]
    assert len(events(site, image)) == 2


def test_a_whole_annotation_comes_back_as_it_was_sent(site: Site, ann: httpx.Client) -> None:
    image = ids_of(site, "shapes")[2]
    box = {"class": 1, "left": 1.25, "top": 2.0, "width": 3.5, "height": 4.0}
    ring = [[[1.25, 2.0], [4.75, 2.0], [3.0, 6.0]], [[2.5, 3.0], [3.0, 3.0], [3.0, 3.5]]]
    more = {**box, "class": 2, "outline": ring, "attributes": {"difficult": True, "group": 3, "note": "<b>"}}

    save(ann, {"image_id": image, "seen": 1, "annotation": {"classes": [0], "boxes": [box, more]}})
    shown = ann.get(f"/datasets/shapes/images/{image}/label").json()

    assert shown["annotation"] == {"classes": [0], "boxes": [{**box, "outline": [], "attributes": {}}, more]}
    only = save(ann, {"image_id": image, "seen": 2, "classes": [1]})
    assert only["saved"][0]["label"]["boxes"] == 2, "boxes stay where only the classes are said"
