"""What the pages show: data sets, images with their labels, small pictures."""

import html
import io
import re

import httpx
import pytest
from PIL import Image

from cv_pipelines.database.tables import forgotten_images
from cv_pipelines.images.versions import MANIFEST
from tests.web_site import EVIL, Site

NAME = EVIL.replace("/", "")


@pytest.fixture
def viewer(site: Site, client: httpx.Client) -> httpx.Client:
    client.headers.update(site.bearer("viewer"))
    return client


def ids_of(site: Site, name: str) -> list[str]:
    manifest = site.catalog.open(site.catalog.require(MANIFEST, name))
    ids: list[str] = manifest.table("images", ["image_id"])["image_id"].to_pylist()
    return ids


def shown_in(page: str) -> list[str]:
    return re.findall(r"/images/([0-9a-f]{64})/thumbnail", page)


def test_the_list_tells_how_many_images_there_are_and_how_many_are_labelled(viewer: httpx.Client) -> None:
    rows = re.findall(r"<tr>.*?</tr>", viewer.get("/datasets").text, re.DOTALL)
    shapes = next(row for row in rows if "shapes" in row)

    assert re.findall(r'<td class="figure">([\d,]+)</td>', shapes) == ["230", "230"]
    assert "not ingested yet" in next(row for row in rows if "later" in row)


def test_pages_follow_each_other_and_lead_back(site: Site, viewer: httpx.Client) -> None:
    ids = ids_of(site, "shapes")
    first = viewer.get("/datasets/shapes").text
    onward = re.search(r'href="([^"]+)" rel="next"', first)
    assert onward
    second = viewer.get(f"/datasets/shapes{html.unescape(onward[1])}").text
    back = re.search(r'href="([^"]+)" rel="prev"', second)
    assert back

    assert shown_in(first) == ids[:200]
    assert shown_in(second) == ids[200:]
    assert "201 – 230 of 230" in second
    assert 'rel="next"' not in second
    assert shown_in(viewer.get(f"/datasets/shapes{html.unescape(back[1])}").text) == ids[:200]


@pytest.mark.parametrize(("kept", "side", "pixels"), [("64", 64, 96), ("224", 224, 256), ("<b>", 160, 160)])
def test_pictures_come_in_the_size_that_the_browser_has_kept(
    site: Site, viewer: httpx.Client, kept: str, side: int, pixels: int
) -> None:
    page = viewer.get("/datasets/shapes", headers={"Cookie": f"cv_side={kept}"}).text

    assert f'data-side="{side}"' in page
    assert page.count(f"size={pixels}") == 200


def test_names_that_are_html_are_shown_as_they_are(viewer: httpx.Client) -> None:
    page = viewer.get("/datasets/odd").text

    assert "<script>" not in page  # as the names have it; our own have attributes
    assert page.count(html.escape(NAME).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")) >= 4
    assert "style=" not in page


def test_what_was_never_ingested_says_what_to_do(viewer: httpx.Client) -> None:
    assert "cv-pipelines run later" in viewer.get("/datasets/later").text


def test_a_thumbnail_is_small_holds_pixels_alone_and_may_be_kept(site: Site, viewer: httpx.Client) -> None:
    address = f"/datasets/shapes/images/{ids_of(site, 'shapes')[7]}/thumbnail"
    first = viewer.get(address, params={"size": 100})
    picture = Image.open(io.BytesIO(first.content))

    assert (first.headers["Content-Type"], picture.format, picture.size) == ("image/jpeg", "JPEG", (96, 72))
    assert not picture.getexif()
    assert first.headers["Cache-Control"].startswith("private")
    again = viewer.get(address, params={"size": 128}, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert viewer.get(address, params={"size": 160}).headers["ETag"] != first.headers["ETag"]


def together(viewer: httpx.Client, ids: list[str], name: str = "shapes") -> tuple[httpx.Response, list[bytes]]:
    """Thumbnails in one answer, taken apart."""
    answer = viewer.get(f"/datasets/{name}/thumbnails", params={"size": 96, "of": ",".join(ids)})
    left, found = answer.content, list[bytes]()
    while answer.status_code == 200 and left:
        end = 4 + int.from_bytes(left[:4], "big")
        found.append(left[4:end])
        left = left[end:]
    return answer, found


def test_many_thumbnails_come_in_one_answer_and_may_be_kept_once_they_are_made(
    site: Site, viewer: httpx.Client
) -> None:
    ids = ids_of(site, "shapes")[20:70]
    first, made = together(viewer, ids)
    again, kept = together(viewer, ids)

    alone = [viewer.get(f"/datasets/shapes/images/{one}/thumbnail", params={"size": 96}).content for one in ids]
    assert made == kept == alone
    assert first.headers["Cache-Control"] == "no-store"
    assert again.headers["Cache-Control"].startswith("private")


def test_where_one_of_many_cannot_be_shown_the_others_can(site: Site, viewer: httpx.Client) -> None:
    ids = [ids_of(site, "shapes")[0], ids_of(site, "odd")[0], "0" * 64, ids_of(site, "shapes")[1]]
    for _ in range(2):
        answer, found = together(viewer, ids)
        assert [bool(one) for one in found] == [True, False, False, True]
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("of", ["", "x", "0" * 63, "0" * 64 + ",", ",".join(["0" * 64] * 51)])
def test_what_is_no_list_of_up_to_fifty_images_is_refused(viewer: httpx.Client, of: str) -> None:
    assert viewer.get("/datasets/shapes/thumbnails", params={"of": of}).status_code == 422


def test_pictures_are_for_those_who_may_look(site: Site, client: httpx.Client) -> None:
    image = ids_of(site, "shapes")[0]
    assert client.get(f"/datasets/shapes/images/{image}/thumbnail").status_code == 401
    assert client.get(f"/datasets/shapes/thumbnails?of={image}").status_code == 401


def test_an_image_of_one_data_set_is_none_of_another(site: Site, viewer: httpx.Client) -> None:
    assert viewer.get(f"/datasets/odd/images/{ids_of(site, 'shapes')[0]}/thumbnail").status_code == 404


def test_a_forgotten_image_is_shown_from_no_cache(site: Site, viewer: httpx.Client) -> None:
    image = ids_of(site, "shapes")[100]
    address = f"/datasets/shapes/images/{image}/thumbnail"
    tag = {"If-None-Match": viewer.get(address).headers["ETag"]}
    with site.catalog.database.begin() as connection:
        connection.execute(forgotten_images.insert().values(image_id=image, who="test", why="asked"))

    assert [viewer.get(address).status_code, viewer.get(address, headers=tag).status_code] == [404, 404]
    assert together(viewer, [image])[1] == [b""]
