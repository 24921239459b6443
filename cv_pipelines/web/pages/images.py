"""The images of a data set with their labels, a page at a time, and small pictures of them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from cv_pipelines.images.thumbnail import LARGEST, SMALLEST, thumbnail_jpeg
from cv_pipelines.web.access import Viewer
from cv_pipelines.web.labelling.queue_page import find_page
from cv_pipelines.web.pages.chosen import Chosen, Cursor, ImageId
from cv_pipelines.web.pages.grid_view import render_grid
from cv_pipelines.web.platform import Platform, platform_of
from cv_pipelines.web.shown_images import images_with

router = APIRouter()
PAGE = 200
_STEP = 32
"""Thumbnails are made in few sizes."""
_CODE = 1
"""Of what makes thumbnails: another one makes all anew."""
KEPT = "private, max-age=3600, immutable"
"""Anybody may be forgotten: what a browser keeps of them ends within the hour."""


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


@router.get("/datasets/{name}/images/{image_id}/thumbnail")
async def thumbnail(
    request: Request,
    platform: Annotated[Platform, Depends(platform_of)],
    who: Viewer,
    name: str,
    image_id: ImageId,
    size: Annotated[int, Query(ge=SMALLEST, le=LARGEST)] = 160,
) -> Response:
    """A JPEG without metadata; browsers ask again only whether it still may be shown."""
    pixels = -(-size // _STEP) * _STEP
    images = await run_in_threadpool(images_with, platform, name, image_id)
    tag = f'"{image_id[:16]}-{pixels}-{_CODE}"'
    headers = {"ETag": tag, "Cache-Control": KEPT}
    if request.headers.get("if-none-match") == tag:
        return Response(None, 304, headers)
    identity = (image_id, pixels, _CODE)
    data = await run_in_threadpool(platform.thumbnails.get, *identity)
    if data is None:  # pictures may be large: few are decoded at a time, and no page waits for them
        async with platform.decoding:
            data = await run_in_threadpool(lambda: thumbnail_jpeg(images.read(image_id), pixels))
        await run_in_threadpool(platform.thumbnails.put, data, *identity)
    return Response(data, 200, headers, media_type="image/jpeg")
