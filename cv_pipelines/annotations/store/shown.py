"""How many images are labelled, as lists of data sets show it."""

from collections.abc import Mapping

from sqlalchemy import BigInteger, Connection, Integer, String, and_, case, column, func, select, values

from cv_pipelines.annotations.store.content import NOTHING
from cv_pipelines.database.label_tables import label_events

# an event says something or nothing, and so did the event that it replaced: the difference counts
_SAYS = case((label_events.c.digest != NOTHING, 1), else_=0)
_SAID = case((label_events.c.replaced != NOTHING, 1), else_=0)
_MORE = func.sum(_SAYS - _SAID, type_=Integer)


def count_since(connection: Connection, seen: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """How many more images of data sets are labelled since an event of each; 0: since the first.

    Args:
        connection: to read from.
        seen: ids of events by data set, some hundred.

    Returns:
        The newest event and the difference, by data set; those where nothing was said are left out.
    """
    if not seen:
        return {}
    given = (
        values(column("dataset", String), column("seen", BigInteger), name="given")
        .data(list(seen.items()))
        .cte("given")
    )
    new = (label_events.c.dataset == given.c.dataset, label_events.c.id > given.c.seen)
    query = select(label_events.c.dataset, func.max(label_events.c.id), _MORE).join(given, and_(*new))
    rows = connection.execute(query.group_by(label_events.c.dataset))
    return {dataset: (last, int(more)) for dataset, last, more in rows}
