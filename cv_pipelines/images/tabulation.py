"""From files to images: equal bytes are one image, and every file is accounted for."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cv_pipelines.images.known import look_up
from cv_pipelines.images.manifest import IMAGES, QUARANTINE

CONFLICT = "label_conflict"
_SOURCE = ["source_label", "source_split", "source_group"]


@dataclass(frozen=True)
class Tables:
    """What an ingest found: IMAGES, files left out as QUARANTINE, and FACTS of every file that was read."""

    images: pa.Table
    quarantine: pa.Table
    files: pa.Table


def tabulate(listing: pa.Table, facts: pa.Table, accepted: Collection[str] = ()) -> Tables:
    """Join equal bytes into one image; the same bytes in two classes are nobody's to decide here.

    Args:
        listing: LISTING, ordered by path.
        facts: FACTS of every file without a problem.
        accepted: paths of files whose class a person has chosen where equal bytes stand in two.
    """
    rows = look_up(listing, facts)
    files = _side_by_side(listing, facts.drop_columns(["location", "stamp"]).take(rows))
    listed = pc.equal(files["problem"], "")
    unusable, read = files.filter(pc.invert(listed)), files.filter(listed)
    good, bad = read.filter(pc.equal(read["code"], "")), read.filter(pc.not_equal(read["code"], ""))
    images, conflicts = _join(good, accepted)
    quarantine = [
        _refused(unusable, "unusable", unusable["problem"]),
        _refused(bad, bad["code"], bad["reason"]),
        _refused(conflicts, CONFLICT, "the same image stands in two classes"),
    ]
    used = facts.take(pc.unique(rows.drop_null()))
    return Tables(images, pa.concat_tables(quarantine).sort_by("path").combine_chunks(), used.combine_chunks())


def _join(good: pa.Table, accepted: Collection[str]) -> tuple[pa.Table, pa.Table]:
    """One row per distinct image, as IMAGES; and the files whose equal bytes stand in two classes."""
    rows = good.append_column("row", pa.array(np.arange(good.num_rows)))
    firsts = [(name, "first") for name in _SOURCE]  # the first that is there: equal files may lack a class
    wanted = [("row", "min"), ("path", "list"), ("source_label", "count_distinct"), *firsts]
    groups = rows.group_by("image_id", use_threads=False).aggregate(wanted).sort_by("image_id")
    chosen = _chosen_labels(groups, good, accepted)
    conflicting = pc.and_(pc.greater(groups["source_label_count_distinct"], 1), pc.is_null(chosen))
    conflicts = good.filter(pc.is_in(good["image_id"], groups["image_id"].filter(conflicting).combine_chunks()))
    groups, chosen = groups.filter(pc.invert(conflicting)), chosen.filter(pc.invert(conflicting))
    columns = dict(zip(good.column_names, good.take(groups["row_min"]).columns, strict=True))
    columns |= {name: groups[f"{name}_first"] for name in _SOURCE}
    columns |= {"sources": groups["path_list"], "source_label": pc.coalesce(chosen, columns["source_label"])}
    return pa.table({name: columns[name] for name in IMAGES.names}).cast(IMAGES).combine_chunks(), conflicts


def _chosen_labels(groups: pa.Table, good: pa.Table, accepted: Collection[str]) -> pa.ChunkedArray:
    """For each image the class that a person has chosen, null where nobody has."""
    wanted = pc.is_in(good["path"], pa.array(sorted(accepted), pa.string()))
    files = good.filter(pc.and_(wanted, pc.is_valid(good["source_label"])))
    labels = dict(zip(files["image_id"].to_pylist(), files["source_label"].to_pylist(), strict=True))
    place = pc.index_in(groups["image_id"], pa.array(labels, pa.string()))
    return pa.array(labels.values(), pa.string()).take(place)


def _refused(files: pa.Table, code: str | pa.ChunkedArray, reason: str | pa.ChunkedArray) -> pa.Table:
    """Rows as QUARANTINE."""
    columns = [pa.repeat(one, files.num_rows) if isinstance(one, str) else one for one in (code, reason)]
    return pa.table([files["path"], *columns, files["image_id"]], schema=QUARANTINE)


def _side_by_side(left: pa.Table, right: pa.Table) -> pa.Table:
    columns = zip([*left.column_names, *right.column_names], [*left.columns, *right.columns], strict=True)
    return pa.table(dict(columns))
