import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pytest

from cv_pipelines.motion.published.data_package import write_data_package
from cv_pipelines.motion.regions import find_regions
from tests.motion.made_motion import Act, cut, play

NAME = {"type": "string", "minLength": 1}
FIELD = {
    "type": "object",
    "required": ["name", "type"],
    "properties": {
        "name": NAME,
        "type": {"enum": ["string", "number", "integer"]},
        "title": {"type": "string"},
        "description": NAME,
        "constraints": {
            "type": "object",
            "properties": {
                "required": {"type": "boolean"},
                "unique": {"type": "boolean"},
                "minimum": {"type": "number"},
                "maximum": {"type": "number"},
                "exclusiveMinimum": {"type": "number"},
                "enum": {"type": "array", "minItems": 1, "uniqueItems": True},
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "required": ["$schema", "fields"],
    "properties": {
        "$schema": {"const": "https://datapackage.org/profiles/2.0/tableschema.json"},
        "fields": {"type": "array", "minItems": 1, "items": FIELD},
        "primaryKey": {"type": "array", "minItems": 1, "items": NAME},
        "missingValues": {"type": "array", "items": {"type": "string"}},
        "foreignKeys": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["fields", "reference"],
                "properties": {
                    "fields": {"type": "array", "items": NAME},
                    "reference": {"type": "object", "required": ["fields"]},
                },
            },
        },
    },
    "additionalProperties": False,
}
PACKAGE = {
    "type": "object",
    "required": ["$schema", "resources"],
    "properties": {
        "$schema": {"const": "https://datapackage.org/profiles/2.0/datapackage.json"},
        "name": {"type": "string", "pattern": r"^[a-z0-9._-]+$"},
        "title": NAME,
        "description": NAME,
        "keywords": {"type": "array", "minItems": 1, "items": NAME},
        "resources": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["$schema", "name", "path", "type", "schema"],
                "properties": {
                    "$schema": {"const": "https://datapackage.org/profiles/2.0/dataresource.json"},
                    "name": NAME,
                    "title": NAME,
                    "path": {"type": "string", "pattern": r"^(?!\.|/|.*\.\.)[^\\]+$"},
                    "type": {"const": "table"},
                    "format": {"const": "csv"},
                    "mediatype": {"const": "text/csv"},
                    "encoding": {"const": "utf-8"},
                    "bytes": {"type": "integer", "minimum": 1},
                    "hash": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
                    "schema": SCHEMA,
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
"""What the standard demands of the properties that we use."""
STORY = [Act(2), Act(2, vx=-0.1), cut(), Act(2), Act(2, reason="dark")]


def tables() -> list[pa.Table]:
    names = ["a.mp4", 'odd, "name"\n=1.mp4', "ä/猫.mp4"]
    return [find_regions(play(STORY, video=name)) for name in names]


def files(target: Path) -> dict[str, bytes]:
    if target.is_dir():
        return {path.name: path.read_bytes() for path in target.iterdir()}
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def check_value(field: dict[str, Any], text: str) -> None:
    limits = field.get("constraints", {})
    if text == "":
        assert not limits.get("required")
        return
    value = {"integer": int, "number": float, "string": str}[field["type"]](text)
    assert value >= limits.get("minimum", value)
    assert value <= limits.get("maximum", value)
    assert value in limits.get("enum", [value])
    assert "exclusiveMinimum" not in limits or value > limits["exclusiveMinimum"]


@pytest.mark.parametrize("name", ["package", "package.zip"])
def test_a_package_keeps_to_the_standard_and_its_data_to_its_schema(name: str, tmp_path: Path) -> None:
    write_data_package(iter(tables()), tmp_path / "deep" / name if "." not in name else tmp_path / name)
    written = files(tmp_path / name if "." in name else tmp_path / "deep" / name)
    assert set(written) == {"datapackage.json", "regions.csv", "videos.csv"}
    package = json.loads(written["datapackage.json"])
    jsonschema.Draft202012Validator(PACKAGE).validate(package)
    for resource in package["resources"]:
        data = written[resource["path"]]
        assert resource["bytes"] == len(data)
        assert resource["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        fields, found = resource["schema"]["fields"], rows(data)
        assert list(found[0]) == [field["name"] for field in fields]
        for row in found:
            for field in fields:
                check_value(field, row[field["name"]])
        keys = [tuple(row[part] for part in resource["schema"]["primaryKey"]) for row in found]
        assert len(set(keys)) == len(keys)


def test_the_numbers_come_back_as_they_were(tmp_path: Path) -> None:
    write_data_package(tables(), tmp_path)
    found, videos = rows((tmp_path / "regions.csv").read_bytes()), rows((tmp_path / "videos.csv").read_bytes())
    regions = [(row, table) for table in tables() for row in table.to_pylist()]
    assert len(found) == len(regions) == 15
    for text, (row, _) in zip(found, regions, strict=True):
        assert (int(text["start_frame"]), int(text["end_frame"]), text["kind"]) == (
            row["start_frame"],
            row["end_frame"],
            row["kind"],
        )
        for name in ("scale_mean", "tx_mean", "path", "confidence", "invalid_share"):
            assert (float(text[name]) if text[name] else None) == row[name]
    assert [float(row["start_time"]) for row in found[:2]] == pytest.approx([0, 57 / 30])
    assert {row["video"] for row in found} == {row["video"] for row in videos}
    assert videos[1]["video"] == 'odd, "name"\n=1.mp4'
    assert (videos[0]["width"], videos[0]["frames"], float(videos[0]["rate"])) == ("1920", "240", 30)


def test_the_same_regions_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_data_package(tables(), tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_package_that_was_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "a.zip"
    write_data_package(tables(), target)
    before = target.read_bytes()

    def broken() -> Any:
        yield tables()[0]
        raise OSError("the store went away")

    with pytest.raises(OSError, match="went away"):
        write_data_package(broken(), target)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_no_video_is_a_package_too(tmp_path: Path) -> None:
    write_data_package([], tmp_path)
    jsonschema.validate(json.loads((tmp_path / "datapackage.json").read_bytes()), PACKAGE)
    assert rows((tmp_path / "regions.csv").read_bytes()) == []
