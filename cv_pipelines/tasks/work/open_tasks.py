"""Which tasks of a batch are under way, and what is known of their images so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cv_pipelines.tasks.kinds.classify_images import (
    ClassifiedImage,
    ClassifyImagesParams,
    ClassifyImagesResult,
    Prediction,
)
from cv_pipelines.tasks.ledger.outcomes import Done, Outcome
from cv_pipelines.tasks.ledger.work import Task
from cv_pipelines.tasks.problem import TaskError
from cv_pipelines.tasks.running import Control
from cv_pipelines.tasks.work.image_reader import ImageItem, ReadImage

_OF_ONE_IMAGE = ("input", "submission")
"""Sources of errors that stay as they are, so that the task may go on without the image."""


@dataclass
class _Open:
    """A task of which not all images are known."""

    id: str
    images: list[ClassifiedImage | None]
    left: int


@dataclass
class OpenTasks:
    """A window over the tasks of a batch: it holds those whose images are being read, and no others.

    Attributes:
        tasks: of one data set.
        control: says which are wanted; told of the progress of those with several images.
        model: version of the model that answers.
    """

    tasks: Sequence[Task]
    control: Control
    model: str
    _open: dict[int, _Open] = field(default_factory=dict)

    def items(self) -> Iterator[ImageItem]:
        """The images of all tasks, in their order, for as long as each task is wanted."""
        for number, task in enumerate(self.tasks):
            params = params_of(task)
            uris: list[str | None] = [*params.uris] or [None]
            if self.control.is_wanted(task.id):
                self._open[number] = _Open(task.id, [None] * len(uris), len(uris))
            for place, uri in enumerate(uris):
                if not self.wants(number):
                    break
                yield ImageItem(number, place, uri, params.image or "")

    def wants(self, number: int) -> bool:
        """Say whether a task still waits for images."""
        if number in self._open and not self.control.is_wanted(self._open[number].id):
            self._close(number)
        return number in self._open

    def top(self, number: int) -> int:
        """How many classes a task asks for."""
        return params_of(self.tasks[number]).top

    def answer(self, read: ReadImage, predictions: list[Prediction]) -> Iterator[tuple[str, Outcome]]:
        """Enter the predictions of an image; yields what has become of its task, once that is known."""
        yield from self._enter(read, predictions, None)

    def refuse(self, read: ReadImage, error: TaskError) -> Iterator[tuple[str, Outcome]]:
        """Enter why an image has no predictions; an error that may pass is the whole task's, to be tried again."""
        if error.source in _OF_ONE_IMAGE:
            yield from self._enter(read, [], error)
        elif self.wants(read.item.task):
            task = self._close(read.item.task)
            where = f"Image {read.item.place + 1} of {len(task.images)}: " if len(task.images) > 1 else ""
            yield task.id, error.model_copy(update={"message": where + error.message})

    def _enter(
        self, read: ReadImage, predictions: list[Prediction], error: TaskError | None
    ) -> Iterator[tuple[str, Outcome]]:
        number, place, uri, _ = read.item
        if not self.wants(number):
            return
        task = self._open[number]
        task.images[place] = ClassifiedImage(uri=uri, image_id=read.image_id, predictions=predictions, error=error)
        task.left -= 1
        if task.left:
            self.control.progress[task.id] = round(1 - task.left / len(task.images), 2)
        else:
            yield self._close(number).id, self._outcome([image for image in task.images if image])

    def _close(self, number: int) -> _Open:
        task = self._open.pop(number)
        self.control.progress.pop(task.id, None)
        return task

    def _outcome(self, images: list[ClassifiedImage]) -> Outcome:
        errors = [image.error for image in images if image.error]
        if len(errors) < len(images):
            return Done(ClassifyImagesResult(model=self.model, images=images).model_dump(mode="json"))
        first = errors[0]
        several = f"None of the {len(images)} images can be classified; the first one: " if len(images) > 1 else ""
        return first.model_copy(update={"message": several + first.message})


def params_of(task: Task) -> ClassifyImagesParams:
    """The parameters of a task of this kind."""
    if not isinstance(task.params, ClassifyImagesParams):
        raise TypeError(f"task {task.id} is of another kind")
    return task.params
