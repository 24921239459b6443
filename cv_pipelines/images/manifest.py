"""The tables of an image manifest, and its version."""

import pyarrow as pa

from cv_pipelines.hashing import VERSION_LENGTH, hash_rows, hash_values

_MEASURED = [
    ("image_id", pa.string()),
    ("uri", pa.string()),
    ("width", pa.int32()),
    ("height", pa.int32()),
    ("channels", pa.int8()),
    ("format", pa.string()),
    ("orientation", pa.int8()),
    ("frames", pa.int32()),
    ("bytes", pa.int64()),
    ("perceptual_hash", pa.string()),
    ("brightness", pa.float32()),
    ("contrast", pa.float32()),
    ("saturation", pa.float32()),
    ("sharpness", pa.float32()),
]
LISTING = pa.schema(
    [
        ("path", pa.string()),
        ("location", pa.string()),
        ("source_label", pa.string()),
        ("source_split", pa.string()),
        ("source_group", pa.string()),
        ("stamp", pa.string()),
        ("problem", pa.string()),
    ]
)
"""One row per file of a source, as the source lists them; see SourceItem."""

FACTS = pa.schema(
    [
        ("location", pa.string()),
        ("stamp", pa.string()),
        ("code", pa.string()),
        ("reason", pa.string()),
        *_MEASURED,
    ]
)
"""What reading a file came to: a good one has the empty code, a bad one nothing after its reason."""

IMAGES = pa.schema(
    [
        *_MEASURED[:1],
        ("sources", pa.list_(pa.string())),
        *_MEASURED[1:],
        ("source_label", pa.string()),
        ("source_split", pa.string()),
        ("source_group", pa.string()),
    ]
)
"""One row per distinct image, ordered by `image_id` (SHA-256 of the bytes); sizes are upright."""

QUARANTINE = pa.schema(
    [("path", pa.string()), ("code", pa.string()), ("reason", pa.string()), ("image_id", pa.string())]
)
"""One row per file that is not used, ordered by path; `image_id` where it is an image all the same."""

NEAR_DUPLICATES = pa.schema([("image_id", pa.string()), ("other_id", pa.string()), ("distance", pa.int8())])
"""Pairs of images that show the same; `image_id` < `other_id`."""

COMPARISONS = pa.schema([("image_id", pa.string()), ("other_id", pa.string()), ("difference", pa.float32())])
"""Pairs whose pixels were compared: mean difference of their grey values, of 1."""

_IDENTITY = ["image_id", "sources", "source_label", "source_split", "source_group"]


def manifest_version(images: pa.Table, quarantine: pa.Table) -> str:
    """A hash of what the data set is: images, where they came from, and what was left out.

    Everything else in the manifest follows from the bytes, whose hash is `image_id`.
    """
    parts = {"images": hash_rows(images.select(_IDENTITY)), "quarantine": hash_rows(quarantine)}
    return hash_values(parts)[:VERSION_LENGTH]
