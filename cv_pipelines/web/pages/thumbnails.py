"""Small pictures of images: one at its own address, or those of many tiles together."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from cv_pipelines.errors import CvError
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.images.thumbnail import LARGEST, SMALLEST, thumbnail_jpeg
from cv_pipelines.web.access import Viewer
from cv_pipelines.web.pages.chosen import ImageId
from cv_pipelines.web.platform import Platform, platform_of
from cv_pipelines.web.shown_images import images_with, shown_of

router = APIRouter()
KEPT = "private, max-age=3600, immutable"
"""Anybody may be forgotten: what a browser keeps of them ends within the hour."""
_STEP = 32
"""Thumbnails are made in few sizes."""
_CODE = 1
"""Of what makes thumbnails: another one makes all anew."""
_MOST = 50
"""Together."""
_FRAMED = "application/octet-stream"

Side = Annotated[int, Query(ge=SMALLEST, le=LARGEST)]
ImageIds = Annotated[str, Query(pattern=f"^[0-9a-f]{{64}}(,[0-9a-f]{{64}}){{0,{_MOST - 1}}}$")]


@router.get("/datasets/{name}/images/{image_id}/thumbnail")
async def thumbnail(
    request: Request,
    platform: Annotated[Platform, Depends(platform_of)],
    who: Viewer,
    name: str,
    image_id: ImageId,
    size: Side = 160,
) -> Response:
    """A JPEG without metadata; browsers ask again only whether it still may be shown."""
    pixels = _rounded(size)
    images = await run_in_threadpool(images_with, platform, name, image_id)
    tag = f'"{image_id[:16]}-{pixels}-{_CODE}"'
    headers = {"ETag": tag, "Cache-Control": KEPT}
    if request.headers.get("if-none-match") == tag:
        return Response(None, 304, headers)
    (data,) = await run_in_threadpool(_ready, platform, [image_id], pixels)
    data = data or await _made(platform, images, image_id, pixels)
    return Response(data, 200, headers, media_type="image/jpeg")


@router.get("/datasets/{name}/thumbnails")
async def thumbnails(
    platform: Annotated[Platform, Depends(platform_of)], who: Viewer, name: str, of: ImageIds, size: Side = 160
) -> Response:
    """The JPEGs of up to 50 images: a request for each costs many times as much as what it asks for.

    Each stands behind its length in four bytes, big-endian. Where that is 0 the image cannot be shown; its own
    address says why. Those that have to be made come as they are made, and then nobody keeps the answer.
    """
    wanted, pixels = of.split(","), _rounded(size)
    images, shown = await run_in_threadpool(shown_of, platform, name, wanted)
    ready = await run_in_threadpool(_ready, platform, wanted, pixels)
    if len(shown) == len(set(wanted)) and None not in ready:
        body = b"".join(_framed(data) for data in ready if data is not None)
        return Response(body, 200, {"Cache-Control": KEPT}, media_type=_FRAMED)

    async def parts() -> AsyncIterator[bytes]:
        for image_id, data in zip(wanted, ready, strict=True):
            if image_id not in shown:
                yield _framed(b"")
            elif data is None:
                yield _framed(await _made_or_nothing(platform, images, image_id, pixels))
            else:
                yield _framed(data)

    return StreamingResponse(parts(), 200, {"Cache-Control": "no-store"}, media_type=_FRAMED)


def _ready(platform: Platform, image_ids: Sequence[str], pixels: int) -> list[bytes | None]:
    """The thumbnails that are there already."""
    return [platform.thumbnails.get(image_id, pixels, _CODE) for image_id in image_ids]


async def _made(platform: Platform, images: StoredImages, image_id: str, pixels: int) -> bytes:
    """Make a thumbnail: pictures may be large, so few are decoded at a time, and no page waits for them."""
    async with platform.decoding:
        data = await run_in_threadpool(lambda: thumbnail_jpeg(images.read(image_id), pixels))
    await run_in_threadpool(platform.thumbnails.put, data, image_id, pixels, _CODE)
    return data


async def _made_or_nothing(platform: Platform, images: StoredImages, image_id: str, pixels: int) -> bytes:
    try:
        return await _made(platform, images, image_id, pixels)
    except CvError:  # it is told at the image's own address, where the page asks next
        return b""


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _rounded(size: int) -> int:
    return -(-size // _STEP) * _STEP
