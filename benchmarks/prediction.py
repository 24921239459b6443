"""Predictions end to end, against decoding alone plus predicting alone."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.loop import to_model
from benchmarks.measure import Figure, figure, photos, seconds, temporary_catalog
from cv_pipelines.images.decode import Pixels
from cv_pipelines.images.resize import decode_for_model
from cv_pipelines.images.stored import stored_images
from cv_pipelines.models.inference import BATCH, open_model
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.prediction import write_predictions


def measure(rounds: int) -> list[Figure]:
    """At most 1.2 times: read, decode, resize, predict and write, all at once."""
    parameters = TrainingParameters(epochs=1, image_size=128)
    with temporary_catalog() as (catalog, folder):
        made = to_model(catalog, photos(folder, 1000), parameters, folder / "cache")
        images = stored_images(catalog.open(made.manifest))
        ids: list[str] = images.ids.to_pylist()
        card = catalog.open(made.model).facts
        network = open_model(catalog.open(made.model))

        def load(image_id: str) -> Pixels:
            return decode_for_model(images.read(image_id), card["image_size"])

        def decode() -> Pixels:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                return np.stack(list(pool.map(load, ids)))

        def end_to_end() -> None:
            write_predictions(folder / "out.parquet", network, images, ids, card, ("model", "data"))

        pixels = decode()

        def predict() -> None:
            network.predict(pixels, batch_size=BATCH, verbose=0)

        end_to_end()
        predict()
        times = [(seconds(end_to_end), seconds(decode), seconds(predict)) for _ in range(rounds)]
    ratios = [whole / (decoding + predicting) for whole, decoding, predicting in times]
    whole, decoding, predicting = min(times)
    detail = f"{len(ids)} photos at 128 px: {whole:.2f} s against {decoding:.2f} + {predicting:.2f} s"
    return [figure("predictions end to end / (decoding + predicting)", ratios, 1.2, True, detail)]
