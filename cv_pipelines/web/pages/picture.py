"""One image at full size, for the editor of its labels."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from cv_pipelines.images.picture import LARGEST, SMALLEST, picture_file
from cv_pipelines.web.access import Viewer
from cv_pipelines.web.pages.chosen import ImageId
from cv_pipelines.web.pages.thumbnails import KEPT
from cv_pipelines.web.platform import Platform, platform_of
from cv_pipelines.web.shown_images import images_with

router = APIRouter()
USUAL = 4096
"""Pixels of the longer side: more than screens have, and what browsers hold without trouble."""
_CODE = 1
"""Of what makes pictures: another one makes browsers ask for all anew."""


@router.get("/datasets/{name}/images/{image_id}/picture")
async def picture(
    request: Request,
    platform: Annotated[Platform, Depends(platform_of)],
    who: Viewer,
    name: str,
    image_id: ImageId,
    size: Annotated[int, Query(ge=SMALLEST, le=LARGEST)] = USUAL,
) -> Response:
    """A PNG or JPEG without metadata; browsers ask again only whether it still may be shown.

    It is kept by browsers alone: one person at a time looks at an image so closely.
    """
    images = await run_in_threadpool(images_with, platform, name, image_id)
    tag = f'"{image_id[:16]}-p{size}-{_CODE}"'
    headers = {"ETag": tag, "Cache-Control": KEPT}
    if request.headers.get("if-none-match") == tag:
        return Response(None, 304, headers)
    async with platform.decoding:  # large ones take hundreds of MB: few are decoded at a time
        made = await run_in_threadpool(lambda: picture_file(images.read(image_id), size))
    return Response(made.data, 200, headers, media_type=made.media_type)
