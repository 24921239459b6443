from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.resize import decode_for_model
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.models import embedding
from cv_pipelines.models.architectures.factory import build_classifier
from cv_pipelines.models.embedding import embed_dataset, embedder, embeddings_schema, normalised, write_embeddings
from cv_pipelines.models.inference import open_model
from cv_pipelines.models.keras_files import load_model, model_bytes
from cv_pipelines.progress import silent
from cv_pipelines.storage.bundles import Reference

Inputs = tuple[Reference, Reference, Reference]


def matrix(column: pa.ChunkedArray) -> np.ndarray:
    whole = column.combine_chunks()
    return whole.flatten().to_numpy().reshape(len(whole), whole.type.list_size)


def test_every_image_has_the_unit_vector_that_the_last_layer_gets(
    colours: Catalog, inputs: Inputs, colour_images: StoredImages, trained: Reference
) -> None:
    done = embed_dataset(colours, trained, inputs[0])
    table = done.bundle.table("embeddings")
    ids = colour_images.ids.to_pylist()
    assert table["image_id"].to_pylist() == ids
    width = done.bundle.facts["width"]
    assert table.schema == embeddings_schema(width)

    model = open_model(colours.open(trained))
    pixels = np.stack([decode_for_model(colour_images.read(one), 16) for one in ids])
    kernel, bias = model.get_layer("probabilities").get_weights()
    features = np.asarray(embedder(model)(pixels))
    assert features.shape == (72, width) == (72, kernel.shape[0])
    logits = features @ kernel + bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(model(pixels)), expected, atol=1e-5)
    vectors = matrix(table["embedding"]).astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=2e-3)
    np.testing.assert_allclose(vectors, features / np.linalg.norm(features, axis=1, keepdims=True), atol=1e-3)


def test_the_same_model_and_images_are_embedded_once(colours: Catalog, inputs: Inputs, trained: Reference) -> None:
    first, again = embed_dataset(colours, trained, inputs[0]), embed_dataset(colours, trained, inputs[0])
    assert again.reused
    assert again.reference == first.reference
    facts = first.bundle.facts
    assert (facts["model"], facts["data"], facts["images"]) == (trained.version, inputs[0].version, 72)


@pytest.mark.parametrize(("name", "width"), [("small_cnn", 128), ("MobileNetV2", 1280)])
def test_architectures_are_embedded_after_saving_and_loading(name: str, width: int) -> None:
    saved = load_model(model_bytes(build_classifier(name, 32, 3, dropout=0.2)))
    assert embedder(saved).output_shape == (None, width)


def test_a_model_without_a_last_layer_is_refused() -> None:
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(image), name="bare")
    with pytest.raises(InputError, match="'bare' has no dense layer"):
        embedder(model)


def test_parts_become_row_groups_of_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "_ROWS", 10)
    random = np.random.default_rng(0)
    parts = [random.standard_normal((rows, 3)).astype(np.float32) for rows in (4, 4, 4, 12, 1)]
    ids = [f"{number:02}" for number in range(25)]
    write_embeddings(tmp_path / "a.parquet", ids, iter(parts), 3, silent)
    written = pq.ParquetFile(tmp_path / "a.parquet")
    assert [written.metadata.row_group(one).num_rows for one in range(written.num_row_groups)] == [12, 12, 1]
    table = written.read()
    assert table["image_id"].to_pylist() == ids
    np.testing.assert_allclose(matrix(table["embedding"]), normalised(np.concatenate(parts)), atol=1e-3)


def test_a_data_set_without_images_has_an_empty_table(tmp_path: Path) -> None:
    write_embeddings(tmp_path / "none.parquet", [], iter([]), 4, silent)
    assert pq.read_table(tmp_path / "none.parquet").schema == embeddings_schema(4)


def test_nothing_is_no_direction() -> None:
    vectors = np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)
    np.testing.assert_allclose(normalised(vectors), [[0.6, 0.8], [0.0, 0.0]])
