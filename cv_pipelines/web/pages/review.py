"""Review: how far people agree, what is in dispute, and who settles it."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from cv_pipelines.annotations.reviewing import settle
from cv_pipelines.annotations.store.assignments import progress_of
from cv_pipelines.annotations.store.classes import classes_of
from cv_pipelines.annotations.store.events import writing
from cv_pipelines.annotations.store.opinions import opinions_on
from cv_pipelines.database.engine import reading
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.web.access import Annotator, Viewer
from cv_pipelines.web.pages.chosen import Cursor, ImageId
from cv_pipelines.web.platform import Platform, platform_of
from cv_pipelines.web.problems import Refused
from cv_pipelines.web.reviewing.agreement import Answer
from cv_pipelines.web.reviewing.disputes import MOST, Reviewer, choices, why_not
from cv_pipelines.web.templating import render
from cv_pipelines.web.tokens import Identity, Role, list_tokens

router = APIRouter()
Opened = Annotated[Platform, Depends(platform_of)]
_FIRST = 5
_NONE: dict[str, Any] = {"disputes": [], "after": None, "total": 0}
_CHANGED = "Somebody has said something of this image meanwhile. Look at it again."


class Verdict(BaseModel):
    """What is right: what a person says, or classes of the image as a whole."""

    model_config = ConfigDict(extra="forbid", strict=True)
    image_id: str = Field(pattern="^[0-9a-f]{64}$")
    seen: int = Field(ge=0)
    person: str | None = Field(None, max_length=128)
    classes: list[int] | None = Field(None, min_length=1, max_length=100)

    @model_validator(mode="after")
    def _one_of_both(self) -> "Verdict":
        if (self.person is None) == (self.classes is None):
            raise ValueError("give a person or classes")
        return self


@router.get("/datasets/{name}/review")
def review_page(request: Request, platform: Opened, who: Viewer, name: str) -> Response:
    """Disputes, figures and assignments; with the header X-Fragment what changes of figures and assignments."""
    find_dataset(platform.database, name)
    values: dict[str, Any] = {"name": name, "made": platform.catalog.current(MANIFEST, name) is not None}
    if values["made"]:
        answer = platform.agreement.of(name)
        with reading(platform.database) as connection:
            progress = progress_of(connection, name)
        values |= {"answer": answer, "figures": answer.figures, "progress": progress}
        if "x-fragment" not in request.headers:
            values |= {"first": _first(platform, name, who, answer), "people": _people(platform, who)}
    template = "review_figures.html" if "x-fragment" in request.headers else "review.html"
    return render(request, template, **values)


@router.get("/datasets/{name}/review/disputes")
def disputes(
    platform: Opened,
    who: Viewer,
    name: str,
    after: Cursor = "",
    most: Annotated[int, Query(ge=1, le=MOST)] = _FIRST,
) -> dict[str, Any]:
    """What is in dispute, after an image; `after` of the answer leads on, and is null at the end."""
    find_dataset(platform.database, name)
    return _page(platform, name, who, platform.agreement.of(name), after, most)


@router.get("/datasets/{name}/review/disputes/{image_id}")
def dispute(platform: Opened, who: Viewer, name: str, image_id: ImageId) -> dict[str, Any]:
    """One image, also one that is settled."""
    find_dataset(platform.database, name)
    return _reviewer(platform, name, who, platform.agreement.of(name)).one(image_id)


@router.post("/datasets/{name}/review/verdicts")
def settle_one(platform: Opened, who: Annotator, name: str, verdict: Annotated[Verdict, Body()]) -> dict[str, Any]:
    """Settle what people say of an image.

    Raises:
        Refused: 409 `conflict`: somebody was quicker; 403 `party`: who asks has labelled the image.
        InputError: `missing_image`, `erased_image`, `no_class`, `no_opinion`, `has_boxes`; `blind`.
    """
    find_dataset(platform.database, name)
    index = platform.indexes.current(name)
    reviewer = Reviewer(platform, name, index, who, ())
    shown = str(reviewer.one(verdict.image_id)["name"])
    with writing(platform.database, name) as connection:
        opinions = opinions_on(connection, name, verdict.image_id)
        if opinions.version != verdict.seen:
            raise Refused(409, "conflict", _CHANGED)
        if (why := why_not(who, opinions)) is not None:
            raise Refused(403, "party", why)
        said: str | list[str] = verdict.person or ""
        if verdict.classes is not None:
            names = {one.number: one.name for one in classes_of(connection, name)}
            said = [names.get(number, "") for number in verdict.classes]
        settle(connection, name, verdict.image_id, said, who.name, verdict.seen, shown)
    return {"image_id": verdict.image_id, "version": verdict.seen + 1}


def _reviewer(platform: Platform, name: str, who: Identity, answer: Answer) -> Reviewer:
    people = [one["who"] for one in answer.figures.annotators] if answer.figures else []
    return Reviewer(platform, name, platform.indexes.current(name), who, people)


def _page(platform: Platform, name: str, who: Identity, answer: Answer, after: str, most: int) -> dict[str, Any]:
    figures = answer.figures
    if figures is None:
        return {"ready": False, "fresh": False, "looked_at": answer.looked_at, **_NONE}
    found, onward = _reviewer(platform, name, who, answer).page(figures.disputes, after, most)
    total = len(figures.disputes)
    return {"ready": True, "fresh": answer.fresh, "disputes": found, "after": onward, "total": total}


def _first(platform: Platform, name: str, who: Identity, answer: Answer) -> dict[str, Any]:
    """What the page's modules begin with."""
    with reading(platform.database) as connection:
        classes = classes_of(connection, name)
    page = _page(platform, name, who, answer, "", _FIRST)
    return {"dataset": name, "user": who.name, "classes": choices(classes), **page}


def _people(platform: Platform, who: Identity) -> list[str]:
    """To whom an admin can assign images."""
    if who.role < Role.ADMIN:
        return []
    return sorted({one.name for one in list_tokens(platform.database) if one.may_label})
