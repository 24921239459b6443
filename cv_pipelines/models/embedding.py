"""Where a model sees every image: the activations before its last layer, written as they are made."""

import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.errors import InputError
from cv_pipelines.images.stored import stored_images
from cv_pipelines.models.inference import open_model, predict_images
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.bundles import Reference, put_bundle, put_file

if TYPE_CHECKING:
    import keras

CODE_VERSION = "1"
PART = "embeddings"
_ROWS = 4096
"""Of a row group: with 2,048 numbers a row, 16 MiB."""


def embeddings_schema(width: int) -> pa.Schema:
    """One row per image, ordered by `image_id`; `embedding` has length 1, or is all zeros."""
    return pa.schema([("image_id", pa.string()), ("embedding", pa.list_(pa.float16(), width))])


def embed_dataset(catalog: Catalog, model: Reference, manifest: Reference, progress: Progress = silent) -> Outcome:
    """Embed every image of a manifest; memory does not grow with their number.

    Returns:
        An artefact with the part `embeddings` (embeddings_schema) and the facts `model`, `data`, `images`,
        `width`, `images_per_second`.

    Raises:
        InputError: code `no_last_layer`.
    """

    def make(_: str) -> Reference:
        images, bundle = stored_images(catalog.open(manifest)), catalog.open(model)
        network = embedder(open_model(bundle))
        width, ids = int(network.output_shape[-1]), images.ids.to_pylist()
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "embeddings.parquet")
            vectors = predict_images(network, images, ids, bundle.facts["image_size"])
            write_embeddings(path, ids, vectors, width, progress)
            parts = {PART: put_file(catalog.store, path)}
        seconds = time.perf_counter() - started
        facts = {
            "model": model.version,
            "data": manifest.version,
            "images": len(ids),
            "width": width,
            "images_per_second": round(len(ids) / seconds, 1) if ids else None,
        }
        version = f"{model.version}-{manifest.version[:12]}"
        return put_bundle(catalog.store, "image_embeddings", version, facts, parts)

    inputs = {"model": model.version, "manifest": manifest.version, "code": CODE_VERSION}
    return catalog.once("image_embeddings", inputs, make)


def embedder(model: "keras.Model") -> "keras.Model":
    """From images to what the last dense layer of a classifier gets: (batch, width).

    Raises:
        InputError: code `no_last_layer`: it has none.
    """
    import keras

    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    if not dense:
        message = f"The model '{model.name}' has no dense layer, so nothing is known of what comes before it."
        raise InputError("no_last_layer", message)
    return keras.Model(model.input, dense[-1].input, name="embedder")


def write_embeddings(
    path: Path, image_ids: list[str], vectors: Iterable[NDArray[np.float32]], width: int, progress: Progress
) -> None:
    """Stream vectors into a Parquet file, some thousand rows at a time.

    Args:
        path: the file.
        image_ids: in the order of the rows.
        vectors: of them, in parts of any number of rows: (n, width).
        width: numbers of each.
        progress: told of images.
    """
    schema, done = embeddings_schema(width), 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for some in _in_blocks(vectors):
            flat = pa.array(normalised(some).astype(np.float16).reshape(-1))
            ids = pa.array(image_ids[done : done + len(some)], pa.string())
            columns = [ids, pa.FixedSizeListArray.from_arrays(flat, width)]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            done += len(some)
            progress("embedding images", done, len(image_ids))


def normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors (n, width) of length 1, so that a product of two is their cosine; zeros stay zeros."""
    lengths = np.linalg.norm(vectors.astype(np.float32), axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)


def _in_blocks(parts: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Parts put together to _ROWS rows or a few more; the last one may be smaller."""
    held: list[NDArray[np.float32]] = []
    for part in parts:
        held.append(part)
        if sum(map(len, held)) >= _ROWS:
            yield np.concatenate(held)
            held.clear()
    if held:
        yield np.concatenate(held)
