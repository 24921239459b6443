"""Labels as pages show them: those of some images, and how many there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Integer, case, func, select

from cv_pipelines.annotations.store.classes import StoredClass
from cv_pipelines.annotations.store.content import NOTHING, classes_in
from cv_pipelines.annotations.store.events import Origin, newest_of
from cv_pipelines.database.label_tables import label_events


@dataclass(frozen=True)
class ShownLabel:
    """What stands of an image, in short.

    Attributes:
        classes: of the image as a whole, and of its boxes, each once; none that is retired.
        boxes: how many of them it has.
        origin: what it comes from.
        who: has said it.
    """

    classes: tuple[StoredClass, ...]
    boxes: int
    origin: Origin
    who: str


def shown_labels(
    connection: Connection, dataset: str, images: Sequence[str], classes: Mapping[int, StoredClass]
) -> dict[str, ShownLabel]:
    """The labels of some images, a thousand at most, by their ids; those without one are left out."""
    shown = {}
    for row in newest_of(connection, dataset, images, ["image_id", "content", "origin", "who"]):
        if row.content is None:
            continue
        of_image, of_boxes = classes_in(row.content)
        bears = (classes[number] for number in dict.fromkeys([*of_image, *of_boxes]) if number in classes)
        alive = tuple(one for one in bears if one.state != "retired")
        boxes = sum(number in classes and classes[number].state != "retired" for number in of_boxes)
        shown[row.image_id] = ShownLabel(alive, boxes, row.origin, row.who)
    return shown


def count_labelled(connection: Connection) -> dict[str, int]:
    """How many images of each data set are labelled, in one scan.

    Each event says something or nothing, and so did the event that it replaced: the difference counts.
    """
    says = case((label_events.c.digest != NOTHING, 1), else_=0)
    said = case((label_events.c.replaced != NOTHING, 1), else_=0)
    counted = func.sum(says - said, type_=Integer)
    query = select(label_events.c.dataset, counted).group_by(label_events.c.dataset)
    return {dataset: int(number) for dataset, number in connection.execute(query)}
