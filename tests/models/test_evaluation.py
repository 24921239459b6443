from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.models import metrics
from cv_pipelines.models.evaluation import evaluate
from cv_pipelines.storage.bundles import Bundle, Reference, put_bundle, put_table

Inputs = tuple[Reference, Reference, Reference]


@pytest.fixture(scope="module")
def evaluation(colours: Catalog, inputs: Inputs, trained: Reference) -> Bundle:
    return evaluate(colours, trained, *inputs).bundle


@pytest.fixture(scope="module")
def answers(evaluation: Bundle) -> pd.DataFrame:
    return evaluation.table("answers").to_pandas()


def test_every_image_of_the_test_split_is_answered_in_order(
    colours: Catalog, inputs: Inputs, answers: pd.DataFrame
) -> None:
    assigned = colours.open(inputs[2]).table("assignments").to_pylist()
    labels = {row["image_id"]: row["label"] for row in colours.open(inputs[1]).table("labels").to_pylist()}
    assert answers["image_id"].tolist() == [row["image_id"] for row in assigned if row["split"] == "test"]
    assert answers["label"].tolist() == [labels[image] for image in answers["image_id"]]


def test_what_is_predicted_is_the_most_probable_class_of_the_model(answers: pd.DataFrame) -> None:
    probabilities = np.stack(answers["probabilities"].to_list())
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    classes = np.array(["blue", "green", "red"])
    assert answers["predicted"].tolist() == classes[probabilities.argmax(axis=1)].tolist()


def test_the_facts_follow_from_the_answers(evaluation: Bundle, answers: pd.DataFrame, trained: Reference) -> None:
    facts, classes = evaluation.facts, ["blue", "green", "red"]
    correct = (answers["label"] == answers["predicted"]).to_numpy()
    assert correct.mean() > 0.9
    assert facts["model"] == trained.version
    assert facts["images"] == len(answers)
    assert facts["classes"] == facts["confusion"]["classes"] == classes
    assert facts["accuracy"] == pytest.approx(correct.mean())
    assert (facts["accuracy_low"], facts["accuracy_high"]) == metrics.bootstrap_interval(correct.astype(int))
    assert facts["majority_share"] == answers["label"].value_counts().max() / len(answers)
    truth = np.array([classes.index(label) for label in answers["label"]])
    expected = metrics.calibration(truth, np.stack(answers["probabilities"].to_list()).astype(float))
    assert facts["calibration"]["error"] == pytest.approx(expected["error"], abs=1e-6)
    table = pd.crosstab(answers["label"], answers["predicted"]).reindex(classes, fill_value=0)
    assert facts["confusion"]["counts"] == table.reindex(columns=classes, fill_value=0).to_numpy().tolist()


def test_slices_are_by_class_source_and_size(
    colours: Catalog, inputs: Inputs, evaluation: Bundle, answers: pd.DataFrame
) -> None:
    images = colours.open(inputs[0]).table("images").to_pandas().set_index("image_id").loc[answers["image_id"]]
    slices = evaluation.facts["slices"]
    assert set(slices) == {"class", "source", "size"}
    groups = images["source_group"].replace("", ".").value_counts().to_dict()
    assert groups.keys() == {".", "indoors"}
    assert {part: figures["images"] for part, figures in slices["source"].items()} == groups
    for division in slices.values():
        assert sum(part["images"] for part in division.values()) == len(answers)
    for name, figures in slices["class"].items():
        right = answers[answers["label"] == name]
        assert figures["recall"] == pytest.approx((right["predicted"] == name).mean())
    sides = images["width"].astype(int)
    assert slices["size"]["large"]["images"] == (sides == 20).sum()


def test_the_same_model_and_test_are_judged_once(colours: Catalog, inputs: Inputs, trained: Reference) -> None:
    evaluate(colours, trained, *inputs)
    again = evaluate(colours, trained, *inputs)
    assert again.reused
    assert again.reference.version.startswith(f"{trained.version}-")


def test_a_class_that_the_model_does_not_know_has_no_recall(
    own_colours: Catalog,
    inputs: Inputs,
    always: Callable[..., Reference],
    relabel: Callable[..., Reference],
    answers: pd.DataFrame,
) -> None:
    manifest, labels, splits = inputs
    reds = answers.loc[answers["label"] == "red", "image_id"].tolist()
    labels = relabel(own_colours, labels, dict.fromkeys(reds[:2], "pink"))
    found = evaluate(own_colours, always(own_colours, "red"), manifest, labels, splits).bundle.facts
    assert found["confusion"]["classes"] == ["blue", "green", "red", "pink"]
    assert found["per_class"]["pink"] == {"precision": 0, "recall": 0, "f1": 0, "images": 2}
    assert found["confusion"]["counts"][3] == [0, 0, 2, 0]
    assert found["accuracy"] == pytest.approx((len(reds) - 2) / len(answers))
    assert found["slices"]["class"]["pink"] == {"images": 2, "recall": 0.0}


def test_classes_are_matched_by_name_and_not_by_place(
    own_colours: Catalog, inputs: Inputs, always: Callable[..., Reference], answers: pd.DataFrame
) -> None:
    model = always(own_colours, "red", ("red", "green", "blue"))
    found = evaluate(own_colours, model, *inputs).bundle
    assert set(found.table("answers")["predicted"].to_pylist()) == {"red"}
    assert found.facts["accuracy"] == pytest.approx((answers["label"] == "red").mean())


def test_another_test_split_is_judged_anew(
    own_colours: Catalog, inputs: Inputs, always: Callable[..., Reference], relabel: Callable[..., Reference]
) -> None:
    manifest, labels, splits = inputs
    model = always(own_colours, "red")
    first = evaluate(own_colours, model, manifest, labels, splits)
    everything = own_colours.open(labels).table("labels")["image_id"].to_pylist()
    second = evaluate(
        own_colours, model, manifest, relabel(own_colours, labels, dict.fromkeys(everything, "red")), splits
    )
    assert second.reference.version != first.reference.version
    assert second.bundle.facts["accuracy"] == 1.0


def test_images_that_the_manifest_does_not_have_are_the_callers_mistake(
    own_colours: Catalog, inputs: Inputs, always: Callable[..., Reference]
) -> None:
    manifest, labels, splits = inputs
    half = own_colours.open(manifest).table("images").slice(0, 36)
    parts = {"images": put_table(own_colours.store, half)}
    smaller = put_bundle(own_colours.store, "image_manifest", "half", {}, parts)
    with pytest.raises(InputError, match="labelled images are not in the manifest") as caught:
        evaluate(own_colours, always(own_colours, "red"), smaller, labels, splits)
    assert caught.value.code == "missing_images"
