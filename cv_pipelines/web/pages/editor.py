"""One image, large: its labels are drawn, changed and saved by static/editor."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from cv_pipelines.annotations.store.classes import classes_of
from cv_pipelines.database.engine import reading
from cv_pipelines.web.access import Viewer
from cv_pipelines.web.frames import frame_of
from cv_pipelines.web.pages.chosen import ImageId
from cv_pipelines.web.platform import Platform, platform_of
from cv_pipelines.web.shown_images import images_with
from cv_pipelines.web.templating import render
from cv_pipelines.web.tokens import Role

router = APIRouter()


@router.get("/datasets/{name}/images/{image_id}")
def editor_page(
    request: Request,
    platform: Annotated[Platform, Depends(platform_of)],
    who: Viewer,
    name: str,
    image_id: ImageId,
) -> Response:
    """The page; which image it shows it learns, and changes, by itself."""
    images_with(platform, name, image_id)
    with reading(platform.database) as connection:
        classes = [
            {"number": one.number, "name": one.name, "colour": one.colour, "state": one.state}
            for one in classes_of(connection, name)
        ]
    known: dict[str, Any] = {"dataset": name, "may_edit": who.role >= Role.ANNOTATOR, "classes": classes}
    return render(request, "editor.html", name=name, known=known, may_edit=known["may_edit"])


@router.get("/datasets/{name}/images/{image_id}/frame")
def frame(
    platform: Annotated[Platform, Depends(platform_of)], who: Viewer, name: str, image_id: ImageId
) -> Response:
    """Of which video an image is a frame, and which ones come before and after it; null where it is none."""
    found = frame_of(platform.indexes.current(name), image_id)
    return JSONResponse(asdict(found) if found else None)
