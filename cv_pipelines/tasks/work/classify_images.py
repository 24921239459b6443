"""The kind `classify_images`: many tasks through one model, image by image, in little memory however many."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os.path import realpath

import numpy as np

from cv_pipelines.catalog import Catalog
from cv_pipelines.models.inference import BATCH, Probabilities
from cv_pipelines.tasks.kinds.classify_images import Prediction
from cv_pipelines.tasks.ledger.outcomes import Outcome
from cv_pipelines.tasks.ledger.work import Task
from cv_pipelines.tasks.running import Control
from cv_pipelines.tasks.work.champion import Champion, load_champion
from cv_pipelines.tasks.work.image_reader import ImageReader, ReadImage, crashed
from cv_pipelines.tasks.work.open_tasks import OpenTasks, params_of
from cv_pipelines.workers import map_in_workers, start_server

_LARGEST_BATCH = 32
"""Images a call of a worker: their pixels cross process borders together."""
_SHARES = 8
"""Calls that each worker gets at least, so that all end at about the same time."""

_Outcomes = Iterator[tuple[str, Outcome]]


@dataclass(frozen=True)
class ClassifyImages:
    """The work of the kind: the champion of the data set that all tasks share classifies their images.

    An image that is bad has an error of its own, and its neighbours go on. A task fails where all its
    images are bad, or where one cannot be read for a reason that may pass: then it is worth another try.

    Attributes:
        catalog: where the champion is.
        allow: hosts and networks that URLs may lead to though they are not public.
        folders: below which tasks may name files.
        workers: processes that read and decode.
    """

    catalog: Catalog
    allow: tuple[str, ...]
    folders: tuple[str, ...]
    workers: int

    def __call__(self, tasks: Sequence[Task], control: Control) -> _Outcomes:
        """Do tasks; yields what became of each, about in their order.

        Raises:
            InputError: there is no such data set, or it has no champion.
            ResourceError: memory does not suffice to predict a single image.
            InfrastructureError: no worker process starts.
        """
        if not tasks:
            return
        start_server(ImageReader.__module__)  # it gets ready while the model is loaded
        champion = load_champion(self.catalog, params_of(tasks[0]).dataset)
        under_way = OpenTasks(tasks, control, champion.version)
        waiting: list[ReadImage] = []
        for some in self._read(under_way, champion.size):
            for read in some:
                if read.error:
                    yield from under_way.refuse(read, read.error)
                elif under_way.wants(read.item.task):
                    waiting.append(read)
            if len(waiting) >= BATCH:
                yield from _answers(champion, under_way, waiting[:BATCH])
                del waiting[:BATCH]
            if control.superseded.is_set():
                return
        yield from _answers(champion, under_way, waiting)

    def _read(self, under_way: OpenTasks, size: int) -> Iterator[list[ReadImage]]:
        """Read images in worker processes, a little ahead of whoever takes them."""
        reader = ImageReader(size, self.allow, tuple(realpath(folder) for folder in self.folders))
        images = sum(len(params_of(task).uris) or 1 for task in under_way.tasks)
        batch = max(1, min(_LARGEST_BATCH, images // (self.workers * _SHARES)))
        workers = min(self.workers, -(-images // batch))
        return map_in_workers(reader, under_way.items(), crashed, workers, batch)


def _answers(champion: Champion, under_way: OpenTasks, images: Sequence[ReadImage]) -> _Outcomes:
    """What the champion says of some images; yields the tasks of which these were the last."""
    pixels = [image.pixels for image in images if image.pixels is not None]
    if not pixels:
        return
    for image, probabilities in zip(images, champion.predict(pixels), strict=True):
        top = under_way.top(image.item.task)
        yield from under_way.answer(image, _likeliest(champion.classes, probabilities, top))


def _likeliest(classes: Sequence[str], probabilities: Probabilities, top: int) -> list[Prediction]:
    places = np.argsort(-probabilities, kind="stable")[:top]
    return [
        Prediction(label=classes[place], probability=min(1.0, round(float(probabilities[place]), 6)))
        for place in places
    ]
