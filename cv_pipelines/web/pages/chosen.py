"""What the query of an address chooses: a queue, its order, what is left out of it."""

from typing import Annotated

from fastapi import Depends, Path, Query

from cv_pipelines.web.labelling.queues import Choice, Queue, Sort

ImageId = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
Cursor = Annotated[str, Query(pattern="^[0-9a-f]{0,64}$")]
_LONGEST = 200


def _choice(
    queue: Queue = "all",
    sort: Annotated[Sort | str, Query(pattern="^(id|name|unsure|newest)?$")] = "",
    q: Annotated[str, Query(max_length=_LONGEST)] = "",
    label: Annotated[str, Query(pattern="^[0-9]{0,9}$")] = "",
    hide: Annotated[str, Query(pattern="^(labelled)?$")] = "",
) -> Choice:
    """Forms send empty values, too."""
    chosen: Sort | str = sort
    return Choice(queue, chosen, q, int(label) if label else None, hide == "labelled")  # type: ignore[arg-type]


Chosen = Annotated[Choice, Depends(_choice)]
"""Of the query parameters `queue`, `sort`, `q`, `label` and `hide`."""
