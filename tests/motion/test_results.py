"""A result is current as long as the same inputs would make it again."""

import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.motion.parameters import MotionParameters
from cv_pipelines.motion.results import MOTION, MotionResult, find_results, motion_inputs
from cv_pipelines.storage.bundles import Reference, put_bundle
from cv_pipelines.videos.archive import ArchivedVideo, register_videos
from cv_pipelines.videos.listing import ListedVideo
from tests.servers import on_both_databases

USUAL, COARSE = MotionParameters(), MotionParameters(stride=10)


def register(catalog: Catalog, name: str, stamp: str) -> ArchivedVideo:
    ((registered,),) = register_videos(catalog.database, [ListedVideo(f"/films/{name}", name, 5, stamp=stamp)])
    return registered.video


def analyse(catalog: Catalog, video: ArchivedVideo, parameters: MotionParameters, content: str) -> Reference:
    inputs = motion_inputs(video.address, video.stamp, parameters)
    made = catalog.once(MOTION, inputs, lambda _: put_bundle(catalog.store, MOTION, content, {}, {})).reference
    catalog.publish(MOTION, video.key, made)
    return made


@on_both_databases
def test_a_result_is_current_until_the_video_has_another_version(catalog: Catalog) -> None:
    one, other = register(catalog, "one.mp4", "1"), register(catalog, "other.mp4", "1")
    assert find_results(catalog, [one, other], USUAL) == {}

    made = analyse(catalog, one, USUAL, "a")

    assert find_results(catalog, [one, other], USUAL) == {one.key: MotionResult(made, is_current=True)}
    changed = register(catalog, "one.mp4", "2")
    assert find_results(catalog, [changed, other], USUAL) == {one.key: MotionResult(made, is_current=False)}
    again = analyse(catalog, changed, USUAL, "b")
    assert find_results(catalog, [changed], USUAL) == {one.key: MotionResult(again, is_current=True)}


def test_a_result_is_not_current_where_other_parameters_or_other_code_made_it(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = register(catalog, "one.mp4", "1")
    analyse(catalog, video, COARSE, "a")
    assert find_results(catalog, [video], COARSE)[video.key].is_current
    assert not find_results(catalog, [video], USUAL)[video.key].is_current

    analyse(catalog, video, USUAL, "b")
    assert find_results(catalog, [video], USUAL)[video.key].is_current
    assert not find_results(catalog, [video], COARSE)[video.key].is_current

    monkeypatch.setattr("cv_pipelines.motion.analysis.CODE_VERSION", "next")
    assert not find_results(catalog, [video], USUAL)[video.key].is_current


def test_two_videos_with_the_same_result_both_have_it(catalog: Catalog) -> None:
    videos = [register(catalog, name, "1") for name in ("one.mp4", "copy.mp4")]
    made = [analyse(catalog, video, USUAL, "the same") for video in videos]

    found = find_results(catalog, videos, USUAL)

    assert [found[video.key] for video in videos] == [MotionResult(one, is_current=True) for one in made]
