"""Assignments, which admins make and take back."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel, ConfigDict, Field

from cv_pipelines.active_learning.assigning import Source, assign_from
from cv_pipelines.annotations.assigning import MOST
from cv_pipelines.annotations.store.assignments import withdraw
from cv_pipelines.annotations.store.events import writing
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.web.access import Admin
from cv_pipelines.web.platform import Platform, platform_of
from cv_pipelines.web.tokens import list_tokens

router = APIRouter()
_MOST_PEOPLE = 100


class Wanted(BaseModel):
    """Which images are to be dealt to whom; see active_learning.assigning."""

    model_config = ConfigDict(extra="forbid", strict=True)
    people: list[Annotated[str, Field(max_length=128)]] = Field(min_length=1, max_length=_MOST_PEOPLE)
    count: int = Field(ge=1, le=MOST)
    twice: float = Field(0.0, ge=0, le=1)
    source: Source = "unlabelled"
    seed: int = Field(0, ge=0, lt=2**63)


class Back(BaseModel):
    """Whose open assignments are taken back."""

    model_config = ConfigDict(extra="forbid", strict=True)
    who: str = Field(max_length=128)


@router.post("/datasets/{name}/assignments")
def assign(
    platform: Annotated[Platform, Depends(platform_of)], who: Admin, name: str, wanted: Annotated[Wanted, Body()]
) -> dict[str, Any]:
    """Deal images to people who have a token with which they can label.

    Raises:
        InputError: `no_annotator`: somebody has none; and those of `assign_from`.
    """
    find_dataset(platform.database, name)
    able = {one.name for one in list_tokens(platform.database) if one.may_label}
    for person in wanted.people:
        if person not in able:
            message = f"'{person[:64]}' cannot label: 'cv-pipelines token create' gives people a token."
            raise InputError("no_annotator", message)
    people = list(dict.fromkeys(wanted.people))
    done = assign_from(
        platform.catalog, name, people, who.name, wanted.count, wanted.source, wanted.twice, wanted.seed
    )
    return {"images": done.images, "twice": done.twice, "shares": done.shares}


@router.post("/datasets/{name}/assignments/withdraw")
def take_back(
    platform: Annotated[Platform, Depends(platform_of)], who: Admin, name: str, back: Annotated[Back, Body()]
) -> dict[str, int]:
    """Take back what somebody has not labelled yet."""
    find_dataset(platform.database, name)
    with writing(platform.database, name) as connection:
        return {"withdrawn": withdraw(connection, name, back.who)}
