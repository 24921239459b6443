"""What a format is."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cv_pipelines.annotations.annotation import Annotation
from cv_pipelines.annotations.exchange import Exchange


class Read(Protocol):
    """Reads labels image by image."""

    def __call__(self, source: Path, exchange: Exchange) -> Iterator[Annotation]:
        """Yield the annotation of each image, in the source's order.

        What is wrong with one item goes into the report, and the others are read; declared classes are
        in `exchange.classes` before the first annotation is yielded.

        Raises:
            InputError: the source as a whole cannot be read.
        """


class Write(Protocol):
    """Writes labels image by image."""

    def __call__(self, annotations: Iterable[Annotation], target: Path, exchange: Exchange) -> None:
        """Write everything into a file or an empty folder that the caller has made sure of.

        What the format cannot hold goes into the report.
        """


@dataclass(frozen=True, slots=True)
class Format:
    """A format of labels.

    Attributes:
        name: as people write it after `--format`.
        title: what it is, in a few words.
        folder: it is a folder of files, else one file.
        read: see Read.
        write: see Write.
        recognise: says whether a path looks like this format, from its names and the beginnings of files.
        lists_all: it lists images that nobody has labelled, too; else an image with nothing on it is labelled so.
    """

    name: str
    title: str
    folder: bool
    read: Read
    write: Write
    recognise: Callable[["Sight"], bool]
    lists_all: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """What a path looks like from outside.

    Attributes:
        path: as given.
        files: relative paths of (at most 2,000) files below it; empty for a file.
        heads: the first 64 KiB of the file, or of one file of each suffix in the folder, by suffix (`.json`).
    """

    path: Path
    files: tuple[str, ...]
    heads: dict[str, str]
