"""The models that there are, and which of them stands for what: an append-only ledger of promotions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, select
from sqlalchemy.exc import IntegrityError

from cv_pipelines.database.engine import reading
from cv_pipelines.database.locks import take_turns
from cv_pipelines.database.partition_owners import of_present_partition
from cv_pipelines.database.tables import models, promotions
from cv_pipelines.database.training_tables import model_names
from cv_pipelines.errors import InputError
from cv_pipelines.storage.bundles import Reference

Alias = Literal["champion", "challenger"]
ALIASES: tuple[Alias, ...] = ("champion", "challenger")
Action = Literal["promote", "challenge", "rollback"]


@dataclass(frozen=True)
class Model:
    """A trained model of a data set."""

    version: str
    dataset: str
    reference: Reference
    created_at: datetime


@dataclass(frozen=True)
class Promotion:
    """One line of the ledger: from then on, the alias stands for `model`."""

    id: int
    dataset: str
    alias: Alias
    model: str
    previous: str | None
    action: Action
    who: str
    why: str
    metrics: dict[str, Any]
    created_at: datetime


def register(database: Engine, dataset: str, reference: Reference) -> Model:
    """Enter a model of a data set; entering it again changes nothing."""
    row = {"version": reference.version, "dataset": dataset, "key": reference.key}
    try:
        with database.begin() as connection:
            connection.execute(models.insert().values(row))
    except IntegrityError:
        pass  # it is there already, and immutable
    return find_model(database, f"{dataset}/{reference.version}")


def list_models(database: Engine, dataset: str | None = None) -> list[Model]:
    """Models, newest first."""
    query = select(models).order_by(models.c.created_at.desc(), models.c.version)
    if dataset is not None:
        query = query.where(models.c.dataset == dataset)
    with reading(database) as connection:
        return [_model(row) for row in connection.execute(query)]


def find_model(database: Engine, name: str) -> Model:
    """Look a model up by its version, the start of one, or its name; `DATASET/…` where data sets share it.

    Raises:
        InputError: no model, or several, are named so.
    """
    dataset, _, version = name.rpartition("/")
    named = select(models).join(model_names).where(model_names.c.name == version).limit(2)
    started = select(models).where(models.c.version.startswith(version, autoescape=True)).limit(2)
    if dataset:
        named, started = (query.where(models.c.dataset == dataset) for query in (named, started))
    with reading(database) as connection:
        rows = connection.execute(named).all() or connection.execute(started).all()
    if len(rows) == 1 and version:
        return _model(rows[0])
    if len(rows) == 2 and (rows[0].version == rows[1].version or not rows[0].version.startswith(version)):
        first, second = (f"{row.dataset}/{row.version}" for row in rows)
        raise InputError("no_model", f"Which one: {first} or {second}?")
    found = "Several models have" if rows else "No model has"
    message = f"{found} a version that starts with '{version}', or that name: 'cv-pipelines model list' shows all."
    raise InputError("no_model", message)


def standing(database: Engine, dataset: str, alias: Alias) -> str | None:
    """The version that an alias stands for, None while it stands for nothing.

    A challenger that has become champion is no challenger any more.
    """
    with reading(database) as connection:
        found = _standing(connection, dataset, alias)
        return None if alias == "challenger" and found == _standing(connection, dataset, "champion") else found


def promote(
    database: Engine,
    model: Model,
    alias: Alias,
    who: str,
    why: str,
    metrics: Mapping[str, Any],
    action: Action = "promote",
) -> str | None:
    """Let an alias stand for a model; returns what it stood for before.

    Where it already stands for it, nothing is written.
    """
    with database.begin() as connection:
        take_turns(connection, f"promotions of {model.dataset}")
        previous = _standing(connection, model.dataset, alias)
        if previous != model.version:
            row = {"dataset": model.dataset, "alias": alias, "model": model.version, "previous": previous}
            row |= {"action": action, "who": who, "why": why}
            connection.execute(promotions.insert().values(**row, metrics=dict(metrics)))
    return previous


def rollback(database: Engine, dataset: str, who: str, why: str) -> Model:
    """Let the champion be again what it was before the newest change that was not itself a rollback.

    Rolling back twice goes back two champions.

    Raises:
        InputError: there is nothing to go back to.
    """
    with database.begin() as connection:
        take_turns(connection, f"promotions of {dataset}")
        ledger = _ledger(connection, dataset, "champion")
        target = _before(ledger)
        if target is None:
            message = f"'{dataset}' has no earlier champion to go back to."
            raise InputError("no_earlier_champion", message)
        row = {"dataset": dataset, "alias": "champion", "model": target, "previous": ledger[0].model}
        row |= {"action": "rollback", "who": who, "why": why}
        connection.execute(promotions.insert().values(**row, metrics={}))
    return find_model(database, f"{dataset}/{target}")


def ledger(database: Engine, dataset: str, alias: Alias = "champion") -> list[Promotion]:
    """What an alias has stood for, newest first."""
    with reading(database) as connection:
        return _ledger(connection, dataset, alias)


def _before(ledger: list[Promotion]) -> str | None:
    """The champion that a rollback goes to: replay the ledger as a stack, promotions push, rollbacks pop."""
    stack: list[str] = []
    for entry in reversed(ledger):
        if entry.action == "rollback":
            stack.pop()
        else:
            stack.append(entry.model)
    return stack[-2] if len(stack) > 1 else None


def _ledger(connection: Connection, dataset: str, alias: Alias) -> list[Promotion]:
    query = (
        select(promotions)
        .where(promotions.c.dataset == dataset, promotions.c.alias == alias, of_present_partition(promotions))
        .order_by(promotions.c.id.desc())
    )
    return [Promotion(**row._mapping) for row in connection.execute(query)]


def _standing(connection: Connection, dataset: str, alias: Alias) -> str | None:
    entries = _ledger(connection, dataset, alias)
    return entries[0].model if entries else None


def _model(row: Row[Any]) -> Model:
    reference = Reference("trained_model", row.version, row.key)
    return Model(row.version, row.dataset, reference, row.created_at)
