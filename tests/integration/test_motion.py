"""A video that comes into a watched folder, and one that a task names, are analysed by the real daemon."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation, wait_for
from tests.motion.clips import camera, scene_of, views, write_clip

SIZE = (320, 180)
_SENSOR = '{repositoryName: "__repository__", repositoryLocationName: "cv_pipelines", sensorName: "watch_videos"}'
_START = f"mutation {{ startSensor(sensorSelector: {_SENSOR}) {{ ... on Sensor {{ sensorState {{ id }} }} }} }}"


def start_watching(url: str) -> None:
    body = json.dumps({"query": _START}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.load(answer)["data"]["startSensor"]["sensorState"]["id"]


def test_videos_that_come_are_analysed(tmp_path: Path) -> None:
    films, mail = tmp_path / "films", tmp_path / "mail"
    for folder in (films, mail):
        folder.mkdir()
    write_clip(films / "rest.mp4", views(scene_of("1", *SIZE), camera(45), *SIZE))
    (films / "bad.mp4").write_text("no film")
    write_clip(mail / "pan.mp4", views(scene_of("2", *SIZE), camera(45, x=-4), *SIZE))
    settings = {"CV_VIDEO_SOURCES": str(films), "CV_FILE_ALLOW": str(mail)}
    installation = Installation(tmp_path / "state", settings)
    installation.state.mkdir()

    def videos() -> dict[str, dict[str, Any]]:
        return {Path(one["address"]).name: one for one in installation.json("motion", "videos")}

    with installation.dev() as url:
        start_watching(url)
        named = ("--param", f"video={(mail / 'pan.mp4').as_uri()}")
        told = installation.json("task", "submit", "analyse_motion", *named, "--wait")
        wait_for(lambda: [one["state"] for one in videos().values()].count("current") == 2, every=4)
        wait_for(lambda: videos()["bad.mp4"]["state"] == "quarantined", every=4)
        found, runs = videos(), installation.runs()

    assert (found["rest.mp4"]["frames"], found["rest.mp4"]["static_share"]) == (45, 1.0)
    assert "is not a video" in found["bad.mp4"]["problem"]
    reasons = {run["tags"]["dagster/partition"]: run["tags"].get("cv/reason", "") for run in runs}
    watched = "its file is new or has changed"
    assert reasons == {
        found["bad.mp4"]["key"]: watched,
        found["rest.mp4"]["key"]: watched,
        found["pan.mp4"]["key"]: "",
    }
    result = told["result"]
    assert (told["state"], result["key"], result["frames"]) == ("succeeded", found["pan.mp4"]["key"], 45)
    assert result["valid_share"] == 1
    assert result["seconds"] == {"pan_E": pytest.approx(1.5)}
    assert {one["asset"] for one in result["materializations"]} == {
        "video_catalog",
        "camera_motion",
        "motion_regions",
        "static_thumbnails",
    }
