"""The images most like one of 100,000, and like several of them: of embeddings of 512 numbers, in memory."""

import numpy as np
import pyarrow as pa

from benchmarks.measure import Figure, figure, seconds
from cv_pipelines.models.embedding import normalised
from cv_pipelines.models.similarity import Embeddings

IMAGES, WIDTH, MOST = 100_000, 512, 200
LIMIT = 0.2


def measure(rounds: int) -> list[Figure]:
    """Within 200 ms, unlabelled images first."""
    random = np.random.default_rng(0)
    vectors = normalised(random.standard_normal((IMAGES, WIDTH), np.float32))
    held = Embeddings(pa.array([f"{number:064x}" for number in range(IMAGES)]), vectors)
    unlabelled = random.random(IMAGES) < 0.5
    figures = []
    for count in (1, 10):
        chosen = [f"{number:064x}" for number in random.integers(0, IMAGES, count)]
        times = [
            seconds(lambda chosen=chosen: held.like(chosen, MOST, unlabelled))  # type: ignore[misc]
            for _ in range(rounds + 1)
        ][1:]
        name = f"the {MOST} most like {count} of {IMAGES:,} / {LIMIT * 1000:.0f} ms"
        detail = f"{min(times) * 1000:.0f} ms, {vectors.nbytes / 1e6:,.0f} MB held"
        figures.append(figure(name, [one / LIMIT for one in times], 1.0, True, detail))
    return figures


if __name__ == "__main__":
    for one in measure(5):
        print(one)
