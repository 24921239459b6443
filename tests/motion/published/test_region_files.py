import json
from pathlib import Path
from typing import Any

import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.motion.intervals import facts_of
from cv_pipelines.motion.kinds import KINDS
from cv_pipelines.motion.published.region_files import parse_regions, read_regions, regions_json
from cv_pipelines.motion.published.rule import published_regions
from cv_pipelines.motion.regions import REGIONS, find_regions
from tests.motion.made_motion import Act, cut, play

MOVIE = {"URL": "a.mov", "cacheURL": "", "NumFrames": 2000, "Duration": 66.7333}
STORY = [
    Act(2),
    Act(2, vx=-0.1),
    Act(2),
    Act(2, zoom=0.2),
    cut(),
    Act(2),
    Act(2, reason="dark"),
    Act(2, vy=0.1, zoom=0.1),
]


def region(**changed: Any) -> dict[str, Any]:
    stats = {"scaleMean": 1.0, "txMean": 0.1, "tyMean": -0.1, "size": 16}
    return {"startFrame": 100, "endFrame": 200, "type": "static", "stats": stats} | changed


def file(*regions: Any, **changed: Any) -> bytes:
    return json.dumps(
        {"movie": MOVIE, "contents": {"regions": "1.1"}, "regions": list(regions)} | changed
    ).encode()


def test_the_published_keys_and_names() -> None:
    regions = find_regions(play(STORY))
    content = json.loads(regions_json(regions, {"findRegions": "1.0"}, {"opticalFlow": "a.json"}))
    assert list(content) == ["movie", "contents", "versions", "depends", "regions"]
    assert content["contents"] == {"regions": "1.1"}
    assert content["versions"] == {"findRegions": "1.0"}
    assert [entry["type"] for entry in content["regions"]] == [
        "static",
        "E",
        "static",
        "zoom_in",
        "cut",
        "static",
        "dark",
        "pan_zoom_in",
    ]
    first = content["regions"][0]
    assert set(first) == {"startFrame", "endFrame", "type", "stats"}
    assert set(first["stats"]) >= {"scaleMean", "txMean", "tyMean", "size"}
    assert content["regions"][6]["stats"]["scaleMean"] is None


@pytest.mark.parametrize("ours", [True, False])
def test_what_is_written_is_read(ours: bool, tmp_path: Path) -> None:
    regions = (find_regions if ours else published_regions)(play(STORY))
    path = tmp_path / "a.json"
    path.write_bytes(regions_json(regions))
    read = read_regions(path)
    assert read.schema.equals(REGIONS)
    assert read.equals(regions)
    assert facts_of(read).frames == 420


def test_the_older_form_is_read() -> None:
    stats = {"scale_mean": 1.07, "tx_mean": 1.2, "ty_mean": -1.6, "size": 208}
    data = file(
        {"bounds": [1060, 1220], "type": "zoom_in", "stat": stats},
        {"bounds": [580, 1050], "type": "static", "stats": stats},
        {"bounds": [1220, 1230], "type": "NE", "stats": stats},
        contents={"regions": "1.0"},
    )
    rows = parse_regions(data, "a.json").to_pylist()
    assert [(row["kind"], row["start_frame"], row["end_frame"]) for row in rows] == [
        ("static", 580, 1050),
        ("zoom_in", 1060, 1220),
        ("pan_NE", 1220, 1230),
    ]
    assert (rows[1]["scale_mean"], rows[1]["size"], rows[1]["invalid_share"]) == (1.07, 208, None)


def test_the_mean_of_nothing_may_be_nan() -> None:
    stats = {"scaleMean": float("nan"), "txMean": float("nan"), "tyMean": None, "size": 0}
    (row,) = parse_regions(file(region(type="short", stats=stats)), "a.json").to_pylist()
    assert (row["kind"], row["scale_mean"], row["tx_mean"]) == ("unknown", None, None)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"no", "JSON"),
        (file(regions={}), "regions"),
        (file(region(type="sideways")), r"regions\.0.*sideways.*zoom_in"),
        (file(region(type=1)), r"regions\.0\.type"),
        (file(region(), region(startFrame=201)), r"regions\.1.*201 to 200"),
        (file(region(endFrame=2001)), "of 2000"),
        (file(region(startFrame=0)), "startFrame"),
        (file({"bounds": [1], "type": "static", "stats": {}}), "startFrame"),
        (file({"bounds": {"a": 1}, "type": "static", "stats": {}}), "startFrame"),
        (file(region(stats={"size": 1})), r"stats\.scaleMean"),
        (file(region(stats=[])), "stats"),
        (file(region(stats=region()["stats"] | {"txMean": float("nan")})), r"stats\.txMean.*finite"),
        (file(contents={"regions": "3"}), "version '3'"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(data: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told) as problem:
        parse_regions(data, "a.json")
    assert "'a.json'" in problem.value.user_message


def test_every_kind_has_a_name_of_its_own() -> None:
    regions = find_regions(play([Act(2)]))
    names = set()
    for kind in KINDS:
        changed = regions.set_column(4, REGIONS.field("kind"), [[kind]])
        names.add(json.loads(regions_json(changed))["regions"][0]["type"])
        assert parse_regions(regions_json(changed), "a.json")["kind"].to_pylist() == [kind]
    assert len(names) == len(KINDS)
