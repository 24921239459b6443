"""The images of a data set, as labels name them."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath

from cv_pipelines.annotations.images import SUFFIXES
from cv_pipelines.annotations.report import ItemError
from cv_pipelines.errors import InputError
from cv_pipelines.images.handout import handed_out
from cv_pipelines.images.stored import StoredImages, stored_images
from cv_pipelines.storage.bundles import Bundle


class DatasetImages:
    """Images of a manifest, by their paths in the source.

    Other people's labels have more folders around a name, fewer, or another suffix: a name stands for an image
    where one path is the end of the other, and no other image fits as well. Never where each has a folder of its
    own: `north/0001.jpg` and `south/0001.jpg` are frames of two videos.
    """

    def __init__(self, manifest: Bundle, by_file_name: bool = False) -> None:
        """Read the manifest.

        Args:
            manifest: an `image_manifest` artefact.
            by_file_name: the mere name of a file will do, in whatever folder, where only one image has it.
        """
        table = manifest.table("images", ["image_id", "sources", "width", "height"])
        self._manifest, self._by_file_name = manifest, by_file_name
        self._ids, self._sources, *sizes = (column.to_pylist() for column in table.columns)
        self._sizes = list(zip(*sizes, strict=True))
        self._rows = {path: row for row, paths in enumerate(self._sources) for path in paths}

    def names(self) -> Iterator[str]:
        """See Images: all paths, so an image with duplicates has several."""
        return iter(sorted(self._rows))

    def size(self, name: str) -> tuple[int, int] | None:
        """See Images."""
        try:
            return self.size_of(self.find(name))
        except ItemError:
            return None

    def copy(self, name: str, target: Path) -> bool:
        """See Images: upright, and without what the file says of who took it and where."""
        try:
            data = self._stored.read(self.find(name))
        except (ItemError, InputError):  # not there, or deleted for good
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(handed_out(data))
        return True

    def find(self, name: str) -> str:
        """The id of the image that a name stands for.

        Raises:
            ItemError: `missing_image` or `two_images`.
        """
        row = self._rows.get(name)
        if row is None:
            row = self._row_like(name)
        return str(self._ids[row])

    def name_of(self, image_id: str) -> str:
        """The path that an image of the manifest was first found under."""
        return str(self._sources[self._row_of(image_id)][0])

    def others_of(self, image_id: str, name: str) -> list[str]:
        """The paths of an image but the one that a name stands for."""
        return [path for path in self._sources[self._row_of(image_id)] if not _fit(path, name)]

    def size_of(self, image_id: str) -> tuple[int, int]:
        """Width and height of an image of the manifest, upright."""
        return self._sizes[self._row_of(image_id)]

    def in_order(self) -> Iterator[tuple[str, str, tuple[int, int]]]:
        """Id, name and size of every image, by name."""
        for row in sorted(range(len(self._ids)), key=lambda one: self._sources[one][0]):
            yield self._ids[row], self._sources[row][0], self._sizes[row]

    def _row_of(self, image_id: str) -> int:
        return bisect_left(self._ids, image_id)

    def _row_like(self, name: str) -> int:
        known = self._by_stem.get(_bare(name).rsplit("/", 1)[-1], [])
        fits = {path: fit for path in known if (fit := _fit(path, name, self._by_file_name))}
        if not fits:
            elsewhere = f"; '{known[0]}' lies in another folder (see --by-file-name)" if known else ""
            raise ItemError("missing_image", f"the data set has no such image{elsewhere}")
        best = max(fits.values())
        rows = {self._rows[path]: path for path, fit in fits.items() if fit == best}
        if len(rows) > 1:
            several = " or ".join(f"'{path}'" for path in list(rows.values())[:3])
            raise ItemError("two_images", f"it could be {several}: name it with its folders")
        return next(iter(rows))

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        """Paths by their last part without suffix."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for path in self._rows:
            found[_bare(path).rsplit("/", 1)[-1]].append(path)
        return dict(found)

    @cached_property
    def _stored(self) -> StoredImages:
        return stored_images(self._manifest)


def _bare(path: str) -> str:
    """A path without an image's suffix."""
    suffix = PurePosixPath(path).suffix
    return path[: -len(suffix)] if suffix.lower() in SUFFIXES else path


def _fit(path: str, name: str, anyhow: bool = False) -> tuple[int, bool] | None:
    """How well two paths with the same last part fit, suffixes apart; more is better, None is not at all.

    Args:
        path: of an image.
        name: somebody's.
        anyhow: folders do not matter.

    Returns:
        How many parts they share, where one is the end of the other, and whether their suffix is the same.
    """
    parts, others = _bare(path).split("/"), _bare(name).split("/")
    shared = min(len(parts), len(others))
    same = PurePosixPath(path).name == PurePosixPath(name).name
    if parts[-shared:] == others[-shared:]:
        return shared, same
    return (0, same) if anyhow else None
