"""Images like one, as a grid."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response

from cv_pipelines.web.access import Viewer
from cv_pipelines.web.labelling.queues import Choice
from cv_pipelines.web.labelling.similar import find_similar
from cv_pipelines.web.pages.chosen import ImageId
from cv_pipelines.web.pages.grid_view import render_grid
from cv_pipelines.web.platform import Platform, platform_of

router = APIRouter()
_MOST = 1_000


@router.get("/datasets/{name}/images/{image_id}/similar")
def similar_page(
    request: Request,
    platform: Annotated[Platform, Depends(platform_of)],
    who: Viewer,
    name: str,
    image_id: ImageId,
    most: Annotated[int, Query(ge=1, le=_MOST)] = 200,
    x_fragment: Annotated[str, Header()] = "",
) -> Response:
    """The images most like one, unlabelled ones first; as a fragment the tiles alone."""
    page = find_similar(platform.labelling, name, image_id, who.name, most)
    return render_grid(request, who, name, page, Choice(), bool(x_fragment))
