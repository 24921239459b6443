import json

import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.models.registry import promote, register
from cv_pipelines.quality.rules import DATASET_RULES
from cv_pipelines.reports.summary import CHECKED, checks_of, read_loop, summarise
from cv_pipelines.storage.bundles import put_bundle

KEYS = [
    "dataset",
    "images",
    "quarantined",
    "duplicates",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "images_per_second",
    "model_version",
    "dataset_version",
    "checks",
]


def test_before_anything_was_made_there_is_no_report(catalog: Catalog) -> None:
    add_dataset(catalog.database, "pets", "/nowhere")
    with pytest.raises(InputError, match="has not run yet"):
        read_loop(catalog, "pets")


def test_what_was_not_made_is_none(catalog: Catalog) -> None:
    add_dataset(catalog.database, "pets", "/nowhere")
    facts = {"images": 3, "quarantined": 0, "duplicates": 0, "images_per_second": 5.0}
    catalog.publish("image_manifest", "pets", put_bundle(catalog.store, "image_manifest", "m", facts, {}))
    found = summarise(read_loop(catalog, "pets"))
    assert list(found) == KEYS
    assert found["images"] == 3
    assert found["images_per_second"] == {"ingest": 5.0, "training": None, "prediction": None}
    assert (found["accuracy"], found["accuracy_low"], found["accuracy_high"]) == (None, None, None)
    assert (found["model_version"], found["dataset_version"], found["checks"]) == (None, "m", [])


def test_a_finished_loop_in_figures(finished: Catalog) -> None:
    found = summarise(read_loop(finished, "pets"))
    assert list(found) == KEYS
    checks = found.pop("checks")
    assert found == {
        "dataset": "pets",
        "images": 4,
        "quarantined": 1,
        "duplicates": 2,
        "accuracy": 0.5,
        "accuracy_low": 0.125,
        "accuracy_high": 0.875,
        "images_per_second": {"ingest": 1234.5, "training": 500.0, "prediction": 99.0},
        "model_version": "trained_model-3",
        "dataset_version": "image_manifest-3",
    }
    assert [(check["asset"], check["name"], check["passed"]) for check in checks] == [
        ("labels", "formats", True),
        ("labels", "images_per_class", False),
        ("labels", "class_balance", False),
    ]
    assert set(checks[0]) == {"asset", "name", "passed", "blocking", "message", "failing", "rows"}
    assert json.loads(json.dumps(checks)) == checks


def test_figures_are_those_of_the_newest_artefacts(finished: Catalog) -> None:
    facts = {"images": 5, "quarantined": 0, "duplicates": 0}
    finished.publish("image_manifest", "pets", put_bundle(finished.store, "image_manifest", "new", facts, {}))
    found = summarise(read_loop(finished, "pets"))
    assert (found["images"], found["dataset_version"]) == (5, "new")
    assert found["images_per_second"]["ingest"] is None
    assert found["model_version"] == "trained_model-3"


def test_a_model_that_was_not_promoted_lends_the_report_no_figure(finished: Catalog) -> None:
    weak = put_bundle(finished.store, "trained_model", "weak", {"images_per_second": 1.0}, {})
    finished.publish("trained_model", "pets", weak)
    judged = put_bundle(finished.store, "model_evaluation", "weak-test", {"accuracy": 0.01}, {})
    finished.once("model_evaluation", {"model": "weak"}, lambda _: judged)
    finished.publish("model_evaluation", "pets", judged)
    promote(finished.database, register(finished.database, "pets", weak), "challenger", "run", "It is worse.", {})
    loop = read_loop(finished, "pets")
    assert summarise(loop)["accuracy"] == 0.5
    assert summarise(loop)["model_version"] == "trained_model-3"
    assert summarise(loop)["images_per_second"]["training"] == 500.0
    assert loop.refusal == "The newest model, weak, is not the champion: It is worse."


def test_checks_of_an_earlier_version_are_not_shown_as_those_of_this_one(finished: Catalog) -> None:
    labels = put_bundle(finished.store, "labels", "labels-4", {"counts": {}}, {})
    finished.publish("labels", "pets", labels)
    assert checks_of(read_loop(finished, "pets")) == []


def test_a_data_set_that_there_is_not_is_the_callers_mistake(catalog: Catalog) -> None:
    with pytest.raises(InputError, match="no data set 'pets'") as caught:
        read_loop(catalog, "pets")
    assert caught.value.code == "no_dataset"


def test_the_checks_of_all_assets_of_data_sets_are_shown() -> None:
    assert set(CHECKED) == set(DATASET_RULES)
