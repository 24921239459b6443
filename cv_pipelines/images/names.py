"""Images of a data set by what people call them: a path in the source, or the beginning of an id."""

import re

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError

_DIGITS = re.compile("[0-9a-f]{6,64}")


class ImageNames:
    """The paths and ids of a data set's present images."""

    def __init__(self, catalog: Catalog, dataset: str) -> None:
        """Read the image manifest.

        Raises:
            InputError: there is none yet.
        """
        manifest = catalog.open(catalog.require("image_manifest", dataset))
        table = manifest.table("images", ["image_id", "sources"])
        self._dataset = dataset
        self._paths = dict(zip(table["image_id"].to_pylist(), table["sources"].to_pylist(), strict=True))

    def name_of(self, image_id: str) -> str:
        """The path that an image was first found under; its id where the data set does not have it (any more)."""
        paths = self._paths.get(image_id)
        return str(paths[0]) if paths else image_id

    def __contains__(self, image_id: object) -> bool:
        """Whether the data set has an image of this id now."""
        return image_id in self._paths

    def find(self, name: str) -> str:
        """The id of an image.

        Raises:
            InputError: `no_image`: no image is called so, or several are.
        """
        found = [one for one, paths in self._paths.items() if name in paths]
        if not found and _DIGITS.fullmatch(name):
            found = [one for one in self._paths if one.startswith(name)]
        if len(found) != 1:
            what = f"{len(found)} images" if found else "no image"
            advice = "give its path in the source, or more digits of its id"
            raise InputError("no_image", f"'{self._dataset}' has {what} '{name}': {advice}.")
        return str(found[0])
