"""Camera motion in files: Parquet for machines, JSON in the published format."""

from pathlib import Path

import pyarrow as pa

from cv_pipelines.errors import InputError
from cv_pipelines.motion.analysis import parquet_bytes
from cv_pipelines.motion.intervals import INTERVALS, facts_of
from cv_pipelines.motion.published.motion_files import Effort, motion_json, read_motion
from cv_pipelines.motion.published.samples import require_stride
from cv_pipelines.storage.parquet import read_parquet

SUFFIXES = (".parquet", ".json")


def require_format(path: Path, video: str, stride: int) -> None:
    """Make sure that a motion file can be written, before anything is analysed for it.

    Args:
        path: of the file.
        video: its name.
        stride: of the analysis.

    Raises:
        InputError: its format is another, or cannot hold this stride; or there is no folder for it.
    """
    require_suffix(path)
    if path.suffix.lower() == ".json":
        require_stride(video, stride)
    if not path.parent.is_dir():
        raise InputError("no_folder", f"There is no folder '{path.parent}' to write to.")


def require_suffix(path: Path) -> None:
    """Make sure that a file's name says a format that we know.

    Raises:
        InputError: it does not.
    """
    if path.suffix.lower() not in SUFFIXES:
        message = f"'{path}' names no format: end it in .parquet (all numbers) or .json (the published format)."
        raise InputError("motion_format", message)


def write_motion(table: pa.Table, path: Path, effort: Effort | None = None) -> None:
    """Write a motion file; it appears whole or not at all.

    Args:
        table: INTERVALS, with MotionFacts.
        path: ends in .parquet or .json.
        effort: what it cost; the published format says it.

    Raises:
        InputError: the format is another, or cannot hold this stride.
        OSError: it cannot be written.
    """
    require_suffix(path)
    data = motion_json(table, effort) if path.suffix.lower() == ".json" else parquet_bytes(table)
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def load_motion(path: Path) -> pa.Table:
    """Read a motion file of ours, or a published one of version 1.0 or 1.1.

    Returns:
        INTERVALS, with MotionFacts.

    Raises:
        InputError: it is none.
        OSError: it cannot be read.
    """
    require_suffix(path)
    if path.suffix.lower() == ".json":
        return read_motion(path)
    try:
        with path.open("rb") as file:
            table = read_parquet(file)
        facts_of(table)
        return table.select(INTERVALS.names).cast(INTERVALS.with_metadata(table.schema.metadata))
    except (pa.ArrowException, KeyError, ValueError) as error:
        message = f"'{path}' is no motion file: 'cv-pipelines motion analyse VIDEO --out {path.name}' writes one."
        raise InputError("motion_file", message, repr(error)) from error
