"""What people call models. A name stands for one model of its data set, for good; a model may have several."""

import re
from collections.abc import Sequence

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from cv_pipelines.database.engine import reading
from cv_pipelines.database.training_tables import model_names
from cv_pipelines.errors import InputError
from cv_pipelines.models.registry import register
from cv_pipelines.storage.bundles import Reference

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_VERSION = re.compile(r"[0-9a-f]+")
"""Versions are hexadecimal, and the start of one is enough to name a model: a name must be none."""


def require_model_name(name: str) -> None:
    """Make sure that a model can have this name.

    Raises:
        InputError: code `model_name`.
    """
    if not re.fullmatch(NAME, name):
        message = f"'{name}' cannot be a model's name: use 1 to 64 of A-Z, a-z, 0-9, '.', '_', '-', no sign first."
        raise InputError("model_name", message)
    if _VERSION.fullmatch(name):
        message = f"'{name}' could be the version of a model: use a letter beyond f in its name."
        raise InputError("model_name", message)


def name_model(database: Engine, dataset: str, reference: Reference, name: str, who: str) -> None:
    """Enter a model into the registry under a name; to do so again changes nothing.

    Raises:
        InputError: code `model_name` or `name_taken`: another model has had it first.
    """
    require_model_name(name)
    register(database, dataset, reference)
    row = {"dataset": dataset, "name": name, "version": reference.version, "who": who}
    try:
        with database.begin() as connection:
            connection.execute(model_names.insert().values(row))
    except IntegrityError as error:
        stands = named_version(database, dataset, name)
        if stands != reference.version:
            message = f"The name '{name}' stands for model {stands} of '{dataset}': take another one."
            raise InputError("name_taken", message) from error


def named_version(database: Engine, dataset: str, name: str) -> str | None:
    """The version of the model that a name stands for, None where it stands for none."""
    query = select(model_names.c.version).where(model_names.c.dataset == dataset, model_names.c.name == name)
    with reading(database) as connection:
        return connection.scalar(query)


def names_of(database: Engine, dataset: str) -> dict[str, Sequence[str]]:
    """The names of a data set's models by their versions, the oldest name first."""
    query = (
        select(model_names.c.version, model_names.c.name)
        .where(model_names.c.dataset == dataset)
        .order_by(model_names.c.created_at, model_names.c.name)
    )
    found: dict[str, list[str]] = {}
    with reading(database) as connection:
        for version, name in connection.execute(query):
            found.setdefault(version, []).append(name)
    return dict(found)
