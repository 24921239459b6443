"""All that is known of one image."""

import re
from dataclasses import dataclass, field

import pyarrow.compute as pc
from sqlalchemy import select, union

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.tables import forgotten_images, models, publications
from cv_pipelines.errors import InputError
from cv_pipelines.progress import Progress, silent
from cv_pipelines.retention.copies import Copies, find_copies
from cv_pipelines.retention.mentions import Mention, find_mentions
from cv_pipelines.storage.bundles import Reference

_DIGITS = re.compile("[0-9a-f]{8,64}")
_ALL_DIGITS = 64
_TRAINED = "trained_model"
_QUEUE = "label_queue"


@dataclass(frozen=True)
class Trace:
    """Where an image is, what names it, and which models (`dataset/version`) have learned from it.

    `asked` are ids of the runs in which people were asked to label it, and which may show it.
    """

    image_id: str
    forgotten: bool
    copies: Copies
    mentions: list[Mention]
    models: list[str]
    asked: list[str] = field(default_factory=list)

    @property
    def datasets(self) -> list[str]:
        """Names of the data sets that have it or had it."""
        return sorted({one.dataset for one in self.mentions})

    @property
    def runs(self) -> list[str]:
        """Ids of the runs whose previews may show it."""
        return sorted({*self.asked, *(run for one in self.mentions for run in one.runs)})

    @property
    def alike(self) -> list[str]:
        """Ids of images that show the same, in any version."""
        return sorted({other for one in self.mentions for other in one.alike})


def trace(catalog: Catalog, digits: str, progress: Progress = silent) -> Trace:
    """Find an image.

    Args:
        catalog: where artefacts are.
        digits: its id, or the first digits of it, 8 at least; of an image that no version names, all.
        progress: is told of versions and packs.

    Raises:
        InputError: there is no such image, or more than one.
    """
    if not _DIGITS.fullmatch(digits):
        message = f"'{digits}' is no id of an image: give at least 8 of its digits (0 to 9, a to f)."
        raise InputError("image_id", message)
    mentions, forgotten = find_mentions(catalog, digits, progress), _forgotten(catalog, digits)
    image_id = digits if len(digits) == _ALL_DIGITS else _only_one(digits, mentions.keys() | forgotten)
    copies = find_copies(catalog.store, image_id, progress)
    if not (copies.number or image_id in mentions or image_id in forgotten):
        raise _no_image(image_id)
    learned = _learned_by(catalog, image_id)
    asked = _asked_for(catalog, image_id)
    return Trace(image_id, image_id in forgotten, copies, mentions.get(image_id, []), learned, asked)


def _only_one(digits: str, found: set[str]) -> str:
    if len(found) > 1:
        shown = ", ".join(sorted(found)[:5])
        raise InputError("image_id", f"{len(found)} images begin with {digits}: give more digits. ({shown})")
    if not found:
        raise _no_image(digits)
    return found.pop()


def _no_image(digits: str) -> InputError:
    message = f"There is no image {digits}. The id of an image is the SHA-256 of its file: 'sha256sum FILE'."
    return InputError("no_image", message)


def _forgotten(catalog: Catalog, digits: str) -> set[str]:
    column = forgotten_images.c.image_id
    with catalog.database.connect() as connection:
        return set(connection.execute(select(column).where(column.startswith(digits))).scalars())


def _learned_by(catalog: Catalog, image_id: str) -> list[str]:
    """The models that have learned from it, whether they were entered into the registry or not."""
    published = select(publications.c.dataset, publications.c.version, publications.c.key)
    registered = select(models.c.dataset, models.c.version, models.c.key)
    with catalog.database.connect() as connection:
        rows = connection.execute(union(registered, published.where(publications.c.kind == _TRAINED))).all()
    return sorted(
        f"{row.dataset}/{row.version}"
        for row in rows
        if _has_learned(catalog, Reference(_TRAINED, row.version, row.key), image_id)
    )


def _asked_for(catalog: Catalog, image_id: str) -> list[str]:
    """The runs that have asked people to label it."""
    query = select(publications).where(publications.c.asset == _QUEUE, publications.c.run_id != "")
    with catalog.database.connect() as connection:
        rows = connection.execute(query).all()
    return sorted(
        {row.run_id for row in rows if _names(catalog, Reference(_QUEUE, row.version, row.key), image_id)}
    )


def _names(catalog: Catalog, queue: Reference, image_id: str) -> bool:
    return image_id in catalog.open(queue).table("queue", ["image_id"])["image_id"].to_pylist()


def _has_learned(catalog: Catalog, model: Reference, image_id: str) -> bool:
    learned = catalog.open(model).table("learned")["image_id"]
    return bool(pc.any(pc.equal(learned, image_id), min_count=0).as_py())
