"""Suggestions of the champion, taken over all at once where it is sure enough."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from cv_pipelines.errors import InputError
from cv_pipelines.web.access import Annotator, Viewer
from cv_pipelines.web.labelling.changes import Strict
from cv_pipelines.web.labelling.labelling import LabelledImages
from cv_pipelines.web.labelling.prediction_index import PredictionIndex
from cv_pipelines.web.labelling.suggestions import AT_ONCE, suggested, take_over
from cv_pipelines.web.pages.labels import counts_json
from cv_pipelines.web.platform import Platform, platform_of

router = APIRouter()
Opened = Annotated[Platform, Depends(platform_of)]


class AcceptBody(Strict):
    """Which suggestions are taken over: those of at least a probability, of images after one."""

    above: Annotated[float, Field(ge=0, le=1)]
    after: Annotated[str, Field(pattern="^[0-9a-f]{0,64}$")] = ""


@router.get("/datasets/{name}/suggestions")
def count(platform: Opened, who: Viewer, name: str, above: Annotated[float, Query(ge=0, le=1)]) -> Response:
    """How many images would get a label."""
    found, predictions = _require(platform, name)
    with platform.labelling.up_to_date(found):
        images = len(suggested(found, predictions, above).rows)
    return JSONResponse({"images": images})


@router.post("/datasets/{name}/suggestions")
def accept(platform: Opened, who: Annotator, name: str, body: AcceptBody) -> Response:
    """Give some thousand images the labels that are suggested; `after` leads on, and is null at the end."""
    found, predictions = _require(platform, name)
    with platform.labelling.up_to_date(found):
        every = suggested(found, predictions, body.above, body.after)
    some = every.first(AT_ONCE)
    written = take_over(platform.database, found, predictions.model, some, who.name)
    with platform.labelling.up_to_date(found):
        counts = counts_json(found.labels.counts())
    after = found.images.id_at(int(some.rows[-1])) if len(every.rows) > AT_ONCE else None
    return JSONResponse({"written": written, "after": after, "counts": counts})


def _require(platform: Platform, name: str) -> tuple[LabelledImages, PredictionIndex]:
    found = platform.labelling.require(name)
    if found.predictions is None:
        message = f"No model has looked at the images of '{name}' yet: train one first."
        raise InputError("no_predictions", message)
    return found, found.predictions
