"""The definitions as a whole: a snapshot of the graph, and what every asset must carry."""

from collections.abc import Iterator

import pytest
from dagster import AssetKey, AssetsDefinition, Definitions, RetryPolicy

from cv_pipelines.execution.failures import STEP_RETRIES
from cv_pipelines.quality.rules import RULES

GRAPH = {
    "image_manifest": ("datasets", []),
    "labels": ("annotations", ["image_manifest"]),
    "dataset_splits": ("annotations", ["image_manifest", "labels"]),
    "trained_model": ("models", ["dataset_splits", "image_manifest", "labels"]),
    "model_evaluation": ("models", ["dataset_splits", "image_manifest", "labels", "trained_model"]),
    "champion_model": (
        "models",
        ["dataset_splits", "image_manifest", "labels", "model_evaluation", "trained_model"],
    ),
    "predictions": ("inference", ["champion_model", "image_manifest"]),
    "prediction_drift": ("inference", ["champion_model", "image_manifest", "predictions"]),
    "image_embeddings": ("inference", ["champion_model", "image_manifest"]),
    "label_queue": (
        "annotations",
        ["champion_model", "image_embeddings", "image_manifest", "labels", "predictions"],
    ),
    "detection_evaluation": ("detections", ["image_manifest", "labels"]),
    "task_predictions": ("inference", []),
    "video_catalog": ("motion", []),
    "camera_motion": ("motion", ["video_catalog"]),
    "motion_regions": ("motion", ["camera_motion"]),
    "static_thumbnails": ("motion", ["motion_regions", "video_catalog"]),
    "static_proof": ("motion", ["static_thumbnails"]),
}
OF_ALL = {"static_proof"}
"""Assets that are about several partitions."""
WITHOUT_STEP = {"task_predictions"}
"""Assets that a job of tasks reports on, and nobody can ask for."""


@pytest.fixture(scope="module")
def defs() -> Definitions:
    from cv_pipelines.definitions import defs

    return defs


def assets_of(defs: Definitions) -> Iterator[AssetsDefinition]:
    yield from (asset for asset in defs.assets or [] if isinstance(asset, AssetsDefinition))


def test_the_graph_of_assets_is_the_agreed_one(defs: Definitions) -> None:
    found = {
        spec.key.to_user_string(): (spec.group_name, sorted(dep.asset_key.to_user_string() for dep in spec.deps))
        for spec in defs.resolve_all_asset_specs()
    }
    assert found == GRAPH


def test_every_asset_says_what_it_is_and_whose(defs: Definitions) -> None:
    for spec in defs.resolve_all_asset_specs():
        assert spec.description
        assert spec.owners == ["team:computer-vision"]
        assert spec.kinds
        if spec.key.to_user_string() in WITHOUT_STEP:
            continue
        assert spec.code_version
        if spec.key.to_user_string() in OF_ALL:
            assert spec.partitions_def is None
            continue
        assert spec.partitions_def is not None
        expected = "video" if spec.group_name == "motion" else "dataset"
        assert spec.partitions_def.name == expected  # type: ignore[attr-defined]


def test_every_step_carries_the_one_retry_policy(defs: Definitions) -> None:
    policies: dict[str, list[RetryPolicy | None]] = {
        asset.node_def.name: [op.retry_policy for op in asset.node_def.iterate_op_defs()]
        for asset in assets_of(defs)
    }
    assert set(policies) == set(GRAPH) - WITHOUT_STEP
    assert {asset for asset, steps in policies.items() if len(steps) > 1} == {"camera_motion"}
    assert all(policy == STEP_RETRIES for steps in policies.values() for policy in steps)
    for check in defs.asset_checks or []:
        assert check.op.retry_policy == STEP_RETRIES
    for job in (
        "loop",
        "sync",
        "label",
        "train",
        "learn",
        "ask",
        "predict",
        "evaluate_detections",
        "analyse_motion",
    ):
        assert defs.resolve_job_def(job).op_retry_policy == STEP_RETRIES
    for job in ("classify_images", "exercise"):
        ops = [op for node in defs.resolve_job_def(job).nodes for op in node.definition.iterate_op_defs()]
        assert [op.retry_policy for op in ops] == [STEP_RETRIES]


def test_each_rule_is_a_check_that_blocks_where_the_rule_does(defs: Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for asset, rules in RULES.items():
        keys = graph.get_check_keys_for_assets({AssetKey(asset)})
        found = {key.name: graph.get_check_spec(key).blocking for key in keys}
        assert found == {rule.name: rule.blocking for rule in rules}


def test_a_loop_of_any_size_takes_few_steps(defs: Definitions) -> None:
    assert len(defs.resolve_job_def("loop").graph.node_dict) <= 20
