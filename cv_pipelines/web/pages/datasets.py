"""The data sets that there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from cv_pipelines.images.datasets import Dataset, list_datasets
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.web.access import Viewer
from cv_pipelines.web.platform import Platform, platform_of
from cv_pipelines.web.templating import render
from cv_pipelines.web.tokens import Role
from cv_pipelines.web.uploading.ingests import Ingest, last_ingests
from cv_pipelines.web.uploading.uploads import is_uploaded

router = APIRouter()
MOST = 200
"""Data sets of a page: who has more searches for them."""


@dataclass(frozen=True)
class Row:
    """A data set of the list; None: that was never made. `ingest` is the last one, unless it went well."""

    name: str
    images: int | None
    labelled: int
    labels: str | None
    ingest: Ingest | None
    is_uploaded: bool


@router.get("/datasets")
def list_page(
    request: Request,
    platform: Annotated[Platform, Depends(platform_of)],
    who: Viewer,
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Data sets, by name; those that have `q` in theirs."""
    there = list_datasets(platform.database)
    found = [one for one in there if q.strip().lower() in one.name]
    return render(
        request,
        "datasets.html",
        datasets=_rows(platform, found[:MOST]),
        found=len(found),
        total=len(there),
        most=MOST,
        q=q,
        may_upload=who.role >= Role.ANNOTATOR,
    )


def _rows(platform: Platform, datasets: Sequence[Dataset]) -> list[Row]:
    names = [one.name for one in datasets]
    labelled = platform.labelling.counts.of(datasets)
    ingests = last_ingests(platform.database)
    manifests, labels = (platform.catalog.currents(asset, names) for asset in (MANIFEST, "labels"))
    rows = []
    for one in datasets:
        name, ingest = one.name, ingests.get(one.name)
        images = platform.indexes.count(manifests[name]) if name in manifests else None
        version = labels[name].version if name in labels else None
        shown = ingest if ingest and ingest.state != "succeeded" else None
        rows.append(Row(name, images, labelled.get(name, 0), version, shown, is_uploaded(platform, one)))
    return rows
