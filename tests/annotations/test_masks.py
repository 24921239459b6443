"""Masks as formats pack them, and their outlines."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cv_pipelines.annotations.annotation import area, joined
from cv_pipelines.annotations.masks import mask_of_brush, mask_of_runs, outline_of, runs_of_text

Mask = npt.NDArray[np.bool_]
MASKS = arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)))


def filled(rings: tuple[tuple[tuple[float, float], ...], ...], shape: tuple[int, ...]) -> Mask:
    """Pixels whose centre has an odd number of edges to its right: by definition, one by one."""
    found = np.zeros(shape, bool)
    sides = [side for ring in rings for side in zip(ring, (*ring[1:], ring[0]), strict=True)]
    for row, column in np.ndindex(*shape):
        x, y = column + 0.5, row + 0.5
        hits = [a + (y - b) * (c - a) / (d - b) > x for (a, b), (c, d) in sides if (b > y) != (d > y)]
        found[row, column] = sum(hits) % 2
    return found


def compressed(runs: list[int]) -> str:
    """COCO's text of runs, as its definition says: for the test only."""
    signs = []
    for place, run in enumerate(runs):
        value = run - runs[place - 2] if place > 2 else run
        while True:
            bits, value = value & 0x1F, value >> 5
            more = value != (-1 if bits & 0x10 else 0)
            signs.append(chr(bits + (0x20 if more else 0) + 48))
            if not more:
                break
    return "".join(signs)


def runs_of(flat: Mask) -> list[int]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat])))
    return [int(run) for run in np.diff(np.concatenate([[0], edges, [len(flat)]]))]


@given(MASKS)
def test_the_outline_of_a_mask_is_exact(mask: Mask) -> None:
    outline = outline_of(mask)

    assert (filled(outline, mask.shape) == mask).all()
    assert all(len(ring) >= 4 for ring in outline)
    assert area(outline) == mask.sum()
    if outline:
        assert (filled((joined(outline),), mask.shape) == mask).all()


def test_a_hole_is_a_ring_and_has_no_area() -> None:
    mask = np.ones((5, 6), bool)
    mask[2, 2:4] = False

    outline = outline_of(mask, 10, 20)

    assert len(outline) == 2
    assert area(outline) == 28
    assert set(outline[0]) == {(10, 20), (16, 20), (16, 25), (10, 25)}


@given(MASKS)
def test_runs_of_coco(mask: Mask) -> None:
    runs = runs_of(mask.T.reshape(-1))

    assert runs_of_text(compressed(runs)) == runs
    assert (mask_of_runs(runs, mask.shape[1], mask.shape[0], by_column=True) == mask).all()


def test_the_example_of_the_coco_api() -> None:
    """From maskApi.h: 0 0 1 1 1 0 1 is 2 3 1 1; the last as a difference, -2, is N."""
    assert runs_of_text("231N") == [2, 3, 1, 1]


@pytest.mark.parametrize("text", ["\u20ac", "P", "oooooooooo", "2 3"])
def test_texts_that_are_no_runs(text: str) -> None:
    with pytest.raises(ValueError, match="mask"):
        runs_of_text(text)


@given(MASKS)
def test_the_brush_of_label_studio(mask: Mask) -> None:
    data = brush(mask)
    assert (mask_of_brush(data, mask.shape[1], mask.shape[0]) == mask).all()
    with pytest.raises(ValueError, match="brush"):
        mask_of_brush(data[: len(data) // 2], mask.shape[1], mask.shape[0])


def brush(mask: Mask) -> list[int]:
    """Alternating runs and single values: both kinds that the packing has."""
    values = np.repeat(mask.reshape(-1).astype(int) * 255, 4).tolist()
    bits = f"{len(values):032b}{7:05b}{2:04b}{3:04b}{7:04b}{15:04b}"
    place = 0
    while place < len(values):
        run = 1
        while place + run < len(values) and values[place + run] == values[place] and run < 256:
            run += 1
        if run == 4:  # a pixel on its own: its values one by one
            bits += f"0{0:02b}{run - 1:03b}" + "".join(f"{value:08b}" for value in values[place : place + run])
        else:
            bits += f"1{2:02b}{run - 1:08b}{values[place]:08b}"
        place += run
    bits += "0" * (-len(bits) % 8)
    return [int(bits[start : start + 8], 2) for start in range(0, len(bits), 8)]


def test_noise_has_no_outline() -> None:
    with pytest.raises(ValueError, match="noise"):
        outline_of(np.random.default_rng(0).random((600, 600)) > 0.5)
