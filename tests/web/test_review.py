"""The page Review and what its modules ask for: figures, disputes, verdicts, assignments; and who may."""

from collections.abc import Iterator
from typing import Any

import httpx
import pyarrow as pa
import pytest
from sqlalchemy import select

from cv_pipelines.active_learning.queue import QUEUE
from cv_pipelines.annotations.store.assignments import assign, assigned_to, progress_of
from cv_pipelines.annotations.store.classes import classes_of
from cv_pipelines.annotations.store.events import Author, Change, append, history, writing
from cv_pipelines.database.label_tables import label_assignments, label_events
from cv_pipelines.database.tables import forgotten_images
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.storage.bundles import put_bundle, put_table
from cv_pipelines.web.image_index import ImageIndexes
from cv_pipelines.web.platform import Platform
from cv_pipelines.web.reviewing.disputes import Reviewer
from cv_pipelines.web.tokens import Identity, Role, create_token
from tests.web_site import Site

BOX = '{{"boxes":[[{0},4,5,20,10]]}}'
REVIEW = "/datasets/shapes/review"
ENOUGH = 50


@pytest.fixture
def ids(site: Site) -> Iterator[list[str]]:
    """The images of `shapes`; afterwards everybody takes back what they have said, and nothing is assigned."""
    manifest = site.catalog.open(site.catalog.require(MANIFEST, "shapes"))
    yield manifest.table("images", ["image_id"])["image_id"].to_pylist()
    of_people = select(label_events.c.who, label_events.c.image_id).where(label_events.c.origin == "person")
    with writing(site.catalog.database, "shapes") as connection:
        for who, image in connection.execute(of_people.distinct()).all():
            append(connection, "shapes", [Change(image, None)], Author(who))
        connection.execute(label_assignments.delete())


@pytest.fixture
def admin(site: Site, client: httpx.Client) -> httpx.Client:
    client.headers.update(site.bearer("admin"))
    return client


def number_of(site: Site, name: str) -> int:
    with site.catalog.database.connect() as connection:
        return next(one.number for one in classes_of(connection, "shapes") if one.name == name)


def say(site: Site, who: str, image: str, name: str = "disc", content: str = '{{"classes":[{0}]}}') -> None:
    change = Change(image, content.format(number_of(site, name)))
    with writing(site.catalog.database, "shapes") as connection:
        append(connection, "shapes", [change], Author(who))


def dispute(site: Site, *images: str) -> None:
    for image in images:
        say(site, "ann", image, "disc")
        say(site, "bob", image, "bar")


def version_of(site: Site, image: str) -> int:
    with site.catalog.database.connect() as connection:
        return int(history(connection, "shapes", image)[0].version)


def page_of(client: httpx.Client, **headers: str) -> str:
    """The page, once its figures are those of now: it waits for them only for a while."""
    for _ in range(ENOUGH):
        text = client.get(REVIEW, headers=headers).text
        if 'data-busy="yes"' not in text:
            break
    return text


def disputes_of(client: httpx.Client, **query: Any) -> dict[str, Any]:
    for _ in range(ENOUGH):
        answer = client.get(f"{REVIEW}/disputes", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        if found["fresh"]:
            break
    return found


def shown(client: httpx.Client, **query: Any) -> list[str]:
    return [one["image_id"] for one in disputes_of(client, **query)["disputes"]]


def settle(client: httpx.Client, site: Site, image: str, **verdict: Any) -> httpx.Response:
    body = {"image_id": image, "seen": version_of(site, image), **verdict}
    return client.post(f"{REVIEW}/verdicts", json=body)


def test_figures_follow_what_people_say(site: Site, admin: httpx.Client, ids: list[str]) -> None:
    assert "No image has labels of two people yet" in page_of(admin)
    say(site, "ann", ids[0])
    say(site, "bob", ids[0])
    dispute(site, ids[1])

    page = page_of(admin)
    assert "50%" in page.replace(" ", "")
    assert "Every two people" in page
    part = page_of(admin, **{"X-Fragment": "1"})
    assert "Every two people" in part
    assert "<html" not in part


def test_disputes_come_in_pages_and_one_that_is_settled_is_gone(
    site: Site, admin: httpx.Client, ids: list[str]
) -> None:
    dispute(site, *ids[:5])
    first = disputes_of(admin, most=2)

    assert [one["image_id"] for one in first["disputes"]] == ids[:2]
    assert first["total"] == 5
    assert shown(admin, after=first["after"], most=2) == ids[2:4]
    assert settle(admin, site, ids[3], person="bob").status_code == 200
    assert shown(admin) == [*ids[:3], ids[4]]
    say(site, "ann", ids[3], "frame")
    assert shown(admin) == ids[:5], "whoever says otherwise opens it again"


def test_a_dispute_shows_what_each_person_says_boxes_too(site: Site, admin: httpx.Client, ids: list[str]) -> None:
    say(site, "ann", ids[0], "disc")
    say(site, "bob", ids[0], "bar", BOX)
    (one,) = disputes_of(admin)["disputes"]

    ann, bob = one["opinions"]
    assert (ann["who"], ann["classes"], ann["boxes"]) == ("ann", [number_of(site, "disc")], [])
    assert (bob["who"], bob["classes"]) == ("bob", [])
    place = {"left": 4, "top": 5, "width": 20, "height": 10}
    assert bob["boxes"] == [{"class": number_of(site, "bar"), **place, "outline": []}]
    assert ann["colour"] != bob["colour"]
    assert (one["width"], one["height"], one["version"]) == (48, 36, version_of(site, ids[0]))


def test_a_verdict_is_an_event_of_who_gives_it(site: Site, admin: httpx.Client, ids: list[str]) -> None:
    dispute(site, *ids[:2])

    by_person = settle(admin, site, ids[0], person="ann")
    by_class = settle(admin, site, ids[1], classes=[number_of(site, "frame")])

    assert by_person.json()["version"] == version_of(site, ids[0])
    assert by_class.status_code == 200
    with site.catalog.database.connect() as connection:
        heads = [history(connection, "shapes", image)[0] for image in ids[:2]]
    assert [(one.who, one.adjudicates) for one in heads] == [("admin", True)] * 2
    assert [one.content for one in heads] == [
        f'{{"classes":[{number_of(site, name)}]}}' for name in ("disc", "frame")
    ]
    again = settle(admin, site, ids[0], person="bob")
    assert again.json()["version"] == version_of(site, ids[0]), "another verdict replaces the first"


def test_who_was_too_late_settles_nothing(site: Site, admin: httpx.Client, ids: list[str]) -> None:
    dispute(site, ids[0])
    seen = version_of(site, ids[0])
    say(site, "ann", ids[0], "bar")

    answer = admin.post(f"{REVIEW}/verdicts", json={"image_id": ids[0], "seen": seen, "person": "bob"})

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert version_of(site, ids[0]) == seen + 1
    assert admin.get(f"{REVIEW}/disputes/{ids[0]}").json()["settled"]


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        ({}, 422),
        ({"person": "ann", "classes": [0]}, 422),
        ({"person": "nobody"}, 422),
        ({"classes": [999]}, 404),
        ({"classes": []}, 422),
        ({"person": "ann", "more": 1}, 422),
        ({"person": "ann", "seen": "1"}, 422),
        ({"person": "ann", "image_id": "ab"}, 422),
        ({"person": "ann", "image_id": "0" * 64}, 404),
    ],
)
def test_verdicts_that_cannot_be(
    site: Site, admin: httpx.Client, ids: list[str], verdict: dict[str, Any], status: int
) -> None:
    dispute(site, ids[0])
    before = version_of(site, ids[0])

    answer = settle(admin, site, ids[0], **verdict)

    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert version_of(site, ids[0]) == before


def test_a_forgotten_image_is_not_settled(site: Site, admin: httpx.Client, ids: list[str]) -> None:
    dispute(site, ids[0])
    before = version_of(site, ids[0])
    row = {"image_id": ids[0], "who": "boss", "why": "asked for"}
    with site.catalog.database.begin() as connection:
        connection.execute(forgotten_images.insert().values(row))
    try:
        answer = settle(admin, site, ids[0], classes=[number_of(site, "disc")])
        assert (answer.status_code, answer.json()["code"]) == (404, "erased_image")
    finally:
        with site.catalog.database.begin() as connection:
            connection.execute(forgotten_images.delete())
    assert version_of(site, ids[0]) == before


def test_images_that_the_data_set_has_lost_hold_up_no_page(site: Site, ids: list[str]) -> None:
    """Figures may be of a moment ago, and the images of now."""
    gone, there = "0" * 64, ids[0]
    dispute(site, gone, there)
    platform = Platform(site.catalog, *[None] * 4)  # type: ignore[arg-type]
    index = ImageIndexes(site.catalog).current("shapes")
    found, onward = Reviewer(platform, "shapes", index, Identity(1, "cid", Role.ADMIN), ()).page(
        (gone, there), "", 5
    )

    assert ([one["image_id"] for one in found], onward) == ([there], None)


def test_classes_alone_do_not_settle_what_has_boxes(site: Site, admin: httpx.Client, ids: list[str]) -> None:
    say(site, "ann", ids[0], "disc", BOX)
    say(site, "bob", ids[0], "bar", BOX)

    assert settle(admin, site, ids[0], classes=[number_of(site, "disc")]).json()["code"] == "has_boxes"


def test_an_annotator_settles_what_is_not_their_own(site: Site, client: httpx.Client, ids: list[str]) -> None:
    client.headers.update(site.bearer("annotator"))
    dispute(site, *ids[:2])
    say(site, "annotator", ids[1], "frame")
    others, own = disputes_of(client)["disputes"]

    assert (others["refused"], "yourself" in own["refused"]) == (None, True)
    assert settle(client, site, ids[0], person="ann").status_code == 200
    assert settle(client, site, ids[0], person="bob").status_code == 200, "who has settled it may think again"
    refused = settle(client, site, ids[1], person="ann")
    assert (refused.status_code, refused.json()["code"]) == (403, "party")


def test_who_has_still_to_label_an_image_does_not_see_what_others_say(
    site: Site, client: httpx.Client, ids: list[str]
) -> None:
    client.headers.update(site.bearer("annotator"))
    one, other = ids[50:52]
    dispute(site, one, other)
    with writing(site.catalog.database, "shapes") as connection:
        assign(connection, "shapes", [one], ["annotator"], "admin")

    assert shown(client) == [other]
    for answer in (client.get(f"{REVIEW}/disputes/{one}"), settle(client, site, one, person="ann")):
        assert answer.json()["code"] == "blind"
    say(site, "annotator", one, "frame")
    assert shown(client) == [one, other]


def test_viewers_look_and_strangers_do_not(site: Site, client: httpx.Client, ids: list[str]) -> None:
    dispute(site, ids[0])
    assert client.get(f"{REVIEW}/disputes").status_code == 401
    client.headers.update(site.bearer("viewer"))

    (one,) = disputes_of(client)["disputes"]
    assert "annotator" in one["refused"]
    assert settle(client, site, ids[0], person="ann").status_code == 403
    assert "Assign images" not in page_of(client)


def test_an_admin_assigns_images_and_takes_them_back(site: Site, admin: httpx.Client, ids: list[str]) -> None:
    for name in ("cid", "dan"):
        create_token(site.catalog.database, name, Role.ANNOTATOR, "test")
    page = page_of(admin)
    assert 'value="cid"' in page
    assert 'value="viewer"' not in page
    wanted = {"people": ["cid", "dan"], "count": 20, "twice": 0.5, "source": "random", "seed": 3}

    done = admin.post("/datasets/shapes/assignments", json=wanted).json()

    assert (done["images"], done["twice"], sum(done["shares"].values())) == (20, 10, 30)
    with site.catalog.database.connect() as connection:
        mine = assigned_to(connection, "shapes", "cid")
    assert len(mine) == 15
    say(site, "cid", mine[0])
    assert "1 of 15" in page_of(admin)
    back = admin.post("/datasets/shapes/assignments/withdraw", json={"who": "cid"})
    assert back.json() == {"withdrawn": 14}
    with site.catalog.database.connect() as connection:
        assert [(one.who, one.open) for one in progress_of(connection, "shapes")] == [
            ("cid", 0),
            ("dan", 15),
        ]


def test_an_admin_assigns_what_is_asked_for(site: Site, admin: httpx.Client, ids: list[str]) -> None:
    assert '<option value="asked">' in page_of(admin)
    catalog = site.catalog
    create_token(catalog.database, "eve", Role.ANNOTATOR, "test")
    asked = ids[1:4]
    columns = [[1, 2, 3], asked, [0.5] * 3, ["random"] * 3, ["drawn by lot"] * 3]
    parts = {"queue": put_table(catalog.store, pa.table(columns, schema=QUEUE))}
    catalog.publish("label_queue", "shapes", put_bundle(catalog.store, "label_queue", "q1", {}, parts))
    with writing(catalog.database, "shapes") as connection:
        append(connection, "shapes", [Change(one, None) for one in asked], Author("ann"))

    wanted = {"people": ["eve"], "count": 20, "source": "asked"}
    assert admin.post("/datasets/shapes/assignments", json=wanted).json()["images"] == 3

    with catalog.database.connect() as connection:
        assert sorted(assigned_to(connection, "shapes", "eve")) == sorted(asked)


@pytest.mark.parametrize(
    "wrong",
    [
        {"people": []},
        {"people": ["viewer"]},
        {"people": ["nobody"]},
        {"count": 0},
        {"count": 20_001},
        {"twice": 1.5},
        {"people": ["admin"], "twice": 0.5},
        {"source": "all"},
        {"more": 1},
    ],
)
def test_assignments_that_cannot_be(
    site: Site, admin: httpx.Client, ids: list[str], wrong: dict[str, Any]
) -> None:
    answer = admin.post("/datasets/shapes/assignments", json={"people": ["annotator"], "count": 5, **wrong})

    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    with site.catalog.database.connect() as connection:
        assert progress_of(connection, "shapes") == []


@pytest.mark.parametrize("path", ["assignments", "assignments/withdraw"])
def test_only_admins_assign(site: Site, client: httpx.Client, path: str) -> None:
    client.headers.update(site.bearer("annotator"))

    answer = client.post(f"/datasets/shapes/{path}", json={"people": ["annotator"], "count": 5, "who": "admin"})

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("path", ["review/verdicts", "assignments", "assignments/withdraw"])
def test_a_forged_form_changes_nothing(site: Site, client: httpx.Client, path: str) -> None:
    client.post("/login", data={"token": site.tokens["admin"]})

    forged = client.post(f"/datasets/shapes/{path}", json={})
    foreign = client.post(f"/datasets/shapes/{path}", json={}, headers={"Origin": "https://evil.example"})

    assert (forged.status_code, forged.json()["code"]) == (403, "csrf")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "origin")


def test_what_was_never_ingested_has_nothing_to_review(admin: httpx.Client) -> None:
    assert "cv-pipelines run later" in admin.get("/datasets/later/review").text
    assert admin.get("/datasets/later/review/disputes").status_code == 404
    assert admin.get("/datasets/none/review").status_code == 404
