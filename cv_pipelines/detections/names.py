"""What files of detections call images and classes, and which ones of a data set they mean."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from cv_pipelines.annotations.formats.values import class_name, image_name, shown
from cv_pipelines.annotations.images import SUFFIXES
from cv_pipelines.annotations.report import ItemError
from cv_pipelines.detections.ground_truth import GroundTruth, is_key

_SEVERAL = ""
"""Instead of an image: more than one is called so."""
NO_CLASSES: Mapping[str, str] = {}


class Names:
    """The images and classes of a data set, by what a file may call them.

    An image goes by the path of its file or the end of it, with or without its suffix: `0001.jpg`, `north/0001`.
    A longer path than its own names it, too: `/data/v2/north/0001.jpg`. Never one of another folder, and never one
    of several that are called alike.
    """

    def __init__(
        self,
        images: Iterable[tuple[str, Sequence[str]]],
        classes: Mapping[str, str] = NO_CLASSES,
        truth: GroundTruth | None = None,
    ) -> None:
        """Take the names in.

        Args:
            images: ids of the data set's images, with the paths of their files.
            classes: its classes by all names that they have had; none: any name will do.
            truth: what numbers stand for.
        """
        self._paths: dict[str, str] = {}
        self._ends: dict[str, str] = {}
        self._classes, self._truth = classes, truth or GroundTruth()
        for image_id, paths in images:
            for path in paths:
                self._paths[path] = image_id
                for end in _ends(path):
                    known = self._ends.setdefault(end, image_id)
                    if known != image_id:
                        self._ends[end] = _SEVERAL

    def image(self, given: Any) -> str:
        """The id of an image.

        Args:
            given: its name, or its id in the ground truth.

        Raises:
            ItemError: `unknown_image`, `ambiguous_image`, `bad_name`; `no_ground_truth`: for a number.
        """
        found = self._paths.get(given) if isinstance(given, str) else None
        return found or self._find(given)

    def label(self, given: Any) -> str:
        """The class.

        Args:
            given: its name, or its id in the ground truth.

        Raises:
            ItemError: `unknown_class`, `bad_class`; `no_ground_truth`: for a number.
        """
        named = self._truth.classes.get(given) if is_key(given) else None
        if named is None and not isinstance(given, str):
            raise _of_no_use(given, "category_id", "unknown_class", self._truth.classes)
        name = named or class_name(given)
        if self._classes and name not in self._classes:
            raise ItemError("unknown_class", f"the data set has no class {shown(name)}")
        return self._classes.get(name, name)

    def _find(self, given: Any) -> str:
        named = self._truth.images.get(given) if is_key(given) else None
        if named is None and not isinstance(given, str):
            raise _of_no_use(given, "image_id", "unknown_image", self._truth.images)
        name = image_name(named or given)
        found = self._paths.get(name)
        if found is None:
            found = self._ends.get(name)
        if found is None:
            parts = name.split("/")
            inner = ("/".join(parts[place:]) for place in range(1, len(parts)))
            found = next((self._paths[path] for path in inner if path in self._paths), None)
        if found is None:
            raise ItemError("unknown_image", f"the data set has no image {shown(name)}")
        if found is _SEVERAL:
            raise ItemError("ambiguous_image", f"several images are called {shown(name)}: name their folders, too")
        return found


def _ends(path: str) -> Iterator[str]:
    """The ends of a path, each with and without the suffix of the file."""
    parts = path.split("/")
    for place in range(len(parts)):
        end = "/".join(parts[place:])
        yield end
        stem, dot, suffix = end.rpartition(".")
        if stem and f"{dot}{suffix}".lower() in SUFFIXES:
            yield stem


def _of_no_use(given: Any, key: str, code: str, known: Collection[Any]) -> ItemError:
    """Something that is no name, and no id of the ground truth."""
    if not known:
        message = f"{key} is {shown(given)}: give the file that says what numbers stand for with --ground-truth"
        return ItemError("no_ground_truth", message)
    return ItemError(code, f"{key} {shown(given)} is not in the ground truth")
