from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from cv_pipelines.motion.intervals import MotionFacts
from cv_pipelines.motion.published.rule import published_regions, regions_of_samples
from cv_pipelines.motion.published.samples import SAMPLES
from cv_pipelines.motion.regions import REGIONS
from tests.motion.made_motion import Act, play

FACTS = MotionFacts("camhd.mov", 1920, 1080, 25155, Fraction(30000, 1001), Fraction(25155 * 1001, 30000), 10)
Found = list[tuple[str, int, int]]


def samples(
    frames: list[int], scale: list[float], tx: list[float], ty: list[float], valid: list[bool] | None = None
) -> pa.Table:
    good = valid or [True] * len(frames)
    rows = [
        {"frame": f, "from_frame": f - 5, "to_frame": f + 5, "valid": v, "reason": "" if v else "dark"}
        | ({"scale": s, "rotation": 0.0, "tx": x, "ty": y} if v else {})
        for f, s, x, y, v in zip(frames, scale, tx, ty, good, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=SAMPLES)


def moving(path: list[tuple[float, float, float]], valid: list[bool] | None = None) -> pa.Table:
    """Two samples that are static, those of `path` (scale, tx, ty), and two that are static."""
    still = [(1.0, 0.0, 0.0)] * 2
    scale, tx, ty = np.array([*still, *path, *still]).T.tolist()
    return samples(list(range(1, 10 * len(scale), 10)), scale, tx, ty, valid)


def found(regions: pa.Table) -> Found:
    return [(row["kind"], row["start_frame"], row["end_frame"]) for row in regions.to_pylist()]


@pytest.mark.parametrize(
    ("number", "expected", "means", "size"),
    [
        (
            1,
            [("static", 1021, 1051), ("zoom_in", 1061, 1221), ("static", 1221, 1231)],
            (1.067595, 1.224187, -1.649613),
            16,
        ),
        (
            2,
            [("static", 1521, 1531), ("pan_N", 1541, 1711), ("static", 1711, 1721)],
            (0.998931, 0.091182, 41.540993),
            17,
        ),
    ],
)
def test_the_published_slices_give_the_published_regions(
    camhd: Path, number: int, expected: Found, means: tuple[float, ...], size: int
) -> None:
    table = pyarrow.csv.read_csv(camhd / f"optical_flow_slice_{number}.csv")
    columns = [table[name].to_pylist() for name in ("frame_number", "scale", "tx", "ty")]
    regions = regions_of_samples(samples(*columns), FACTS)
    assert found(regions) == expected
    row = regions.to_pylist()[1]
    assert (row["scale_mean"], row["tx_mean"], row["ty_mean"]) == pytest.approx(means, abs=1e-5)
    assert row["size"] == size


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ((1.06, 0, 0), "zoom_in"),
        ((0.94, 0, 0), "zoom_out"),
        ((1.02, 0, 0), "unknown"),
        ((1, 11, 0), "pan_W"),
        ((1, -11, 0), "pan_E"),
        ((1, 0, 11), "pan_N"),
        ((1, 0, -11), "pan_S"),
        ((1, 11, 11), "pan_NW"),
        ((1, -11, 11), "pan_NE"),
        ((1, 11, -11), "pan_SW"),
        ((1, -11, -11), "pan_SE"),
        ((1.2, -11, 0), "pan_E"),
        ((1, 9, 9), "unknown"),
        ((0.9, 9, 9), "zoom_out"),
    ],
)
def test_what_lies_between_is_named_by_its_means(step: tuple[float, float, float], kind: str) -> None:
    regions = regions_of_samples(moving([step] * 3), FACTS)
    assert found(regions) == [("static", 1, 11), (kind, 21, 51), ("static", 51, 61)]
    middle = regions.to_pylist()[1]
    assert (middle["scale_mean"], middle["tx_mean"], middle["ty_mean"]) == pytest.approx(step)
    assert middle["size"] == 3
    assert regions.schema.equals(REGIONS)


@pytest.mark.parametrize(
    ("step", "static"),
    [
        ((1, 9.99, 0), True),
        ((1, 10, 0), False),
        ((1, 7, 7), True),
        ((1, 7.1, 7.1), False),
        ((1.0101, 0, 0), False),
    ],
)
def test_the_bounds_of_a_static_sample(step: tuple[float, float, float], static: bool) -> None:
    assert (len(regions_of_samples(moving([step] * 3), FACTS)) == 1) is static


def test_a_static_sample_alone_is_no_region() -> None:
    pan = (1.0, 40.0, 0.0)
    regions = regions_of_samples(moving([pan, pan, (1, 0, 0), pan, pan]), FACTS)
    assert found(regions) == [("static", 1, 11), ("pan_W", 21, 71), ("static", 71, 81)]
    assert regions["tx_mean"].to_pylist()[1] == pytest.approx(32)


def test_a_sample_that_is_not_valid_breaks_a_static_region_and_leaves_nothing_between() -> None:
    regions = regions_of_samples(moving([(1, 0, 0)], [True, True, False, True, True]), FACTS)
    assert found(regions) == [("static", 1, 11), ("unknown", 21, 31), ("static", 31, 41)]
    middle = regions.to_pylist()[1]
    assert (middle["size"], middle["scale_mean"], middle["tx_mean"]) == (0, None, None)


@pytest.mark.parametrize("stride", [1, 2, 5, 10])
def test_intervals_of_any_stride_that_fits_give_the_same(stride: int) -> None:
    story = [Act(4), Act(4, vy=0.06), Act(4), Act(4, zoom=0.2), Act(4)]
    regions = published_regions(play(story, stride=stride))
    assert [kind for kind, _, _ in found(regions)] == ["static", "pan_N", "static", "zoom_in", "static"]
    ends = [end for kind, _, end in found(regions) if kind == "static"]
    assert np.abs(np.array(ends) - [115, 355, 595]).max() <= 10


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_static_is_no_region(count: int) -> None:
    assert len(regions_of_samples(samples([1] * count, [1] * count, [50] * count, [0] * count), FACTS)) == 0
