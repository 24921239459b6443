from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.models.embedding import embed_dataset, normalised
from cv_pipelines.models.similarity import Embeddings, cosines_to_nearest, open_embeddings
from cv_pipelines.storage.bundles import Reference

Inputs = tuple[Reference, Reference, Reference]


def embeddings(vectors: np.ndarray) -> Embeddings:
    ids = pa.array([f"{number:06}" for number in range(len(vectors))])
    return Embeddings(ids, normalised(vectors.astype(np.float32)))


PLANE = embeddings(np.array([[1, 0], [1, 0.1], [0, 1], [0.9, 1], [-1, 0], [1, 0.2]]))


def rows(found: Sequence[tuple[str, float]]) -> list[int]:
    return [int(image_id) for image_id, _ in found]


def test_the_nearest_come_first_and_the_image_itself_does_not_come() -> None:
    found = PLANE.like("000000", 10)
    assert rows(found) == [1, 5, 3, 2, 4]
    assert found[0][1] == pytest.approx(1 / np.sqrt(1.01), abs=1e-3)
    assert found[-1][1] == pytest.approx(-1)
    assert rows(PLANE.like("000000", 2)) == [1, 5]
    assert PLANE.like("000000", 0) == []


def test_those_that_are_wanted_first_come_first() -> None:
    first = np.array([True, False, True, False, True, False])
    assert rows(PLANE.like("000000", 4, first)) == [2, 4, 1, 5], "an opposite one before the most alike"


def test_several_are_taken_together_or_each_for_itself() -> None:
    assert rows(PLANE.like(["000000", "000002"], 1, by="mean")) == [3], "in the middle"
    assert rows(PLANE.like(["000000", "000002"], 1, by="nearest")) == [1]
    assert set(rows(PLANE.like(["000000", "000002"], 9))) == {1, 3, 4, 5}


def test_an_image_without_embedding_is_told() -> None:
    for name in ("0000001", "999999", ""):
        with pytest.raises(InputError, match="has not looked at the image"):
            PLANE.like(name, 3)


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_it_finds_what_sorting_everything_finds(count: int, targets: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    held = embeddings(random.standard_normal((count, 5)))
    chosen = random.integers(0, count, targets)
    first = random.random(count) < 0.5
    found = held.like([f"{one:06}" for one in chosen], 7, first, by="nearest")

    exact = held.vectors.astype(np.float64)
    cosines = (exact @ exact[chosen].T).max(axis=1)
    others = [row for row in range(count) if row not in set(chosen.tolist())]
    expected = sorted(others, key=lambda row: (not first[row], -cosines[row]))[:7]
    np.testing.assert_allclose(sorted(cosines[rows(found)]), sorted(cosines[expected]), atol=1e-4)
    assert [bool(first[row]) for row in rows(found)] == [bool(first[row]) for row in expected]


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = embeddings(np.random.default_rng(0).standard_normal((50, 6))).vectors
    whole = cosines_to_nearest(vectors, vectors[:20])
    monkeypatch.setattr("cv_pipelines.models.similarity._BLOCK", 7)
    np.testing.assert_allclose(cosines_to_nearest(vectors, vectors[:20]), whole, atol=1e-6)


def test_an_artefact_is_opened_as_it_was_written(colours: Catalog, inputs: Inputs, trained: Reference) -> None:
    made = embed_dataset(colours, trained, inputs[0])
    held = open_embeddings(colours, made.reference)
    assert held.image_ids.to_pylist() == made.bundle.table("embeddings")["image_id"].to_pylist()
    assert held.vectors.shape == (72, made.bundle.facts["width"])
    assert held.vectors.dtype == np.float32
    labels = {row["image_id"]: row["label"] for row in colours.open(inputs[1]).table("labels").to_pylist()}
    one = held.image_ids[0].as_py()
    alike = [labels[other] for other, _ in held.like(one, 10)]
    assert alike.count(labels[one]) > 5, "images of a colour are alike"
