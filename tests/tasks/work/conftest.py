"""A data set whose champion tells colours apart, and a web server that serves what a test says."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.models.keras_files import model_bytes
from cv_pipelines.storage.bundles import Reference, put_bundle, put_part

CLASSES = ["blue", "green", "red"]
SIZE = 16


@pytest.fixture(scope="session")
def classifier() -> bytes:
    """A model, as a file: the class is the colour that there is most of."""
    import keras

    image = keras.Input((SIZE, SIZE, 3))
    mean = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(image))
    output = keras.layers.Dense(3, activation="softmax")
    model = keras.Model(image, output(mean))
    output.set_weights([4 * np.eye(3)[::-1], np.zeros(3)])
    return model_bytes(model)


@pytest.fixture
def champion(catalog: Catalog, classifier: bytes) -> Reference:
    """The champion of `colours`."""
    add_dataset(catalog.database, "colours", "/nowhere")
    card = {"classes": CLASSES, "image_size": SIZE}
    parts = {"model": put_part(catalog.store, classifier, ".keras")}
    reference = put_bundle(catalog.store, "trained_model", "c0ffee", card, parts)
    catalog.publish("champion_model", "colours", reference)
    return reference


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, bytes | int]], str]]:
    """`serve({"/1.png": content, "/2.png": 503})`: start a web server; returns its URL."""
    servers: list[ThreadingHTTPServer] = []

    def start(answers: dict[str, bytes | int]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = answers.get(self.path, 404)
                self.send_response(answer if isinstance(answer, int) else 200)
                self.end_headers()
                if isinstance(answer, bytes):
                    self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
