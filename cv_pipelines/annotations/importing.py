"""Labels of a file into the label store: everything or nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cv_pipelines.annotations.annotation import Annotation
from cv_pipelines.annotations.dataset_images import DatasetImages
from cv_pipelines.annotations.exchange import Exchange, passed
from cv_pipelines.annotations.file_classes import FileClasses
from cv_pipelines.annotations.formats.format import Format
from cv_pipelines.annotations.formats.known import require_format
from cv_pipelines.annotations.report import ItemError
from cv_pipelines.annotations.spool import Spool
from cv_pipelines.annotations.store.classes import classes_of, numbers_by_name
from cv_pipelines.annotations.store.content import content_of
from cv_pipelines.annotations.store.events import Author, Change, Written, append, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.failpoints import fail_point
from cv_pipelines.images.datasets import Dataset
from cv_pipelines.images.sources.files import readable_name
from cv_pipelines.progress import Progress, silent

_EVERY = 500
_NAMED = 1000
_LONGEST = 64


@dataclass(frozen=True)
class Choices:
    """What whoever imports has decided.

    Attributes:
        skip_bad: leave out what is wrong; else one mistake is enough to import nothing.
        replace: replace labels of people, too.
        empty: an image that the file lists with nothing on it is labelled so, whatever the format.
        by_file_name: see DatasetImages.
    """

    skip_bad: bool = False
    replace: bool = False
    empty: bool = False
    by_file_name: bool = False


@dataclass
class Imported:
    """What came of an import.

    Attributes:
        images: of the data set.
        exchange: what was read, and what was wrong with it.
        classes: of the file.
        written: what became of it; None where nothing was imported, because of what was wrong.
        labels: so many images of the data set have got labels from the file.
        empty: so many images the file lists with nothing on them, which was not taken for a label.
        kept: names of the first images whose labels are somebody else's, and stay.
    """

    images: DatasetImages
    exchange: Exchange
    classes: FileClasses
    written: Written | None = None
    labels: int = 0
    empty: int = 0
    kept: list[str] = field(default_factory=list)


def importer(who: str, source: Path, model: str = "") -> Author:
    """The author of imported labels: of a model's, where its version is given.

    Raises:
        InputError: `model_version`: it cannot be one.
    """
    if not model.isprintable() or len(model) > _LONGEST:
        message = f"{model[:50]!r} cannot be a model's version: up to {_LONGEST} signs that can be printed."
        raise InputError("model_version", message)
    return Author(who, "model" if model else "import", model, readable_name(source.name))


def import_labels(
    catalog: Catalog,
    dataset: Dataset,
    source: Path,
    read_as: Format,
    author: Author,
    choices: Choices = Choices(),
    progress: Progress = silent,
) -> Imported:
    """Take the labels of a file or folder into the store, for the present images of a data set.

    All is read first, onto disk; what is written after that is one transaction.

    Args:
        catalog: where the manifest and the store are.
        dataset: the data set.
        source: a file or folder.
        read_as: its format.
        author: whose labels they are: of an import, or of a model.
        choices: what has been decided.
        progress: told of images.

    Raises:
        InputError: the source cannot be read at all, there is no manifest yet, or somebody has changed the
            classes meanwhile.
    """
    require_format(source, read_as)
    manifest = catalog.open(catalog.require("image_manifest", dataset.name))
    images = DatasetImages(manifest, choices.by_file_name)
    with catalog.database.connect() as connection:
        present = classes_of(connection, dataset.name)
        numbers = numbers_by_name(connection, dataset.name)
    classes = FileClasses(present, numbers, dataset.classes)
    imported = Imported(images, Exchange(images, progress=progress), classes)
    spool = _read(source, read_as, imported, choices.empty or not read_as.lists_all)
    imported.labels = len(spool)
    if imported.exchange.report.counts and not choices.skip_bad:
        return imported
    with writing(catalog.database, dataset.name) as connection:
        classes.ensure(connection, dataset.name, imported.exchange.classes.frozen(), author.who)
        changes = _changes(spool, progress)
        imported.written = append(connection, dataset.name, changes, author, choices.replace)
        fail_point("labels.before_commit")
    imported.kept = [images.name_of(one.image_id) for one in imported.written.refused[:_NAMED]]
    return imported


def _read(source: Path, read_as: Format, imported: Imported, take_empty: bool) -> Spool:
    images, exchange, classes, spool = imported.images, imported.exchange, imported.classes, Spool()
    for number, one in enumerate(passed(read_as.read(source, exchange), exchange)):
        if not number:
            classes.declare(exchange.classes.frozen().names)  # in the file's order, whichever is used first
        with exchange.report.item(_where(one)):
            image_id = images.find(one.image)
            if one.boxes or one.classes or take_empty:
                _require_size(one, images.size_of(image_id))
                _put(spool, image_id, one, imported)
            else:
                imported.empty += 1
    classes.declare(exchange.classes.frozen().names)
    return spool


def _put(spool: Spool, image_id: str, one: Annotation, imported: Imported) -> None:
    """Keep a label.

    Raises:
        ItemError: `bad_attribute`; `unlike_labels`: a data set keeps exact duplicates once, the file does not.
    """
    try:
        content, known = content_of(one, imported.classes.__getitem__), spool.get(image_id)
        if known is None:
            spool.put(image_id, content)
    except ValueError as error:  # NaN in an attribute, or half of a pair of UTF-16
        raise ItemError("bad_attribute", "an attribute that no database can hold") from error
    if known not in (None, content):
        others = ", ".join(imported.images.others_of(image_id, one.image)[:3]) or "one before"
        raise ItemError("unlike_labels", f"the very same image as {others}, which has other labels")


def _require_size(one: Annotation, size: tuple[int, int]) -> None:
    """Boxes are good for images of one size.

    Raises:
        ItemError: `other_size`.
    """
    said = (one.width, one.height)
    if one.boxes and all(said) and said != size:
        turned = ", as it lies in its file: labels are about the upright image" if said == size[::-1] else ""
        message = f"its boxes are for {said[0]} × {said[1]} pixels, the image has {size[0]} × {size[1]}{turned}"
        raise ItemError("other_size", message)


def _where(one: Annotation) -> str:
    return one.image if one.image_id is None else f"{one.image} (id {one.image_id})"


def _changes(spool: Spool, progress: Progress) -> Iterator[Change]:
    for done, (image_id, content) in enumerate(spool.items()):
        if done % _EVERY == 0:
            progress("labels written", done, len(spool))
        yield Change(image_id, content)
