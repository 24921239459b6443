"""The page that the editor of labels starts from, and the frames of a video in the order of time."""

import json
import re

import httpx

from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.web.frames import Frame, frame_of
from tests.web.indexes import index_of
from tests.web_site import EVIL, Site

NAMES = {
    "0a": "b.mp4/000000.040000s=1/25",
    "1a": "a.mp4/000010.000000s=10/1",
    "2a": "a.mp4/000002.000000s=2/1",
    "3a": "photo.jpg",
    "4a": "a.mp4/000000.033333s=1/30",
    "5a": "a.mp4.txt",
    "6a": "a/b.mp4/000000.000000s=0/1",
}


def test_frames_follow_each_other_in_time_within_their_video() -> None:
    index = index_of(list(NAMES), list(NAMES.values()))
    frames = {one: frame_of(index, one) for one in NAMES}

    assert frames == {
        "0a": Frame("b.mp4", "1/25", None, None),
        "1a": Frame("a.mp4", "10/1", "2a", None),
        "2a": Frame("a.mp4", "2/1", "4a", "1a"),
        "3a": None,
        "4a": Frame("a.mp4", "1/30", None, "2a"),
        "5a": None,
        "6a": Frame("a/b.mp4", "0/1", None, None),
    }


def test_the_page_knows_the_classes_and_who_may_label(site: Site, client: httpx.Client) -> None:
    [image] = site.catalog.open(site.catalog.require(MANIFEST, "odd")).table("images", ["image_id"])[0].to_pylist()
    for role, may_edit in (("viewer", False), ("annotator", True)):
        page = client.get(f"/datasets/odd/images/{image}", headers=site.bearer(role)).text
        found = re.search(r'<script type="application/json" id="known">(.*?)</script>', page, re.DOTALL)
        assert found
        known = json.loads(found[1])
        assert (known["dataset"], known["may_edit"]) == ("odd", may_edit)
        assert [one["name"] for one in known["classes"]] == [EVIL.replace("/", "")]
        assert ('id="tool-box"' in page) == may_edit
        assert "style=" not in page


def test_there_is_no_page_of_an_image_that_is_not_there(site: Site, client: httpx.Client) -> None:
    client.headers.update(site.bearer("viewer"))

    assert client.get(f"/datasets/odd/images/{'0' * 64}").status_code == 404
    assert client.get(f"/datasets/odd/images/{'0' * 64}/frame").status_code == 404
    assert client.get("/datasets/odd/images/x").status_code == 422
