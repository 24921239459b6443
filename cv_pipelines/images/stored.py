"""The bytes of a manifest's images, by image id."""

from bisect import bisect_left
from dataclasses import dataclass

import pyarrow as pa

from cv_pipelines.errors import InputError
from cv_pipelines.storage.bundles import Bundle
from cv_pipelines.storage.packs import is_erased, read_packed
from cv_pipelines.storage.protocol import ObjectStore


@dataclass(frozen=True)
class StoredImages:
    """Read access to images; `ids` (ordered) and `uris` stay in Arrow: a million take 150 MB, not a GB."""

    store: ObjectStore
    ids: pa.Array
    uris: pa.Array

    def read(self, image_id: str) -> bytes:
        """The file of an image, as it came.

        Raises:
            InputError: code `missing_image`: the manifest has none of this id; `erased_image`: it was forgotten.
            InfrastructureError: its bytes are gone.
        """
        data = read_packed(self.store, self.uris[self.require(image_id)].as_py())
        if is_erased(data):
            message = f"The image '{image_id}' was deleted for good: take a later version of the data set."
            raise InputError("erased_image", message)
        return data

    def require(self, image_id: str) -> int:
        """The row of an image.

        Raises:
            InputError: code `missing_image`: the manifest has none of this id.
        """
        row = bisect_left(self.ids, image_id, key=lambda scalar: scalar.as_py())
        if row == len(self.ids) or self.ids[row].as_py() != image_id:
            message = f"The image manifest has no image '{image_id}'. Sync the data set, then run it again."
            raise InputError("missing_image", message)
        return row


def stored_images(manifest: Bundle) -> StoredImages:
    """Open the images of an `image_manifest` artefact."""
    table = manifest.table("images", ["image_id", "uri"]).combine_chunks()
    return StoredImages(manifest.store, *(table[name].combine_chunks() for name in ("image_id", "uri")))
