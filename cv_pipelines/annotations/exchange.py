"""Labels from one format to another, image by image."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cv_pipelines.annotations.annotation import Annotation
from cv_pipelines.annotations.images import Images, NoImages
from cv_pipelines.annotations.label_set import ClassList
from cv_pipelines.annotations.report import Report
from cv_pipelines.progress import Progress, silent


@dataclass
class Exchange:
    """What reading and writing share.

    Attributes:
        images: for formats that need sizes, or copies.
        classes: what has been read so far; a writer that comes after a reader numbers classes by it.
        report: what was wrong, what was lost.
        progress: told of every so many images.
    """

    images: Images = field(default_factory=NoImages)
    classes: ClassList = field(default_factory=ClassList)
    report: Report = field(default_factory=Report)
    progress: Progress = silent

    def size_of(self, annotation: Annotation) -> tuple[int, int] | None:
        """Width and height of an annotation's image: what it says, else what the image says."""
        if annotation.width and annotation.height:
            return annotation.width, annotation.height
        return self.images.size(annotation.image)


def passed(annotations: Iterable[Annotation], exchange: Exchange) -> Iterator[Annotation]:
    """Let annotations through that can stand beside each other: of named images, each once, with finite numbers.

    What cannot is a problem in the report: a second annotation of one name most often means the frames of
    two videos, numbered alike.
    """
    report, seen = exchange.report, set[str]()
    for annotation in annotations:
        if annotation.image in seen:
            message = "a second annotation of an image of this name; name images by their folder or video, too"
            report.problem("repeated_image", annotation.image, message)
            continue
        seen.add(annotation.image)
        if not all(box.finite for box in annotation.boxes):
            report.problem("not_finite", annotation.image, "a coordinate that is no number, or far too large")
            continue
        report.images += 1
        report.boxes += len(annotation.boxes)
        if report.images % 500 == 0:
            exchange.progress("images", report.images)
        yield annotation
