"""A result is current as long as the same inputs would make it again."""

import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.motion.parameters import MotionParameters
from cv_pipelines.motion.results import MOTION, State, Summary, motion_inputs, states_of, summaries_of
from cv_pipelines.motion.settings import load_motion_settings
from cv_pipelines.storage.bundles import put_bundle
from cv_pipelines.videos.archive import ArchivedVideo, quarantine
from tests.motion.archives import analyse, register
from tests.servers import on_both_databases


def states(catalog: Catalog, *videos: ArchivedVideo) -> list[State]:
    found = states_of(catalog, videos)
    return [found[video.key] for video in videos]


@on_both_databases
def test_a_result_is_current_until_the_video_has_another_version(catalog: Catalog) -> None:
    one, other = register(catalog, "/one.mp4"), register(catalog, "/other.mp4")
    assert states(catalog, one, other) == ["missing", "missing"]

    analyse(catalog, one.key)
    assert states(catalog, one, other) == ["current", "missing"]

    changed = register(catalog, "/one.mp4", stamp="2")
    assert states(catalog, changed, other) == ["stale", "missing"]
    analyse(catalog, one.key, frames=200)
    assert states(catalog, changed, other) == ["current", "missing"]

    back = register(catalog, "/one.mp4", stamp="1")
    assert states(catalog, back) == ["stale"], "what stands is of another version"


def test_a_result_is_stale_where_other_parameters_or_other_code_made_it(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = register(catalog, "/one.mp4")
    analyse(catalog, video.key, MotionParameters(stride=10))
    assert states(catalog, video) == ["stale"]

    analyse(catalog, video.key, frames=200)
    assert states(catalog, video) == ["current"]

    for name in ("analysis.CODE_VERSION", "artefacts.regions.REGIONS_VERSION"):
        with monkeypatch.context() as patched:
            patched.setattr(f"cv_pipelines.motion.{name}", "next")
            assert states(catalog, video) == ["stale"]
    assert states(catalog, video) == ["current"]


def test_a_result_is_stale_where_the_settings_have_other_thresholds(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = register(catalog, "/one.mp4")
    analyse(catalog, video.key)
    monkeypatch.setenv("CV_MOTION_PAN_SPEED", "0.5")
    load_motion_settings.cache_clear()

    assert states(catalog, video) == ["stale"]

    monkeypatch.undo()
    load_motion_settings.cache_clear()
    assert states(catalog, video) == ["current"]


def test_two_videos_with_the_same_result_both_have_it(catalog: Catalog) -> None:
    videos = [register(catalog, name) for name in ("/one.mp4", "/copy.mp4")]
    references = {analyse(catalog, video.key) for video in videos}

    assert len(references) == 1
    assert states(catalog, *videos) == ["current", "current"]


def test_a_result_whose_regions_were_never_found_is_not_complete(catalog: Catalog) -> None:
    video = register(catalog, "/one.mp4")
    made = put_bundle(catalog.store, MOTION, "1", {"frames": 3, "invalid_share": 0}, {})
    catalog.once(MOTION, motion_inputs(video.address, video.stamp, MotionParameters()), lambda _: made)
    catalog.publish(MOTION, video.key, made)

    assert states(catalog, video) == ["missing"]
    assert summaries_of(catalog, [video]) == {video.key: Summary(3, None, 0)}


def test_a_result_that_does_not_pass_its_check_has_failed_until_something_changes(catalog: Catalog) -> None:
    video = register(catalog, "/one.mp4")
    analyse(catalog, video.key, invalid=0.9)

    assert states(catalog, video) == ["failed"]
    assert summaries_of(catalog, [video]) == {video.key: Summary(100, None, 0.9)}
    assert states(catalog, register(catalog, "/one.mp4", stamp="2")) == ["stale"]


def test_a_bad_video_is_in_quarantine_whatever_was_made_of_it_before(catalog: Catalog) -> None:
    analyse(catalog, register(catalog, "/one.mp4").key)
    quarantine(catalog.database, register(catalog, "/one.mp4", stamp="2").key, "It is cut off.", "2")

    assert states(catalog, register(catalog, "/one.mp4", stamp="2")) == ["quarantined"]
    assert states(catalog, register(catalog, "/one.mp4", stamp="3")) == ["stale"]


@on_both_databases
def test_what_is_known_is_told(catalog: Catalog) -> None:
    one, other = register(catalog, "/one.mp4"), register(catalog, "/other.mp4")
    analyse(catalog, one.key, frames=25_000, static=0.25)

    assert summaries_of(catalog, [one, other]) == {one.key: Summary(25_000, 0.25, 0), other.key: Summary()}
