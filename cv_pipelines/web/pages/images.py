"""The images of a data set with their labels, a page at a time."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import Response

from cv_pipelines.web.access import Viewer
from cv_pipelines.web.labelling.queue_page import find_page
from cv_pipelines.web.pages.chosen import Chosen, Cursor
from cv_pipelines.web.pages.grid_view import render_grid
from cv_pipelines.web.platform import Platform, platform_of

router = APIRouter()
PAGE = 200


@router.get("/datasets/{name}")
def grid_page(
    request: Request,
    platform: Annotated[Platform, Depends(platform_of)],
    who: Viewer,
    name: str,
    choice: Chosen,
    after: Cursor = "",
    before: Cursor = "",
    x_fragment: Annotated[str, Header()] = "",
) -> Response:
    """Images of a queue: those after one, or right before one; as a fragment the tiles and the paging alone."""
    page = find_page(platform.labelling, name, choice, who.name, after, before, PAGE)
    return render_grid(request, who, name, page, choice, bool(x_fragment))
