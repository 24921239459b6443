"""What a page may ask to have said of images: strict, bounded, and nothing else than that."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cv_pipelines.annotations.annotation import MOST as FARTHEST
from cv_pipelines.annotations.annotation import Ring

MOST_CHANGES = 1_000
MOST_BOXES = 5_000
MOST_POINTS = 100_000
_MOST_CLASSES = 1_000
_LONGEST = 1_000

Number = Annotated[int, Field(ge=0, lt=2**31)]
Coordinate = Annotated[float, Field(ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False)]
Length = Annotated[float, Field(ge=0, le=FARTHEST, allow_inf_nan=False)]
Point = Annotated[list[Coordinate], Field(min_length=2, max_length=2)]
Text = Annotated[str, Field(max_length=_LONGEST)]
Value = Text | bool | Annotated[int, Field(ge=-(2**53), le=2**53)] | Annotated[float, Field(allow_inf_nan=False)]
ImageId = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Strict(BaseModel):
    """A body without other keys, whose values are of their types as they come."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class BoxBody(Strict):
    """One object; see annotations/annotation.py."""

    number: Number = Field(alias="class")
    left: Coordinate
    top: Coordinate
    width: Length
    height: Length
    outline: list[Annotated[list[Point], Field(min_length=3)]] = []
    attributes: dict[Text, Value] = {}

    @property
    def rings(self) -> tuple[Ring, ...]:
        """The outline as annotations have it."""
        return tuple(tuple((x, y) for x, y in ring) for ring in self.outline)


class AnnotationBody(Strict):
    """The whole of what is said of an image, but for attributes of its own and boxes of retired classes."""

    classes: Annotated[list[Number], Field(max_length=_MOST_CLASSES)] = []
    boxes: Annotated[list[BoxBody], Field(max_length=MOST_BOXES)] = []

    @field_validator("boxes")
    @classmethod
    def _points(cls, boxes: list[BoxBody]) -> list[BoxBody]:
        if sum(len(ring) for box in boxes for ring in box.outline) > MOST_POINTS:
            raise ValueError(f"outlines have {MOST_POINTS:,} points at most")
        return boxes


class ChangeBody(Strict):
    """What is to be said of an image: just one of `classes`, `annotation`, `delete` and `restore`.

    Attributes:
        image_id: of the image.
        seen: the version that this is based on, 0 where nothing was said yet.
        classes: of the image as a whole; its boxes stay.
        annotation: the whole of it.
        delete: take the label away.
        restore: undo what the same person has said since this version, which stands again; 0: no label.
        adjudicates: it settles what people disagree on.
    """

    image_id: ImageId
    seen: Number
    classes: Annotated[list[Number], Field(max_length=_MOST_CLASSES)] | None = None
    annotation: AnnotationBody | None = None
    delete: Literal[True] | None = None
    restore: Number | None = None
    adjudicates: bool = False

    @model_validator(mode="after")
    def _one(self) -> "ChangeBody":
        given = [one for one in (self.classes, self.annotation, self.delete, self.restore) if one is not None]
        if len(given) != 1:
            raise ValueError("just one of 'classes', 'annotation', 'delete' and 'restore' is wanted")
        return self


class ChangesBody(Strict):
    """Changes of one request, each of another image."""

    changes: Annotated[list[ChangeBody], Field(max_length=MOST_CHANGES)]

    @field_validator("changes")
    @classmethod
    def _distinct(cls, changes: list[ChangeBody]) -> list[ChangeBody]:
        if len({one.image_id for one in changes}) < len(changes):
            raise ValueError("each change is of another image; send what comes later in another request")
        return changes


class ClassBody(Strict):
    """A change of the classes of a data set."""

    action: Literal["add", "rename", "recolour", "retire"]
    name: Text
    new: Text | None = None
    colour: Text | None = None

    @model_validator(mode="after")
    def _needs(self) -> "ClassBody":
        needed = {"rename": self.new, "recolour": self.colour}
        if self.action in needed and needed[self.action] is None:
            raise ValueError(f"'{self.action}' needs '{'new' if self.action == 'rename' else 'colour'}'")
        return self
