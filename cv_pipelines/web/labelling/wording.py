"""Contents of events from what pages send: classes stay numbers all the way."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cv_pipelines.annotations.annotation import Annotation, Box
from cv_pipelines.annotations.store.classes import StoredClass
from cv_pipelines.annotations.store.content import annotation_of, content_of
from cv_pipelines.web.labelling.changes import AnnotationBody


class Wording:
    """Contents of events from what pages send, whose classes have to be there."""

    def __init__(self, classes: Iterable[StoredClass]) -> None:
        classes = list(classes)
        self._words = {one.number: str(one.number) for one in classes}  # which pass through as names
        self._active = {one.number for one in classes if one.state == "active"}
        self._retired = {str(one.number) for one in classes if one.state == "retired"}

    def with_classes(self, content: str | None, numbers: Sequence[int]) -> str | None:
        """A label with other classes of the image as a whole; None: one of them may not be used."""
        before = self._read(content)
        if not self._may_use(numbers, before):
            return None
        return content_of(replace(before, classes=_distinct(numbers)), int)

    def annotated(self, content: str | None, body: AnnotationBody) -> str | None:
        """A whole label; boxes of retired classes, which no page shows, stay. None: a class may not be used."""
        before = self._read(content)
        if not self._may_use([*body.classes, *(box.number for box in body.boxes)], before):
            return None
        boxes = [
            Box(str(one.number), one.left, one.top, one.width, one.height, one.rings, one.attributes)
            for one in body.boxes
        ]
        hidden = [box for box in before.boxes if box.label in self._retired]
        now = replace(before, classes=_distinct(body.classes), boxes=(*boxes, *hidden))
        return content_of(now, int)

    def _read(self, content: str | None) -> Annotation:
        return annotation_of(content, self._words, "") if content is not None else Annotation("")

    def _may_use(self, numbers: Sequence[int], before: Annotation) -> bool:
        """Classes that are active, and those that the label has already: a source may use unknown ones."""
        bears = {*before.classes, *(box.label for box in before.boxes)} - self._retired
        return all(number in self._active or str(number) in bears for number in numbers)


def _distinct(numbers: Sequence[int]) -> tuple[str, ...]:
    return tuple(map(str, dict.fromkeys(numbers)))
