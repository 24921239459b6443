"""Labels, for the modules of pages: what stands of an image, and changes of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response

from cv_pipelines.annotations.store.content import annotation_of
from cv_pipelines.annotations.store.events import newest_of
from cv_pipelines.database.engine import reading
from cv_pipelines.web.access import Annotator, Viewer
from cv_pipelines.web.labelling.changes import ChangesBody
from cv_pipelines.web.labelling.label_index import Label
from cv_pipelines.web.labelling.queue_page import neighbours_of
from cv_pipelines.web.labelling.saving import save_changes
from cv_pipelines.web.pages.chosen import Chosen, ImageId
from cv_pipelines.web.pages.grid_view import counts_json
from cv_pipelines.web.platform import Platform, platform_of

router = APIRouter()


@router.post("/datasets/{name}/labels")
def save(
    platform: Annotated[Platform, Depends(platform_of)], who: Annotator, name: str, body: ChangesBody
) -> Response:
    """Make changes; 200 also where some are refused, which the answer names."""
    found = platform.labelling.require(name)
    ids = [one.image_id for one in body.changes]
    rows = dict(zip(ids, found.images.rows_of(ids).tolist(), strict=True))
    present = {image for image, row in rows.items() if row >= 0}
    saved = save_changes(platform.database, name, who.name, body.changes, present)
    with platform.labelling.up_to_date(found):
        labels = {image: found.labels.label(rows[image]) if image in present else Label() for image in ids}
        counts = found.labels.counts()
    return JSONResponse(
        {
            "saved": [_stands(image, labels[image]) for image in saved.images],
            "refused": [
                {**_stands(image, labels[image]), "code": code, "who": labels[image].who}
                for image, code in saved.refused.items()
            ],
            "counts": counts_json(counts),
        }
    )


@router.get("/datasets/{name}/images/{image_id}/label")
def show(
    platform: Annotated[Platform, Depends(platform_of)], who: Viewer, name: str, image_id: ImageId, choice: Chosen
) -> Response:
    """What stands of an image, whole, and its neighbours in a queue."""
    found = platform.labelling.require(name)
    row = found.images.images.require(image_id)
    with platform.labelling.up_to_date(found):
        previous, following = neighbours_of(platform.labelling, found, choice, who.name, row)
        classes = found.labels.classes
    with reading(platform.database) as connection:
        columns = ("version", "content", "origin", "who")
        head = next(iter(newest_of(connection, name, [image_id], columns)), None)
    names = {one.number: str(one.number) for one in classes if one.state != "retired"}
    stands = head is not None and head.content is not None
    return JSONResponse(
        {
            "image_id": image_id,
            "name": found.images.name_at(row),
            "width": int(found.images.width[row]),
            "height": int(found.images.height[row]),
            "version": head.version if head else 0,
            "annotation": annotation_json(head.content, names) if head and stands else None,
            "origin": head.origin if head and stands else "",
            "who": head.who if head and stands else "",
            "suggestion": None,
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
