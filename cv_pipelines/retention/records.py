"""Which artefacts must stay: those that somebody can still ask for by name. The others lose their records."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import CompoundSelect, Connection, Engine, select, union

from cv_pipelines.database.clock import now
from cv_pipelines.database.label_tables import label_assignments, label_class_events, label_events
from cv_pipelines.database.partition_owners import of_present_partition, present_partitions
from cv_pipelines.database.tables import (
    acceptances,
    artefacts,
    datasets,
    models,
    promotions,
    publications,
)

_OF_A_DATASET = (
    promotions,
    models,
    publications,
    acceptances,
    label_events,
    label_class_events,
    label_assignments,
)
"""In the order in which rows can go."""
_MOST_VALUES = 500


def days_ago(database: Engine, days: float) -> datetime:
    """A point in time by the database's clock."""
    with database.connect() as connection:
        return connection.execute(select(now())).scalar_one() - timedelta(days=days)


def drop_garbage(connection: Connection, older_than: datetime) -> set[str]:
    """Delete the records of what was removed, and of artefacts that are old and stand for nothing.

    Returns:
        Keys of the bundles that still have a record.
    """
    present = present_partitions()
    for table in _OF_A_DATASET:
        connection.execute(table.delete().where(table.c.dataset.not_in(present)))
    connection.execute(publications.delete().where(~of_present_partition(publications)))
    old = artefacts.c.created_at < older_than
    connection.execute(artefacts.delete().where(old, artefacts.c.key.not_in(_wanted(present))))
    recorded = union(*(select(table.c.key) for table in (artefacts, publications, models)))
    return set(connection.execute(recorded).scalars())


def drop_dataset(connection: Connection, dataset: str, orphans: Collection[str] = ()) -> set[str]:
    """Delete the records of a data set, of all that was made of it alone, and of some bundles beside.

    Returns:
        Keys of the bundles that nobody wants any more.
    """
    theirs = set(connection.execute(_wanted([dataset])).scalars()).union(orphans)
    for table in _OF_A_DATASET:
        connection.execute(table.delete().where(table.c.dataset == dataset))
    connection.execute(datasets.delete().where(datasets.c.name == dataset))
    keys = sorted(theirs - wanted_bundles(connection))
    for start in range(0, len(keys), _MOST_VALUES):
        connection.execute(artefacts.delete().where(artefacts.c.key.in_(keys[start : start + _MOST_VALUES])))
    return set(keys)


def wanted_bundles(connection: Connection) -> set[str]:
    """Keys of the bundles that some data set or video has a use for."""
    return set(connection.execute(_wanted(present_partitions())).scalars())


def _wanted(names: CompoundSelect[str] | list[str]) -> CompoundSelect[str]:
    """Keys of the bundles that partitions stand or stood for, of their models, and of these models' evaluations.

    The report shows a champion's newest evaluation, whoever has asked for it.
    """
    published = select(publications.c.key).where(publications.c.dataset.in_(names))
    registered = select(models.c.key).where(models.c.dataset.in_(names))
    judged = (
        select(artefacts.c.key)
        .join(models, artefacts.c.version.startswith(models.c.version + "-"))
        .where(artefacts.c.kind == "model_evaluation", models.c.dataset.in_(names))
    )
    return union(published, registered, judged)
