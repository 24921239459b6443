"""The data sets that there are."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from cv_pipelines.database.engine import reading
from cv_pipelines.images.datasets import list_datasets
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.web.access import Viewer
from cv_pipelines.web.platform import Platform, platform_of
from cv_pipelines.web.templating import render

router = APIRouter()
_AT_ONCE = 500


@dataclass(frozen=True)
class Row:
    """A data set of the list; None: that was never made."""

    name: str
    images: int | None
    labelled: int
    labels: str | None


@router.get("/datasets")
def list_page(request: Request, platform: Annotated[Platform, Depends(platform_of)], who: Viewer) -> Response:
    """All data sets, by name."""
    return render(request, "datasets.html", datasets=_rows(platform))


def _rows(platform: Platform) -> list[Row]:
    datasets = list_datasets(platform.database)
    rows = []
    for start in range(0, len(datasets), _AT_ONCE):
        some = [one.name for one in datasets[start : start + _AT_ONCE]]
        with reading(platform.database) as connection:
            labelled = platform.labelling.counts.of(connection, datasets[start : start + _AT_ONCE])
        manifests, labels = (platform.catalog.currents(asset, some) for asset in (MANIFEST, "labels"))
        for name in some:
            images = platform.indexes.count(manifests[name]) if name in manifests else None
            version = labels[name].version if name in labels else None
            rows.append(Row(name, images, labelled.get(name, 0), version))
    return rows
