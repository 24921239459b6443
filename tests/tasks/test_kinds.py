"""Kinds of tasks: what their parameters take, and which tasks may share a run."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import require_name
from cv_pipelines.tasks.kinds.classify_images import MAX_IMAGE_BYTES, ClassifyImagesParams
from cv_pipelines.tasks.kinds.dataset_assets import DatasetParams
from cv_pipelines.tasks.kinds.protocol import Params
from cv_pipelines.tasks.kinds.registry import KINDS, kind_of
from cv_pipelines.videos.archive import is_video_key, video_key

WAYS = ["classify_images", "ingest_dataset", "train_model", "predict_dataset", "analyse_motion", "sleep", "fail"]


def image(size: int) -> str:
    return base64.b64encode(bytes(size)).decode()


def taken(kind: str, params: dict[str, Any]) -> Params | None:
    try:
        return kind_of(kind).params.model_validate(params)
    except ValidationError:
        return None


def test_every_kind_is_found_by_its_name() -> None:
    assert [kind.name for kind in KINDS] == WAYS
    assert [kind_of(name).job for name in WAYS] == [
        "classify_images",
        "sync",
        "train",
        "predict",
        "analyse_motion",
        *["exercise"] * 2,
    ]


def test_a_kind_that_nobody_knows_is_told_with_those_that_there_are() -> None:
    with pytest.raises(
        InputError, match=r"'slee\ufffdp'; there are: classify_images, .*, sleep, fail\."
    ) as caught:
        kind_of("slee\0p")
    assert caught.value.code == "unknown_kind"


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        (
            "classify_images",
            {"dataset": "d", "uris": ["s3://b/k", "https://a/b", "file:///größe 1.png"], "top": 20},
        ),
        ("classify_images", {"dataset": "d", "image": image(MAX_IMAGE_BYTES)}),
        ("classify_images", {"dataset": "d", "image": image(1), "uris": []}),
        ("classify_images", {"dataset": "d", "image": None, "uris": ["http://a"] * 256}),
        ("ingest_dataset", {"dataset": "a.b_c-1"}),
        ("train_model", {"dataset": "d"}),
        ("train_model", {"dataset": "d", "parameters": {"epochs": 3, "dropout": 0, "mixed_precision": False}}),
        ("train_model", {"dataset": "d", "name": "First-try.2"}),
        ("train_model", {"dataset": "d", "name": None}),
        ("predict_dataset", {"dataset": "d"}),
        ("analyse_motion", {"video": "s3://b/größe 1.mp4"}),
        ("analyse_motion", {"video": "file:///films/a.mp4"}),
        ("analyse_motion", {"video": video_key("/films/a.mp4")}),
        ("sleep", {"seconds": 0}),
        ("sleep", {"seconds": 3600.0}),
        ("fail", {"source": "crash"}),
        ("fail", {"source": "resource", "times": 0, "message": "so"}),
    ],
)
def test_what_a_kind_needs_is_taken(kind: str, params: dict[str, Any]) -> None:
    parsed = taken(kind, params)

    assert parsed is not None
    assert kind_of(kind).params.model_validate(parsed.model_dump(mode="json")) == parsed


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("classify_images", {"dataset": "d"}),
        ("classify_images", {"dataset": "d", "uris": []}),
        ("classify_images", {"dataset": "d", "uris": ["s3://b/k"], "image": image(1)}),
        ("classify_images", {"dataset": "d", "uris": ["s3://b/k"] * 257}),
        ("classify_images", {"dataset": "d", "uris": ["ftp://b/k"]}),
        ("classify_images", {"dataset": "d", "uris": ["/etc/passwd"]}),
        ("classify_images", {"dataset": "d", "uris": ["s3://b/\0"]}),
        ("classify_images", {"dataset": "d", "uris": ["s3://b/k\n"]}),
        ("classify_images", {"dataset": "d", "uris": "s3://b/k"}),
        ("classify_images", {"dataset": "d", "uris": ["s3://b/k"], "top": 21}),
        ("classify_images", {"dataset": "d", "uris": ["s3://b/k"], "top": 5.0}),
        ("classify_images", {"dataset": "d", "uris": ["s3://b/k"], "top": True}),
        ("classify_images", {"dataset": "d", "image": image(MAX_IMAGE_BYTES + 1)}),
        ("classify_images", {"dataset": "d", "image": ""}),
        ("classify_images", {"dataset": "d", "image": "AA\n=="}),
        ("classify_images", {"dataset": "d", "image": "ä==="}),
        ("ingest_dataset", {}),
        ("ingest_dataset", {"dataset": "../d"}),
        ("ingest_dataset", {"dataset": "d\n"}),
        ("ingest_dataset", {"dataset": "d", "more": 1}),
        ("train_model", {"dataset": "d", "parameters": {"epoch": 3}}),
        ("train_model", {"dataset": "d", "parameters": {"epochs": "3"}}),
        ("train_model", {"dataset": "d", "parameters": {"epochs": 0}}),
        ("train_model", {"dataset": "d", "parameters": {"seed": 10**20}}),
        ("train_model", {"dataset": "d", "parameters": {"weights": "\0"}}),
        ("train_model", {"dataset": "d", "parameters": {"\ud800": 1}}),
        ("train_model", {"dataset": "d", "name": ""}),
        ("train_model", {"dataset": "d", "name": "a/b"}),
        ("train_model", {"dataset": "d", "name": "good\n"}),
        ("train_model", {"dataset": "d", "name": "c0ffee"}),
        ("train_model", {"dataset": "d", "name": "x" * 65}),
        ("analyse_motion", {}),
        ("analyse_motion", {"video": "/etc/passwd"}),
        ("analyse_motion", {"video": "a.mp4"}),
        ("analyse_motion", {"video": "ftp://b/a.mp4"}),
        ("analyse_motion", {"video": "s3://b/\0"}),
        ("analyse_motion", {"video": "s3://b/" + 2048 * "x"}),
        ("analyse_motion", {"video": video_key("/films/a.mp4") + "\n"}),
        ("sleep", {"seconds": -0.1}),
        ("sleep", {"seconds": float("nan")}),
        ("sleep", {"seconds": "1"}),
        ("sleep", {"seconds": True}),
        ("fail", {"source": "mine"}),
        ("fail", {"source": "input", "times": -1}),
        ("fail", {"source": "input", "message": "a\x7fb"}),
    ],
)
def test_anything_else_is_not(kind: str, params: dict[str, Any]) -> None:
    assert taken(kind, params) is None


@given(st.one_of(st.text(max_size=70), st.from_regex(r"[a-z0-9._\-]{0,70}\n?", fullmatch=True)))
def test_a_data_set_is_named_as_the_platform_names_it(name: str) -> None:
    try:
        require_name(name)
    except InputError:
        assert taken("ingest_dataset", {"dataset": name}) is None
    else:
        assert taken("ingest_dataset", {"dataset": name}) == DatasetParams(dataset=name)


@given(st.text(min_size=1, max_size=80))
def test_a_video_is_named_by_its_key_as_the_archive_names_it(name: str) -> None:
    for key in (video_key(f"/{name}"), f"{name}~0123456789ab"):
        assert (taken("analyse_motion", {"video": key}) is not None) == is_video_key(key)


def test_the_result_of_an_analysis_tells_what_its_run_has_made() -> None:
    made: list[dict[str, Any]] = [
        {"asset": "camera_motion", "version": "1", "facts": {"frames": 90, "invalid_share": 0.25}},
        {
            "asset": "motion_regions",
            "version": "2",
            "facts": {"static": 1, "seconds_static": 2.0, "seconds_cut": 1},
        },
    ]

    result = kind_of("analyse_motion").outcome("a~0123456789ab", made)

    assert kind_of("analyse_motion").result.model_validate(result).model_dump(mode="json") == {
        "key": "a~0123456789ab",
        "frames": 90,
        "valid_share": 0.75,
        "seconds": {"static": 2.0, "cut": 1.0},
        "materializations": made,
    }


def test_tasks_share_a_run_where_their_kind_lets_them() -> None:
    def key(kind: str, task: str, params: dict[str, Any]) -> str:
        return kind_of(kind).batch_key(task, kind_of(kind).params.model_validate(params))

    one = {"dataset": "a", "uris": ["s3://b/1"]}
    assert key("classify_images", "1", one) == key("classify_images", "2", {"dataset": "a", "image": "AA=="})
    assert key("classify_images", "1", one) != key("classify_images", "1", {**one, "dataset": "b"})
    assert key("sleep", "1", {"seconds": 1}) == key("sleep", "2", {"seconds": 2})
    assert key("train_model", "1", {"dataset": "a"}) != key("train_model", "2", {"dataset": "a"})
    assert {kind.name: kind.most for kind in KINDS if kind.together is None} == dict.fromkeys(WAYS[1:5], 1)


def test_an_image_in_a_message_is_kept_as_it_came() -> None:
    parsed = ClassifyImagesParams(dataset="d", image=image(5))

    assert parsed.image == image(5)
    assert parsed.top == 5
