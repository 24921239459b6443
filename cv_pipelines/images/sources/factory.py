"""From what a person names to the source that reads it."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from cv_pipelines.errors import InputError
from cv_pipelines.hashing import hash_values
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.sources.protocol import ImageSource, SourceItem
from cv_pipelines.images.sources.table import CsvSource

TABLE_NAME = "labels.csv"


def open_source(location: str) -> ImageSource:
    """Choose by what is there: a CSV file, a folder with `labels.csv`, a folder of class folders.

    Raises:
        InputError: nothing of the kind is there.
    """
    path = Path(location)
    if path.suffix.lower() == ".csv" and path.is_file():
        return CsvSource(path)
    if path.is_dir():
        return CsvSource(path / TABLE_NAME) if (path / TABLE_NAME).is_file() else FolderSource(path)
    message = f"'{location}' is neither a folder nor a .csv file. Name a folder of images or a CSV of paths."
    raise InputError("no_source", message)


@dataclass(frozen=True)
class Probe:
    """What a source holds, from its listing alone; `problems` by path: files that cannot be read."""

    files: int
    classes: dict[str, int]
    splits: dict[str, int]
    unlabelled: int
    problems: dict[str, str]


def probe_source(source: ImageSource) -> Probe:
    """Count a source's files by class and split without reading one."""
    classes: Counter[str] = Counter()
    splits: Counter[str] = Counter()
    problems: dict[str, str] = {}
    files = unlabelled = 0
    for item in source.items():
        files += 1
        if item.problem:
            problems[item.path] = item.problem
        if item.label is None:
            unlabelled += 1
        else:
            classes[item.label] += 1
        if item.split:
            splits[item.split] += 1
    return Probe(files, dict(sorted(classes.items())), dict(sorted(splits.items())), unlabelled, problems)


def listing_hash(items: list[SourceItem]) -> str:
    """A hash that changes when a file comes, goes, changes, or is labelled otherwise."""
    rows = [[i.path, i.label, i.split, i.group, i.stamp, i.problem] for i in items]
    return hash_values({"items": rows})
