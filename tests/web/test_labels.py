"""Labels that pages save: at once, never over somebody else's, and nothing else than labels."""

import json
from typing import Any

import httpx
import pytest

from cv_pipelines.annotations.store.assignments import assign
from cv_pipelines.annotations.store.events import history, writing
from cv_pipelines.database.tables import forgotten_images
from cv_pipelines.database.web_tables import web_tokens
from tests.web.test_pages import NAME, ids_of, shown_in
from tests.web_site import EVIL, Site

ADDRESS = "/datasets/shapes/labels"
BOX = {"class": 1, "left": 1.0, "top": 2.0, "width": 3.0, "height": 4.0}


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


def test_what_one_has_just_said_may_be_said_again(site: Site, ann: httpx.Client, bob: httpx.Client) -> None:
    one, other = ids_of(site, "shapes")[3:5]
    changes = [{"image_id": image, "seen": 1, "classes": [1, 2]} for image in (one, other)]
    first = save(ann, *changes)

    assert save(ann, *changes)["saved"] == first["saved"], "the answer was lost"
    save(bob, {"image_id": one, "seen": 2, "classes": [0]})
    (refused,) = save(ann, *changes)["refused"]
    assert (refused["image_id"], refused["code"], refused["who"], refused["version"]) == (
        one,
        "conflict",
        "admin",
        3,
    )
    assert [len(events(site, image)) for image in (one, other)] == [3, 2]
    gone = {"image_id": other, "seen": 2, "delete": True}
    assert save(ann, gone)["saved"] == save(ann, gone)["saved"]


def test_what_cannot_be_said_is_refused_one_by_one_and_the_rest_is_saved(site: Site, ann: httpx.Client) -> None:
    one, other, third, fourth = ids_of(site, "shapes")[5:9]
    elsewhere = ids_of(site, "odd")[0]
    with site.catalog.database.begin() as connection:
        connection.execute(forgotten_images.insert().values(image_id=fourth, who="test", why="asked"))
    told = save(
        ann,
        {"image_id": elsewhere, "seen": 1, "classes": [0]},
        {"image_id": one, "seen": 1, "classes": [99]},
        {"image_id": other, "seen": 1, "restore": 2},
        {"image_id": third, "seen": 1, "classes": [0, 1, 2]},
        {"image_id": fourth, "seen": 1, "classes": [0]},
    )

    codes = {refused["image_id"]: refused["code"] for refused in told["refused"]}
    assert codes == {elsewhere: "missing_image", one: "no_class", other: "no_version", fourth: "missing_image"}
    assert [saved["image_id"] for saved in told["saved"]] == [third]
    with site.catalog.database.connect() as connection:
        assert len(history(connection, "odd", elsewhere)) == 1


IMAGE = "0" * 64
BOX = {"class": 0, "left": 0, "top": 0, "width": 1, "height": 1}


def boxed(**box: Any) -> dict[str, Any]:
    return {"image_id": IMAGE, "seen": 0, "annotation": {"classes": [], "boxes": [{**BOX, **box}]}}


@pytest.mark.parametrize(
    "change",
    [
        {"image_id": IMAGE, "classes": [0]},
        {"image_id": IMAGE, "seen": "1", "classes": [0]},
        {"image_id": IMAGE, "seen": 1.0, "classes": [0]},
        {"image_id": IMAGE, "seen": -1, "classes": [0]},
        {"image_id": IMAGE, "seen": 10**30, "classes": [0]},
        {"image_id": "../../etc/passwd", "seen": 0, "classes": [0]},
        {"image_id": IMAGE, "seen": 0},
        {"image_id": IMAGE, "seen": 0, "classes": [0], "delete": True},
        {"image_id": IMAGE, "seen": 0, "classes": [0], "who": "bob"},
        {"image_id": IMAGE, "seen": 0, "classes": [True]},
        {"image_id": IMAGE, "seen": 0, "classes": "0"},
        {"image_id": IMAGE, "seen": 0, "delete": False},
        boxed(left=float("nan")),
        boxed(width=float("inf")),
        boxed(width=-1),
        boxed(height=1e300),
        boxed(outline=[[[0, 0], [1, 1]]]),
        boxed(outline=[[[0, 0], [1, 1], [1, float("nan")]]]),
        boxed(attributes={"a": {"b": 1}}),
        boxed(attributes={"a": float("nan")}),
        boxed(colour="red"),
    ],
)
def test_what_is_no_change_is_refused_whole(ann: httpx.Client, change: dict[str, Any]) -> None:
    body = json.dumps({"changes": [change]})
    answer = ann.post(ADDRESS, content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        '{"changes": {}}',
        '{"changes": [], "more": 1}',
        '{"changes": [' + ",".join(['{"image_id": "' + IMAGE + '", "seen": 0, "delete": true}'] * 2) + "]}",
        "[" * 100_000,
        '{"changes": [{"image_id": "\\ud800", "seen": 0, "delete": true}]}',
        '{"changes": [{"image_id": "' + IMAGE + '", "seen": ' + "9" * 5000 + ', "delete": true}]}',
    ],
)
def test_what_is_no_body_is_refused(ann: httpx.Client, body: str) -> None:
    answer = ann.post(ADDRESS, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422)


def test_of_many_mistakes_a_few_are_told(ann: httpx.Client) -> None:
    boxes = [{"class": "a"}] * 1000
    change = {"image_id": IMAGE, "seen": 0, "annotation": {"boxes": boxes}}
    answer = ann.post(ADDRESS, json={"changes": [change]})

    assert answer.status_code == 422
    assert "changes.0.annotation.boxes.0.class" in answer.json()["detail"]
    assert len(answer.content) < 2000


def test_a_thousand_changes_and_no_more(site: Site, ann: httpx.Client) -> None:
    def body(count: int) -> dict[str, Any]:
        return {"changes": [{"image_id": f"{n:064x}", "seen": 0, "delete": True} for n in range(count)]}

    assert len(ann.post(ADDRESS, json=body(1000)).json()["refused"]) == 1000
    assert ann.post(ADDRESS, json=body(1001)).status_code == 422


def test_who_is_blind_to_an_image_learns_nothing_by_trying_and_undoing(
    site: Site, ann: httpx.Client, bob: httpx.Client
) -> None:
    image = ids_of(site, "shapes")[10]
    save(bob, {"image_id": image, "seen": 1, "annotation": {"classes": [2], "boxes": [BOX]}})
    with writing(site.catalog.database, "shapes") as connection:
        assign(connection, "shapes", [image], ["annotator"], "admin")

    late = save(ann, {"image_id": image, "seen": 1, "classes": [0]})["refused"]
    assert late == [{"image_id": image, "version": 2, "label": None, "code": "conflict", "who": "admin"}]
    seen = save(ann, {"image_id": image, "seen": 2, "classes": [0]})["saved"]
    assert (seen[0]["label"]["classes"], seen[0]["label"]["boxes"]) == ([0], 0), "nothing of others is in it"
    undone = save(ann, {"image_id": image, "seen": 3, "restore": 2})["saved"]
    assert undone == [{"image_id": image, "version": 4, "label": None}]
    assert ann.get(f"/datasets/shapes/images/{image}/label").json()["annotation"] is None
    tiles = ann.get("/datasets/shapes", params={"queue": "mine"}).text
    assert (shown_in(tiles), 'data-version="4" data-origin=""' in tiles) == ([image], True)
    again = save(ann, {"image_id": image, "seen": 4, "classes": [1]})["saved"]
    assert (again[0]["label"]["classes"], again[0]["label"]["boxes"]) == ([1], 0)
    assert bob.get(f"/datasets/shapes/images/{image}/label").json()["who"] == "annotator"


def test_only_annotators_save_and_only_from_our_own_pages(site: Site, client: httpx.Client) -> None:
    image = ids_of(site, "shapes")[9]
    change = {"changes": [{"image_id": image, "seen": 1, "classes": [0, 1]}]}
    requests = (
        (ADDRESS, change),
        ("/datasets/shapes/classes", {"action": "add", "name": "evil"}),
        ("/datasets/shapes/suggestions", {"above": 0.5}),
    )
    for address, body in requests:
        assert client.post(address, json=body).status_code == 401
        assert client.post(address, json=body, headers=site.bearer("viewer")).status_code == 403
    client.post("/login", data={"token": site.tokens["annotator"]})
    for headers in ({}, {"X-CSRF-Token": "0" * 64}):
        assert client.post(ADDRESS, json=change, headers=headers).json()["code"] == "csrf"

    assert len(events(site, image)) == 1


def test_classes_are_added_renamed_recoloured_and_retired_after_a_question(site: Site, ann: httpx.Client) -> None:
    address = "/datasets/odd/classes"
    (image,) = ids_of(site, "odd")
    added = ann.post(address, json={"action": "add", "name": EVIL, "colour": "#112233"}).json()["classes"]
    assert added[-1] == {"number": 1, "name": EVIL, "colour": "#112233", "state": "active"}
    ann.post("/datasets/odd/labels", json={"changes": [{"image_id": image, "seen": 1, "classes": [1]}]})
    assert ann.get(address, params={"name": EVIL}).json()["images"] == 1

    ann.post(address, json={"action": "recolour", "name": EVIL, "colour": "#445566"})
    ann.post(address, json={"action": "rename", "name": EVIL, "new": "<b>new</b>"})
    retired = ann.post(address, json={"action": "retire", "name": "<b>new</b>"}).json()["classes"]
    assert retired[-1] == {"number": 1, "name": "<b>new</b>", "colour": "#445566", "state": "retired"}
    shown = ann.get(f"/datasets/odd/images/{image}/label").json()
    assert (shown["version"], shown["annotation"]) == (2, {"classes": [], "boxes": []})
    again = {"changes": [{"image_id": image, "seen": 2, "classes": [1]}]}
    assert ann.post("/datasets/odd/labels", json=again).json()["refused"][0]["code"] == "no_class"
    assert shown_in(ann.get("/datasets/odd", params={"queue": "unlabelled"}).text) == [image]

    for wrong, code in (
        ({"action": "add", "name": " "}, "class_name"),
        ({"action": "retire", "name": "nobody"}, "no_class"),
        ({"action": "recolour", "name": NAME, "colour": "red"}, "colour"),
        ({"action": "rename", "name": NAME}, "invalid"),
        ({"action": "drop", "name": NAME}, "invalid"),
    ):
        assert ann.post(address, json=wrong).json()["code"] == code


def test_pages_answer_while_somebody_writes(site: Site, ann: httpx.Client) -> None:
    image = ids_of(site, "shapes")[0]
    with site.catalog.database.begin() as connection:  # of an import, for seconds perhaps
        connection.execute(web_tokens.update().values(last_used_at=None))
    with site.catalog.database.begin():
        for address in (
            "/datasets",
            "/datasets/shapes",
            f"/datasets/shapes/images/{image}/label",
            "/datasets/shapes/train",
            "/datasets/shapes/review",
            "/upload",
            "/healthy",
        ):
            assert ann.get(address, timeout=8).status_code == 200, "nobody waits for the lock"
