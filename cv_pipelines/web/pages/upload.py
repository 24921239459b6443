"""Uploading: files into a data set of their own, one request a file, and the ingest of what has come."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from cv_pipelines.images.datasets import list_datasets
from cv_pipelines.images.sources.archive import is_archive
from cv_pipelines.images.sources.files import MAX_BYTES
from cv_pipelines.settings import Settings, load_settings
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.web.access import Annotator
from cv_pipelines.web.bounds import too_large
from cv_pipelines.web.platform import Platform, platform_of
from cv_pipelines.web.problems import Refused
from cv_pipelines.web.templating import render
from cv_pipelines.web.uploading.incoming import incoming, require_room, write_body
from cv_pipelines.web.uploading.ingests import last_ingests, start_ingest
from cv_pipelines.web.uploading.names import clean_name
from cv_pipelines.web.uploading.taking import full, take
from cv_pipelines.web.uploading.uploads import Uploads, is_uploaded, name_uploads, open_uploads
from cv_pipelines.web.uploading.usage import Usage

router = APIRouter(prefix="/upload")
_MIB = 1024**2
_unpacking = asyncio.Semaphore(1)
_usage = Usage()
Given = Annotated[Platform, Depends(platform_of)]


@router.get("")
def upload_page(request: Request, platform: Given, who: Annotator, dataset: str = "") -> Response:
    """The page: which data set, which files."""
    made = [one.name for one in list_datasets(platform.database) if is_uploaded(platform, one)]
    settings = load_settings()
    return render(
        request,
        "upload.html",
        datasets=made,
        chosen=dataset if dataset in made else "",
        most_file=_most("", settings),
        most_archive=_most("any.zip", settings),
    )


@router.put("/{dataset}/files")
async def take_file(
    request: Request, platform: Given, who: Annotator, dataset: str, name: Annotated[str, Query(max_length=4000)]
) -> Response:
    """Take the body as a file of a data set, which is made where there is none; an archive is unpacked.

    The same file again changes nothing, so whoever got no answer sends it again.
    """
    settings = load_settings()
    uploads = await run_in_threadpool(open_uploads, platform, dataset)
    path, most = clean_name(name), _most(name, settings)
    told = int(request.headers.get("content-length", 0))
    if told > most:
        raise too_large(most)
    room = settings.web_dataset_mb * _MIB - await run_in_threadpool(_usage.of, uploads)
    if told > room:
        raise full()
    async with incoming(settings.cache) as folder:
        await run_in_threadpool(require_room, folder, told)
        file = folder / f"whole{_suffixes(path)}"
        length = await write_body(_pieces(request), file, min(most, room))
        await run_in_threadpool(name_uploads, platform, uploads)
        return await _taken(uploads, path, file, room, length)


@router.post("/{dataset}/ingest")
def ingest(platform: Given, who: Annotator, dataset: str) -> Response:
    """Hand in the task that looks at what has come."""
    settings = load_settings()
    uploads = open_uploads(platform, dataset)
    if not uploads.used()[0]:
        raise Refused(422, "no_files", f"Nothing has been uploaded into '{dataset}' yet.")
    name_uploads(platform, uploads)
    task = start_ingest(Ledger(platform.database, bool(settings.rabbitmq_url)), dataset, who.name)
    return JSONResponse({"dataset": dataset, "task": task.facts()}, 202)


@router.get("/{dataset}")
def state(platform: Given, who: Annotator, dataset: str) -> dict[str, Any]:
    """What a data set has got by uploading, and how its last ingest stands."""
    uploads = open_uploads(platform, dataset)
    files, size = uploads.used()
    task = last_ingests(platform.database).get(dataset)
    return {"dataset": dataset, "files": files, "bytes": size, "task": task.facts() if task else None}


async def _taken(uploads: Uploads, name: str, file: Path, room: int, length: int) -> Response:
    if is_archive(file):
        async with _unpacking:  # members are held whole, one at a time
            taken = await run_in_threadpool(take, uploads, name, file, room)
        _usage.forget(uploads)
    else:
        taken = await run_in_threadpool(take, uploads, name, file, room)
        _usage.add(uploads, length if taken.new else 0)
    return JSONResponse({"dataset": uploads.dataset, **vars(taken)}, 201 if taken.new else 200)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect as error:
        raise Refused(400, "cut_off", "The file was cut off on its way. Send it again.") from error


def _most(name: str, settings: Settings) -> int:
    """Bytes that a file of this name may have: an image no more than a source takes."""
    most = settings.web_upload_mb * _MIB
    return most if is_archive(Path(name)) else min(most, MAX_BYTES)


def _suffixes(name: str) -> str:
    """What says what kind of archive it is; empty for other files."""
    lower = name.lower()
    if not is_archive(Path(name)):
        return ""
    return next((one for one in (".tar.gz", ".tar.bz2", ".tar.xz") if lower.endswith(one)), Path(lower).suffix)
