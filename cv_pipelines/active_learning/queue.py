"""Which images of a data set people should label next: a queue, made once of the same models and labels."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cv_pipelines.active_learning.gathering import Sources, find_sources, gather_pool, labelled_images
from cv_pipelines.active_learning.parameters import QueueParameters
from cv_pipelines.active_learning.pool import Pool
from cv_pipelines.active_learning.selection import Limits, Pick, select
from cv_pipelines.annotations.labels import state_in
from cv_pipelines.annotations.store.events import newest_of, writing
from cv_pipelines.annotations.store.versions import state_of
from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.database.clock import time_of
from cv_pipelines.database.engine import reading
from cv_pipelines.hashing import VERSION_LENGTH, hash_rows
from cv_pipelines.storage.bundles import Bundle, Reference, put_bundle, put_table

ASSET = "label_queue"
CODE_VERSION = "1"
QUEUE = pa.schema(
    [
        ("rank", pa.int32()),
        ("image_id", pa.string()),
        ("score", pa.float32()),
        ("strategy", pa.string()),
        ("reason", pa.string()),
    ]
)
"""One row per image that is asked for, ordered by `rank` from 1; scores of different strategies do not compare."""
_QUEUES_A_DAY = 1_000
_AT_ONCE = 500


@dataclass(frozen=True)
class Today:
    """What the queues of this day (UTC, by the database's clock) have asked for."""

    day: date
    asked: frozenset[str]


def make_queue(catalog: Catalog, dataset: str, manifest: Reference, parameters: QueueParameters) -> Outcome:
    """Choose among all images without a label of a person or a file; a model's labels are none.

    Without a champion, or where it has not looked at these images yet, strategies that need it leave their part to
    `random`: the first labels have to be asked for, too.

    Returns:
        An artefact with the part `queue` (QUEUE) and the facts `images`; `counts` by strategy; `candidates`:
        images that there were to choose from; `replaced`: strategies that had to leave their part to `random`;
        `parameters`; versions: `manifest`, `labels`, `model`, `embeddings_model`, `detections` (None: none was
        used); with a limit of the day, `day` and `asked_before`.

    Raises:
        InputError: a strategy wants detections or predictions that there are not, or parameters that are not set.
    """
    sources = find_sources(catalog, dataset, manifest)
    today = asked_today(catalog, dataset) if parameters.per_day else None
    current = catalog.current("labels", dataset)
    known = catalog.open(current).facts if current else {}
    with writing(catalog.database, dataset) as connection:
        state = state_of(connection, dataset, state_in(known))

    def make(_: str) -> Reference:
        labelled = labelled_images(catalog, dataset, state.event, state.class_event)
        if known.get("manifest") != manifest.version:
            labelled = pa.concat_arrays([labelled, _labelled_by_source(catalog, manifest)])
        pool = gather_pool(catalog, manifest, labelled, sources, parameters.model_dump())
        usable, replaced = usable_strategies(parameters, sources)
        picks = select(pool, usable, _limits(pool, parameters, today))
        facts = {
            "images": len(picks),
            "counts": dict(Counter(one.strategy for one in picks)),
            "candidates": len(pool.image_ids),
            "replaced": replaced,
            "parameters": parameters.model_dump(),
            "manifest": manifest.version,
            "labels": state.version,
            **_used(catalog, sources, today),
        }
        table = _table(pool, picks)
        parts = {"queue": put_table(catalog.store, table)}
        return put_bundle(catalog.store, ASSET, hash_rows(table)[:VERSION_LENGTH], facts, parts)

    inputs: dict[str, Any] = {
        "dataset": dataset,
        "manifest": manifest.version,
        "events": [state.event, state.class_event],
        "taken_in": known.get("manifest") == manifest.version,
        "sources": sources.keys(),
        "parameters": parameters.model_dump(),
        "order": list(parameters.strategies),  # the hash of a mapping does not tell it
        "today": [today.day.isoformat(), sorted(today.asked)] if today else None,
        "code": CODE_VERSION,
    }
    return catalog.once(ASSET, inputs, make)


def read_queue(catalog: Catalog, dataset: str, queue: Bundle) -> list[dict[str, Any]]:
    """The rows of a queue (QUEUE), and whether a person or a file has labelled each since: `labelled`."""
    rows: list[dict[str, Any]] = queue.table("queue").to_pylist()
    done = set[str]()
    with reading(catalog.database) as connection:
        for start in range(0, len(rows), _AT_ONCE):
            images = [row["image_id"] for row in rows[start : start + _AT_ONCE]]
            found = newest_of(connection, dataset, images, ("image_id", "digest", "origin"))
            done.update(row.image_id for row in found if any(row.digest) and row.origin != "model")
    return [{**row, "labelled": row["image_id"] in done} for row in rows]


def usable_strategies(parameters: QueueParameters, sources: Sources) -> tuple[QueueParameters, list[str]]:
    """The parameters with `random` in the place of what no champion has looked at, and what it stands for."""
    replaced = [name for name in parameters.strategies if not sources.has(name)]
    shares: Counter[str] = Counter()
    for name, share in parameters.strategies.items():
        shares["random" if name in replaced else name] += share  # type: ignore[assignment]  # a share
    return parameters.model_copy(update={"strategies": dict(shares)}), replaced


def asked_today(catalog: Catalog, dataset: str) -> Today:
    """The images that queues of this day have asked for, labelled since or not."""
    day = datetime.fromtimestamp(time_of(catalog.database), UTC).date()
    history = catalog.history(ASSET, dataset, limit=_QUEUES_A_DAY)
    keys = {one.reference.key: one.reference for one in history if one.created_at.date() == day}
    asked = (catalog.open(one).table("queue", ["image_id"])["image_id"].to_pylist() for one in keys.values())
    return Today(day, frozenset().union(*asked))


def _limits(pool: Pool, parameters: QueueParameters, today: Today | None) -> Limits:
    per_class = parameters.per_class or None
    if today is None:
        return Limits(per_class=per_class)
    asked = np.array([one in today.asked for one in pool.image_ids], np.bool_)
    return Limits(max(0, parameters.per_day - len(today.asked)), asked, per_class)


def _used(catalog: Catalog, sources: Sources, today: Today | None) -> dict[str, Any]:
    """What a queue was chosen by, as facts."""
    used: dict[str, Any] = {
        "model": _model_of(catalog, sources.predictions),
        "embeddings_model": _model_of(catalog, sources.embeddings),
        "detections": sources.detections.version if sources.detections else None,
    }
    if today is not None:
        used |= {"day": today.day.isoformat(), "asked_before": len(today.asked)}
    return used


def _model_of(catalog: Catalog, made: Reference | None) -> str | None:
    """The version of the model that has made it."""
    return catalog.open(made).facts["model"] if made else None


def _labelled_by_source(catalog: Catalog, manifest: Reference) -> pa.Array:
    """Images whose source says what they show, which the label store has not taken in yet."""
    table = catalog.open(manifest).table("images", ["image_id", "source_label"])
    return table.filter(pc.is_valid(table["source_label"]))["image_id"].combine_chunks()


def _table(pool: Pool, picks: list[Pick]) -> pa.Table:
    columns = [
        range(1, len(picks) + 1),
        [pool.image_ids[one.row] for one in picks],
        [one.score for one in picks],
        [one.strategy for one in picks],
        [one.reason for one in picks],
    ]
    return pa.table([list(one) for one in columns], schema=QUEUE)
