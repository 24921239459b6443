"""What the published JSON files have in common: a bounded, strict reading, and the movie.

Marburg, Crone, Knuth: CamHD motion metadata, doi:10.5281/zenodo.834740.
"""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cv_pipelines.errors import InputError
from cv_pipelines.motion.intervals import MotionFacts

MAX_BYTES = 32 << 20
"""Larger files are refused: four hours of video have that, if sampled and written as the published ones are."""
UNKNOWN_SIZE = (1920, 1080)
"""Width and height where a file does not say them: those of the published videos."""
_SHOWN = 3
_MAX_FRAMES = 2**31 - 1

Number = Annotated[float, Field(allow_inf_nan=False)]
Frame = Annotated[int, Field(ge=0, le=_MAX_FRAMES)]
F = TypeVar("F", bound="PublishedFile")


class Published(BaseModel):
    """A part of a file: types as they are written, unknown keys ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", populate_by_name=False)


class Movie(Published):
    """Of which video a file speaks."""

    url: str = Field("", validation_alias="URL")
    cache_url: str = Field("", validation_alias="cacheURL")
    frames: Frame = Field(validation_alias="NumFrames")
    duration: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(validation_alias="Duration")

    def rate(self) -> Fraction:
        """Frames a second: n, or n · 1000/1001, where the duration is close to that, for files round it."""
        measured = max(self.frames, 1) / self.duration
        for near in (Fraction(round(measured)), Fraction(round(measured * 1.001) * 1000, 1001)):
            if near and abs(float(near) / measured - 1) < 1e-4:
                return near
        return Fraction(measured).limit_denominator(100_000) or Fraction(1, 100_000)

    def facts(self, width: int, height: int, stride: int) -> MotionFacts:
        """As a motion table carries them."""
        duration = Fraction(str(self.duration))
        return MotionFacts(self.url, width, height, self.frames, self.rate(), duration, stride)


class PublishedFile(Published):
    """A whole file."""

    contents: dict[str, Any]
    movie: Movie


def movie_of(facts: MotionFacts) -> dict[str, Any]:
    """The movie of a file that is written; there is no cache, so it is the same address."""
    return {
        "URL": facts.video,
        "cacheURL": facts.video,
        "NumFrames": facts.frames,
        "Duration": float(facts.duration),
    }


def parse(kind: type[F], data: bytes, name: str, versions: tuple[str, ...]) -> F:
    """Read a file's bytes.

    Args:
        kind: what it should be.
        data: JSON in UTF-8, at most MAX_BYTES.
        name: of the file, for messages.
        versions: under which names `contents` may give the version of the format.

    Raises:
        InputError: it is too large, no JSON, not of this format or of another version; names file and key.
    """
    if len(data) > MAX_BYTES:
        raise InputError(
            "published_size", f"'{name}': is larger than {MAX_BYTES >> 20} MiB. Split it, or use Parquet."
        )
    try:
        file = kind.model_validate_json(data)
    except ValidationError as error:
        raise InputError("published_file", f"'{name}': {_problems(error)}") from error
    version = _version(file.contents, versions)
    if version not in (None, "1.0", "1.1"):
        message = f"'{name}': contents: version {version!r} is not known; 1.0 and 1.1 are."
        raise InputError("published_version", message)
    return file


def read_bounded(path: Path) -> bytes:
    """A file's bytes, one more than MAX_BYTES at most.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _problems(error: ValidationError) -> str:
    """The first few, each with its key."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    told = [": ".join(filter(None, (".".join(map(str, e["loc"])), e["msg"]))) for e in found[:_SHOWN]]
    rest = f" (and {len(found) - _SHOWN} more)" if len(found) > _SHOWN else ""
    return f"{'; '.join(told)}{rest}. Is it a published file of this kind?"


def _version(contents: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The version under one of the names, however deep: older files nest them."""
    for key, value in contents.items():
        if key in names and not isinstance(value, Mapping):
            return value
        if isinstance(value, Mapping) and (found := _version(value, names)) is not None:
            return found
    return None
