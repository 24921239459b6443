"""Training from the page: start, follow, cancel, and name the champion."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import Dataset, find_dataset
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.models.registry import find_model
from cv_pipelines.settings import load_settings
from cv_pipelines.tasks.ledger.cancelling import cancel
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.web.access import Admin, Annotator, Viewer
from cv_pipelines.web.platform import Platform, platform_of
from cv_pipelines.web.problems import is_for_people
from cv_pipelines.web.templating import render
from cv_pipelines.web.tokens import Role
from cv_pipelines.web.training.form import FIRST, fields
from cv_pipelines.web.training.runs import crown
from cv_pipelines.web.training.shown import Training, summary_of, training_of
from cv_pipelines.web.training.starting import new_task_id, start_training
from cv_pipelines.web.training.tasks import find_training, recent_trainings

router = APIRouter()
ThePlatform = Annotated[Platform, Depends(platform_of)]
TaskId = Annotated[str, Form(pattern=r"^train-[0-9a-f-]{36}$")]
_LONGEST = 200


@router.get("/datasets/{name}/train")
def train_page(
    request: Request,
    platform: ThePlatform,
    who: Viewer,
    name: str,
    training: Annotated[str, Query(max_length=128)] = "",
) -> Response:
    """The form, a training (the newest where none is named), and the others; `X-Fragment` leaves the form out."""
    dataset = find_dataset(platform.database, name)
    if "x-fragment" in request.headers:
        return render(request, "training.html", **_live(platform, dataset, who.role, training))
    return _page(request, platform, dataset, who.role, training)


@router.post("/datasets/{name}/trainings")
async def start(request: Request, platform: ThePlatform, who: Annotator, name: str, task_id: TaskId) -> Response:
    """Start a training; the same form sent again starts none."""
    sent = await request.form()
    given = {key: value[:_LONGEST] for key, value in sent.items() if isinstance(value, str)}
    return await run_in_threadpool(_start, request, platform, who.name, who.role, name, task_id, given)


@router.get("/datasets/{name}/trainings/{task_id}")
def show(platform: ThePlatform, who: Viewer, name: str, task_id: str) -> Response:
    """A training as JSON: to be asked for again while it is not over."""
    row = find_training(_ledger(platform), find_dataset(platform.database, name).name, task_id)
    return JSONResponse(jsonable_encoder(asdict(_training(platform, row))))


@router.post("/datasets/{name}/trainings/{task_id}/cancel")
def stop(platform: ThePlatform, who: Annotator, name: str, task_id: str) -> Response:
    """Cancel a training, whoever has started it; one that has ended stays as it is."""
    ledger = _ledger(platform)
    find_training(ledger, find_dataset(platform.database, name).name, task_id)
    cancel(ledger, task_id)  # those who wait for events are told by the sweep, seconds later
    return _to(name, task_id)


@router.post("/datasets/{name}/champion")
def promote(
    platform: ThePlatform,
    who: Admin,
    name: str,
    model: Annotated[str, Form(min_length=1, max_length=_LONGEST)],
    why: Annotated[str, Form(max_length=1000)] = "",
    training: Annotated[str, Form(max_length=128)] = "",
) -> Response:
    """Make a model the champion, whatever the gate says."""
    reason = why.strip()
    if not reason:
        raise InputError("why", "Say why: the ledger of promotions keeps it for those who come later.")
    found = find_model(platform.database, f"{find_dataset(platform.database, name).name}/{model}")
    crown(platform.catalog, found, who.name, reason)
    return _to(name, training)


def _start(
    request: Request,
    platform: Platform,
    who: str,
    role: Role,
    name: str,
    task_id: str,
    given: dict[str, str],
) -> Response:
    dataset = find_dataset(platform.database, name)
    platform.catalog.require(MANIFEST, name)
    try:
        start_training(_ledger(platform), name, task_id, given, who)
    except InputError as error:
        if not is_for_people(request):
            raise
        return _page(request, platform, dataset, role, "", given, error.user_message)
    return _to(name, task_id)


def _to(name: str, training: str) -> Response:
    query = f"?training={training}" if training.replace("-", "").isalnum() and training.isascii() else ""
    return RedirectResponse(f"/datasets/{name}/train{query}", 303)


def _page(
    request: Request,
    platform: Platform,
    dataset: Dataset,
    role: Role,
    training: str,
    given: dict[str, str] | None = None,
    problem: str = "",
) -> Response:
    labelled = platform.labelling.counts.of([dataset])[dataset.name]
    return render(
        request,
        "train.html",
        status=422 if problem else 200,
        made=platform.catalog.current(MANIFEST, dataset.name) is not None,
        labelled=labelled,
        fields=fields(),
        first=FIRST,
        given=given or {},
        problem=problem,
        new_id=new_task_id(),
        **_live(platform, dataset, role, training),
    )


def _live(platform: Platform, dataset: Dataset, role: Role, training: str) -> dict[str, Any]:
    """What changes while somebody looks."""
    ledger = _ledger(platform)
    rows = recent_trainings(ledger, dataset.name, dataset.created_at)
    row = find_training(ledger, dataset.name, training) if training else next(iter(rows), None)
    shown = _training(platform, row) if row is not None else None
    return {
        "name": dataset.name,
        "training": shown,
        "data": jsonable_encoder(asdict(shown)) if shown else None,
        "recent": [summary_of(one) for one in rows],
        "may_train": role >= Role.ANNOTATOR,
        "may_promote": role >= Role.ADMIN,
    }


def _training(platform: Platform, row: Any) -> Training:
    return training_of(_ledger(platform), platform.catalog, row, str(load_settings().ui_url))


def _ledger(platform: Platform) -> Ledger:
    return Ledger(platform.database, bool(load_settings().rabbitmq_url))
