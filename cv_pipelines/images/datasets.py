"""The data sets that somebody has named, and where their images come from."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, Row, select
from sqlalchemy.exc import IntegrityError

from cv_pipelines.database.engine import reading
from cv_pipelines.database.tables import datasets
from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.files import readable_name
from cv_pipelines.remote.locations import normal_location

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Dataset:
    """A data set: its name is the partition, its source an absolute path or a URI.

    `classes` is the label set, where somebody has fixed it; empty: the classes that are found.
    `restored` is the version of its images that somebody has gone back to; None: what the source holds.
    """

    name: str
    source: str
    classes: tuple[str, ...]
    created_at: datetime
    restored: str | None = None


def require_name(name: str) -> None:
    """Make sure that a data set can have this name.

    Raises:
        InputError: it cannot.
    """
    if not _NAME.fullmatch(name):
        message = f"'{name}' cannot be a name: use 1 to 64 of a-z, 0-9, '.', '_' and '-', no sign first."
        raise InputError("dataset_name", message)


def add_dataset(database: Engine, name: str, source: str, classes: tuple[str, ...] = ()) -> Dataset:
    """Name a data set; naming it again in the same way changes nothing.

    Raises:
        InputError: the name cannot be one, or stands for something else.
    """
    require_name(name)
    location = normal_location(source)
    if readable_name(location) != location:
        message = f"'{readable_name(location)}' has a name that is no valid unicode: rename the folder."
        raise InputError("dataset_source", message)
    try:
        with database.begin() as connection:
            connection.execute(datasets.insert().values(name=name, source=location, classes=list(classes)))
    except IntegrityError as error:
        present = find_dataset(database, name)
        if (present.source, present.classes) != (location, classes):
            message = f"'{name}' already stands for '{present.source}'. Take another name, or remove it first."
            raise InputError("dataset_exists", message) from error
    return find_dataset(database, name)


def find_dataset(database: Engine, name: str) -> Dataset:
    """Look a data set up.

    Raises:
        InputError: there is none of this name.
    """
    with reading(database) as connection:
        row = connection.execute(select(datasets).where(datasets.c.name == name)).first()
    if row is None:
        known = ", ".join(dataset.name for dataset in list_datasets(database)) or "none yet"
        message = f"There is no data set '{name}' (there are: {known}). 'cv-pipelines dataset add' makes one."
        raise InputError("no_dataset", message)
    return _dataset(row)


def list_datasets(database: Engine) -> list[Dataset]:
    """All data sets, by name."""
    with reading(database) as connection:
        return [_dataset(row) for row in connection.execute(select(datasets).order_by(datasets.c.name))]


def _dataset(row: Row[tuple[object, ...]]) -> Dataset:
    return Dataset(row.name, row.source, tuple(row.classes), row.created_at, row.restored)
