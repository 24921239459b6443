"""Pictures of static stretches."""

import io
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InfrastructureError, InputError
from cv_pipelines.motion.artefacts import thumbnails
from cv_pipelines.motion.artefacts.thumbnails import make_thumbnails, picture_of, static_stretches, stretches_of
from cv_pipelines.motion.artefacts.video import catalogue_video
from cv_pipelines.motion.regions import REGIONS
from cv_pipelines.storage.bundles import Reference, put_bundle, put_table
from cv_pipelines.videos.pictures import Wish, picture_file
from cv_pipelines.videos.video import Video
from tests.clips import number_in
from tests.motion.archives import register


def regions(*spans: tuple[int, int, str]) -> pa.Table:
    rows = [
        {"start_frame": first, "end_frame": last, "kind": kind, "size": 0}
        | {"start_time": str(Fraction(first - 1, 30)), "end_time": str(Fraction(last, 30))}
        for first, last, kind in spans
    ]
    return pa.Table.from_pylist(rows, REGIONS)


SPANS = regions((1, 10, "static"), (11, 20, "pan_E"), (21, 24, "static"), (25, 60, "static"))


@pytest.fixture
def entry(catalog: Catalog, make_video: Callable[..., Path], tmp_path: Path) -> Reference:
    """A video of 60 frames that tell their numbers."""
    file = make_video(tmp_path / "a.mp4", frames=60, crf=5)
    return catalogue_video(catalog, register(catalog, str(file), "").key).reference


@pytest.fixture
def found(catalog: Catalog) -> Reference:
    return put_bundle(catalog.store, "motion_regions", "r1", {}, {"regions": put_table(catalog.store, SPANS)})


def in_this_process(work: Any, items: Sequence[Any], *_: Any) -> Iterator[Any]:
    yield work(items)


def test_each_static_stretch_is_seen_in_its_middle(catalog: Catalog, entry: Reference, found: Reference) -> None:
    bundle = make_thumbnails(catalog, entry, found, 2).bundle

    assert [one.frame for one in stretches_of(bundle)] == [5, 22, 42]
    pictures = [picture_of(bundle, one) for one in stretches_of(bundle)]
    assert [number_in(pixels) for pixels in pictures if pixels is not None] == [4, 21, 41]
    assert (bundle.facts["static"], bundle.facts["pictures"]) == (3, 3)
    with Image.open(io.BytesIO(bundle.bytes("000000005.jpg"))) as image:
        assert image.size == (64, 48), "never larger than the video"
    assert make_thumbnails(catalog, entry, found, 2).reused


def test_of_too_many_stretches_the_longest_are_seen(
    catalog: Catalog, entry: Reference, found: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "MOST", 2)
    monkeypatch.setattr(thumbnails, "map_in_workers", in_this_process)

    bundle = make_thumbnails(catalog, entry, found, 1).bundle

    assert [one.start_frame for one in stretches_of(bundle)] == [1, 25]
    assert (bundle.facts["static"], bundle.facts["pictures"]) == (3, 2)


def test_a_frame_that_is_damaged_leaves_its_reason_and_the_others_their_pictures(
    catalog: Catalog, entry: Reference, found: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:

    def damaged(video: Video, wish: Wish) -> bytes:
        if wish.time == Fraction(21, 30):
            raise InputError("bad_video", "It is damaged.")
        return picture_file(video, wish)

    monkeypatch.setattr(thumbnails, "picture_file", damaged)
    monkeypatch.setattr(thumbnails, "map_in_workers", in_this_process)

    bundle = make_thumbnails(catalog, entry, found, 1).bundle

    assert [one.problem for one in stretches_of(bundle)] == ["", "It is damaged.", ""]
    assert [picture_of(bundle, one) is None for one in stretches_of(bundle)] == [False, True, False]
    assert bundle.facts["pictures"] == 2


def test_a_server_that_fails_is_no_fault_of_a_frame(
    catalog: Catalog, entry: Reference, found: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bytes:
        raise InfrastructureError("unreachable", "The server does not answer.")

    monkeypatch.setattr(thumbnails, "picture_file", away)
    monkeypatch.setattr(thumbnails, "map_in_workers", in_this_process)

    with pytest.raises(InfrastructureError):
        make_thumbnails(catalog, entry, found, 1)


def test_a_video_that_never_rests_has_no_pictures() -> None:
    assert static_stretches(regions((1, 60, "pan_E"))) == []
    assert [one.frame for one in static_stretches(regions((7, 7, "static")))] == [7]
