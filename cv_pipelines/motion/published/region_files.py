"""Regions in the published JSON format, version 1.1; 1.0 is read too."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
from pydantic import AliasChoices, Field, model_validator

from cv_pipelines.errors import InputError
from cv_pipelines.motion.intervals import MotionFacts, facts_of
from cv_pipelines.motion.kinds import KINDS
from cv_pipelines.motion.published.format import (
    UNKNOWN_SIZE,
    Frame,
    Published,
    PublishedFile,
    movie_of,
    parse,
    read_bounded,
)
from cv_pipelines.motion.published.samples import SPAN
from cv_pipelines.motion.regions import REGIONS

_OF_KIND = {kind: kind.removeprefix("pan_") if len(kind) <= len("pan_NE") else kind for kind in KINDS}
_OF_TYPE = {written: kind for kind, written in _OF_KIND.items()} | {"short": "unknown"}
_STATISTICS = {
    "scale_mean": "scaleMean",
    "tx_mean": "txMean",
    "ty_mean": "tyMean",
    "size": "size",
    "rotation_mean": "rotationMean",
    "path": "path",
    "confidence": "confidence",
    "invalid_share": "invalidShare",
}


class _Stats(Published):
    scale_mean: float | None = Field(validation_alias=AliasChoices("scaleMean", "scale_mean"))
    tx_mean: float | None = Field(validation_alias=AliasChoices("txMean", "tx_mean"))
    ty_mean: float | None = Field(validation_alias=AliasChoices("tyMean", "ty_mean"))
    size: Frame
    rotation_mean: float | None = Field(None, validation_alias="rotationMean")
    path: float | None = None
    confidence: float | None = None
    invalid_share: float | None = Field(None, validation_alias="invalidShare")


class _Region(Published):
    start: Annotated[int, Field(ge=1)] = Field(validation_alias="startFrame")
    end: Annotated[int, Field(ge=1)] = Field(validation_alias="endFrame")
    type: str
    # the old files say 'stat' of regions that are not static
    stats: _Stats = Field(validation_alias=AliasChoices("stats", "stat"))

    @model_validator(mode="before")
    @classmethod
    def _bounds(cls, value: Any) -> Any:
        """The older form gives both ends as a pair."""
        if isinstance(value, dict) and isinstance(value.get("bounds"), list) and len(value["bounds"]) == 2:
            start, end = value["bounds"]
            return {"startFrame": start, "endFrame": end, **value}
        return value


class _RegionFile(PublishedFile):
    regions: list[_Region]


def regions_json(
    regions: pa.Table, versions: Mapping[str, str] | None = None, depends: Mapping[str, Any] | None = None
) -> bytes:
    """A table of regions in the published format.

    A pan is written by its direction only (`N`), all other kinds by their names. Beside the published statistics
    stand ours, where they are known: `rotationMean`, `path`, `confidence`, `invalidShare`.

    Args:
        regions: of the schema REGIONS, with MotionFacts.
        versions: of the programs that found them.
        depends: on which file they depend, and in which version.
    """
    content = {
        "movie": movie_of(facts_of(regions)),
        "contents": {"regions": "1.1"},
        "versions": dict(versions or {}),
        "depends": dict(depends or {}),
        "regions": [_written(row) for row in regions.to_pylist()],
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1).encode()


def parse_regions(data: bytes, name: str) -> pa.Table:
    """A published file of regions as a table with the columns of REGIONS and MotionFacts, in the order of frames.

    Published regions overlap or leave frames out. The files do not say the size of the picture.

    Args:
        data: JSON, at most `format.MAX_BYTES`.
        name: of the file, for messages.

    Raises:
        InputError: it is no such file, or contradicts itself; names the file and the key or region.
    """
    file = parse(_RegionFile, data, name, ("regions",))
    facts = file.movie.facts(*UNKNOWN_SIZE, SPAN)
    rows = [_row(place, region, facts, name) for place, region in enumerate(file.regions)]
    rows.sort(key=lambda row: (row["start_frame"], row["end_frame"]))
    return pa.Table.from_pylist(rows, schema=REGIONS.with_metadata(facts.metadata()))


def read_regions(path: Path) -> pa.Table:
    """A published file of regions on disk; see `parse_regions`.

    Raises:
        InputError: it is no such file.
        OSError: it cannot be read.
    """
    return parse_regions(read_bounded(path), path.name)


def _written(row: Mapping[str, Any]) -> dict[str, Any]:
    published = {"scale_mean", "tx_mean", "ty_mean", "size"}
    stats = {key: row[name] for name, key in _STATISTICS.items() if name in published or row[name] is not None}
    kind = _OF_KIND[row["kind"]]
    return {"startFrame": row["start_frame"], "endFrame": row["end_frame"], "type": kind, "stats": stats}


def _row(place: int, region: _Region, facts: MotionFacts, name: str) -> dict[str, Any]:
    def refuse(problem: str) -> InputError:
        return InputError("published_file", f"'{name}': regions.{place}: {problem}.")

    if region.type not in _OF_TYPE:
        raise refuse(f"type '{region.type}' is none of {', '.join(_OF_TYPE)}")
    if not region.start <= region.end <= facts.frames:
        raise refuse(f"goes from frame {region.start} to {region.end} of {facts.frames}")
    numbers = region.stats.model_dump()
    for key, value in numbers.items():
        if value is not None and not math.isfinite(value):
            # the published program writes the mean of nothing as NaN
            if region.stats.size:
                raise refuse(f"stats.{_STATISTICS[key]} is not a finite number")
            numbers[key] = None
    return {
        "start_frame": region.start,
        "end_frame": region.end,
        "start_time": str((region.start - 1) / facts.rate),
        "end_time": str(region.end / facts.rate),
        "kind": _OF_TYPE[region.type],
        **numbers,
    }
