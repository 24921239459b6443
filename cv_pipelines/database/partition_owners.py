"""What bears the name of a partition: a data set, or a video; the names of the two never meet."""

from sqlalchemy import ColumnElement, CompoundSelect, Table, and_, exists, select, union_all

from cv_pipelines.database.tables import datasets
from cv_pipelines.database.video_tables import videos

_OWNERS = ((datasets.c.name, datasets.c.created_at), (videos.c.key, videos.c.added_at))


def present_partitions() -> CompoundSelect[str]:
    """The names of all partitions that there are now."""
    return union_all(*(select(name) for name, _ in _OWNERS))


def of_present_partition(table: Table) -> ColumnElement[bool]:
    """The rows that are about what bears the name now, not about something removed before it.

    Args:
        table: with the columns `dataset`, which is the partition's name, and `created_at`.
    """
    return and_(*(~exists().where(name == table.c.dataset, since > table.c.created_at) for name, since in _OWNERS))
