"""Labels, for the modules of pages: what stands of an image, and changes of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response

from cv_pipelines.annotations.store.assignments import blind_to
from cv_pipelines.annotations.store.classes import classes_of
from cv_pipelines.annotations.store.content import annotation_of
from cv_pipelines.annotations.store.events import newest_of
from cv_pipelines.database.engine import reading
from cv_pipelines.web.access import Annotator, Viewer
from cv_pipelines.web.labelling.changes import ChangesBody
from cv_pipelines.web.labelling.label_index import Counts, Label
from cv_pipelines.web.labelling.past import COLUMNS, is_a_persons
from cv_pipelines.web.labelling.queue_page import neighbours_of, suggestion_for
from cv_pipelines.web.labelling.saving import save_changes
from cv_pipelines.web.pages.chosen import Chosen, ImageId
from cv_pipelines.web.platform import Platform, platform_of

router = APIRouter()


@router.post("/datasets/{name}/labels")
def save(
    platform: Annotated[Platform, Depends(platform_of)], who: Annotator, name: str, body: ChangesBody
) -> Response:
    """Make changes; 200 also where some are refused, which the answer names."""
    found = platform.labelling.require(name, suggesting=False)
    ids = [one.image_id for one in body.changes]
    rows = found.images.rows_of(ids).tolist()
    present = {image for image, row in zip(ids, rows, strict=True) if row >= 0}
    with found.labels.turn:
        saved = save_changes(platform.database, name, who.name, body.changes, present)
    with platform.labelling.up_to_date(found):
        counts = found.labels.counts()
    refused = [
        {**_stands(image, one.label), "code": one.code, "who": one.who} for image, one in saved.refused.items()
    ]
    stands = [_stands(image, label) for image, label in saved.labels.items()]
    return JSONResponse({"saved": stands, "refused": refused, "counts": counts_json(counts)})


@router.get("/datasets/{name}/images/{image_id}/label")
def show(
    platform: Annotated[Platform, Depends(platform_of)], who: Viewer, name: str, image_id: ImageId, choice: Chosen
) -> Response:
    """What stands of an image, whole, and its neighbours in a queue."""
    found = platform.labelling.require(name)
    row = found.images.images.require(image_id)
    previous, following = neighbours_of(platform.labelling, found, choice, who.name, row)
    with reading(platform.database) as connection:
        head = next(iter(newest_of(connection, name, [image_id], COLUMNS)), None)
        blind = bool(blind_to(connection, name, who.name, [image_id]))
        names = {one.number: str(one.number) for one in classes_of(connection, name) if one.state != "retired"}
    shown = head if head and head.content is not None and not (blind and is_a_persons(head)) else None
    suggestion = suggestion_for(found, row)
    return JSONResponse(
        {
            "image_id": image_id,
            "name": found.images.name_at(row),
            "width": int(found.images.width[row]),
            "height": int(found.images.height[row]),
            "version": head.version if head else 0,
            "annotation": annotation_json(shown.content, names) if shown else None,
            "origin": shown.origin if shown else "",
            "who": shown.who if shown else "",
            "suggestion": suggestion and {"class": suggestion[0].number, "probability": round(suggestion[1], 6)},
            "previous": previous,
            "next": following,
        }
    )


def label_json(label: Label) -> dict[str, Any] | None:
    """What stands of an image, in short; None: it is not labelled."""
    if not label.origin:
        return None
    numbers = [one.number for one in label.classes]
    more = {"origin": label.origin, "who": label.who, "model": label.model}
    return {"classes": numbers, "boxes": label.boxes, **more}


def counts_json(counts: Counts) -> dict[str, Any]:
    """Of a whole data set."""
    return {"labelled": counts.labelled, "total": counts.total, "classes": counts.classes}


def annotation_json(content: str, names: dict[int, str]) -> dict[str, Any]:
    """What the content of an event says, classes by their numbers; those that have no name are left out."""
    said = annotation_of(content, names, "")
    boxes = [
        {
            "class": int(box.label),
            "left": box.left,
            "top": box.top,
            "width": box.width,
            "height": box.height,
            "outline": box.outline,
            "attributes": dict(box.attributes),
        }
        for box in said.boxes
    ]
    return {"classes": [int(one) for one in said.classes], "boxes": boxes}


def _stands(image_id: str, label: Label) -> dict[str, Any]:
    return {"image_id": image_id, "version": label.version, "label": label_json(label)}
