"""The classes of a data set, for the modules of pages."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Connection

from cv_pipelines.annotations.store.classes import (
    StoredClass,
    add_class,
    classes_of,
    recolour_class,
    rename_class,
    retire_class,
)
from cv_pipelines.annotations.store.events import writing
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.web.access import Annotator, Viewer
from cv_pipelines.web.labelling.changes import ClassBody
from cv_pipelines.web.platform import Platform, platform_of

router = APIRouter()
Opened = Annotated[Platform, Depends(platform_of)]
_LONGEST = 200


@router.get("/datasets/{name}/classes")
def show(
    platform: Opened,
    who: Viewer,
    name: str,
    named: Annotated[str | None, Query(alias="name", max_length=_LONGEST)] = None,
) -> Response:
    """All classes; with a `name` how many images bear that one, too: what one asks before retiring it."""
    found = platform.labelling.require(name)
    with platform.labelling.up_to_date(found):
        classes, counts = found.labels.classes, found.labels.counts()
    if named is None:
        return JSONResponse({"classes": classes_json(classes)})
    images = next((counts.classes[one.number] for one in classes if one.name == named), 0)
    return JSONResponse({"classes": classes_json(classes), "images": images})


@router.post("/datasets/{name}/classes")
def change(platform: Opened, who: Annotator, name: str, body: ClassBody) -> Response:
    """Add, rename, recolour or retire a class."""
    find_dataset(platform.database, name)
    with writing(platform.database, name) as connection:
        _change(connection, name, body, who.name)
        classes = classes_of(connection, name)
    return JSONResponse({"classes": classes_json(classes)})


def classes_json(classes: Sequence[StoredClass]) -> list[dict[str, Any]]:
    """Classes by number, those that are retired too."""
    return [{"number": one.number, "name": one.name, "colour": one.colour, "state": one.state} for one in classes]


def _change(connection: Connection, dataset: str, body: ClassBody, who: str) -> None:
    match body.action:
        case "add":
            add_class(connection, dataset, body.name, who, body.colour or "")
        case "rename":
            rename_class(connection, dataset, body.name, body.new or "", who)
        case "recolour":
            recolour_class(connection, dataset, body.name, body.colour or "", who)
        case "retire":
            retire_class(connection, dataset, body.name, who)
