"""The images that may be asked for, and all that strategies look at."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cv_pipelines.models.similarity import Vectors

_SCALE = 2.0**64


@dataclass(frozen=True)
class Predictions:
    """What a classifier says of each image of a pool.

    Attributes:
        classes: the one that it takes for the right one: (n,) strings.
        probability: of it, (n,).
        second: probability of the next best class, (n,); None: an earlier release has not written it down.
        entropy: of all probabilities, in nats, (n,).
    """

    classes: NDArray[np.object_]
    probability: NDArray[np.float32]
    second: NDArray[np.float32] | None
    entropy: NDArray[np.float32]


@dataclass(frozen=True)
class Pool:
    """Images without a label of a person or a file, in the order of their ids.

    Attributes:
        image_ids: n of them.
        lots: a number below 1 for each, which follows from seed and id alone: (n,).
        predictions: of them, where a model has looked at them.
        vectors: their embeddings, of length 1, (n, width); None: there are none.
        labelled: embeddings of the images that are labelled: (k, width).
        detections: how many objects a detector has seen on each, (n,); None: none was asked.
    """

    image_ids: Sequence[str]
    lots: NDArray[np.float64]
    predictions: Predictions | None = None
    vectors: Vectors | None = None
    labelled: Vectors = field(default_factory=lambda: np.empty((0, 0), np.float32))
    detections: NDArray[np.int64] | None = None


def draw_lots(image_ids: Sequence[str], seed: int) -> NDArray[np.float64]:
    """A number from 0 to below 1 for each image: it depends on image and seed alone, not on who else is there."""
    digests = b"".join(hashlib.blake2b(f"{seed}:{one}".encode(), digest_size=8).digest() for one in image_ids)
    return np.frombuffer(digests, "<u8").astype(np.float64) / _SCALE
