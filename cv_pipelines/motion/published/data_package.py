"""Regions of many videos as a Data Package, the standard of Frictionless Data, version 2 (datapackage.org)."""

import csv
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from cv_pipelines.motion.intervals import MotionFacts, facts_of, seconds_of
from cv_pipelines.motion.published.data_package_fields import REGION_FIELDS, VIDEO_FIELDS

_PROFILES = "https://datapackage.org/profiles/2.0"
_DESCRIPTION = """Stretches of video in which the camera does one thing: it rests, pans, zooms, rolls or shakes.

Frames count from 1, and both ends of a region belong to it. Motion is that of the picture's content, in pixels of
the full picture, upright: x goes right, y down. So a camera that pans to the east moves its picture to the
left."""
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
_ROWS = Iterable[Sequence[object]]


def write_data_package(regions: Iterable[pa.Table], target: Path, title: str = "Regions of camera motion") -> None:
    """Write `datapackage.json`, `videos.csv` and `regions.csv`; the same tables give the same bytes.

    Tables are taken as they come, one at a time; of each video only its facts are kept.

    Args:
        regions: of each video, a table of the schema REGIONS with MotionFacts.
        target: a folder, made where it is not there, or a file that ends in `.zip`; what is there under these
            names is replaced.
        title: of the package.

    Raises:
        OSError: it cannot be written.
    """
    if target.suffix.lower() != ".zip":
        target.mkdir(parents=True, exist_ok=True)
        _write(regions, title, lambda name: (target / name).open("wb"))
        return
    unfinished = target.with_name(f"{target.name}.part")
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            _write(regions, title, lambda name: archive.open(_member(name), "w", force_zip64=True))
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _member(name: str) -> zipfile.ZipInfo:
    """A member without the time of writing, so that the same content is the same file."""
    member = zipfile.ZipInfo(name, _FIRST_DAY)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _write(regions: Iterable[pa.Table], title: str, create: Callable[[str], IO[bytes]]) -> None:
    videos: list[MotionFacts] = []

    def rows() -> Iterator[Sequence[object]]:
        for table in regions:
            facts = facts_of(table)
            videos.append(facts)
            yield from ((facts.video, *_values(row)) for row in table.to_pylist())

    resources = [
        _resource("regions", "Regions", REGION_FIELDS, ["video", "start_frame"], create, rows()),
        _resource("videos", "Videos", VIDEO_FIELDS, ["video"], create, (_video(facts) for facts in videos)),
    ]
    reference = {"fields": ["video"], "reference": {"resource": "videos", "fields": ["video"]}}
    resources[0]["schema"]["foreignKeys"] = [reference]
    package = {
        "$schema": f"{_PROFILES}/datapackage.json",
        "name": "camera-motion-regions",
        "title": title,
        "description": _DESCRIPTION,
        "keywords": ["video", "camera motion", "static camera", "pan", "zoom"],
        "resources": resources,
    }
    with create("datapackage.json") as file:
        file.write(json.dumps(package, ensure_ascii=False, indent=2).encode())


def _resource(
    name: str,
    title: str,
    fields: Sequence[Mapping[str, Any]],
    key: Sequence[str],
    create: Callable[[str], IO[bytes]],
    rows: _ROWS,
) -> dict[str, Any]:
    """Write a table as CSV; how the standard describes it."""
    path = f"{name}.csv"
    with create(path) as file:
        counted = _Counted(file)
        writer = csv.writer(counted, lineterminator="\r\n")
        writer.writerow([one["name"] for one in fields])
        writer.writerows(rows)
    return {
        "$schema": f"{_PROFILES}/dataresource.json",
        "name": name,
        "title": title,
        "path": path,
        "type": "table",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": counted.bytes,
        "hash": f"sha256:{counted.hash.hexdigest()}",
        "schema": {
            "$schema": f"{_PROFILES}/tableschema.json",
            "fields": list(fields),
            "primaryKey": list(key),
            "missingValues": [""],
        },
    }


class _Counted:
    """Text into a file of bytes, with their number and their hash."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.bytes, self.hash = file, 0, hashlib.sha256()

    def write(self, text: str) -> int:
        # names of files may hold bytes that are no text
        data = text.encode(errors="replace")
        self.bytes += len(data)
        self.hash.update(data)
        return self.file.write(data)


def _values(row: Mapping[str, Any]) -> Iterator[object]:
    """A region's values in the order of the fields; csv writes None as nothing, and floats in full."""
    for one in REGION_FIELDS[1:]:
        value = row[one["name"]]
        yield seconds_of(value) if one["name"].endswith("_time") else value


def _video(facts: MotionFacts) -> Sequence[object]:
    rate, duration = float(facts.rate), float(facts.duration)
    return facts.video, facts.width, facts.height, facts.frames, rate, duration, facts.stride
