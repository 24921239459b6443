"""Letting a new model through the gate, and writing down what it said."""

from dataclasses import asdict
from typing import Any

from cv_pipelines.catalog import Catalog
from cv_pipelines.models.evaluation import evaluate
from cv_pipelines.models.gate import Comparison, compare, first_model
from cv_pipelines.models.registry import Model, find_model, ledger, promote, register, standing
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.bundles import Bundle, Reference

_FIGURES = ("accuracy", "accuracy_low", "accuracy_high", "images", "splits")


def consider(
    catalog: Catalog,
    dataset: str,
    challenger: Reference,
    manifest: Reference,
    labels: Reference,
    splits: Reference,
    who: str,
    progress: Progress = silent,
) -> tuple[Reference | None, Comparison]:
    """Enter a model into the registry and promote it if the gate lets it through.

    Champion and challenger are both judged on the present test split, whatever they were judged on
    before.

    Returns:
        The champion afterwards (None: there is none), and what the gate said.
    """
    model = register(catalog.database, dataset, challenger)
    new = evaluate(catalog, challenger, manifest, labels, splits, progress).bundle
    champion = standing(catalog.database, dataset, "champion")
    if champion == challenger.version:
        return challenger, Comparison("keep", ["It is the champion already."])
    if champion is None:
        old_reference, answer = None, first_model(new.facts)
    else:
        old_reference = find_model(catalog.database, f"{dataset}/{champion}").reference
        old = evaluate(catalog, old_reference, manifest, labels, splits, progress).bundle
        answer = compare(old.facts, new.facts, _answers(old), _answers(new))
        if any(entry.model == challenger.version for entry in ledger(catalog.database, dataset)):
            why_ask = "It has been champion before, and somebody put another in its place: a person decides."
            answer = Comparison("ask", [why_ask], answer.difference, answer.worse_slices)
    why, figures = " ".join(answer.reasons), _summary(new, answer)
    if answer.decision == "promote":
        promote(catalog.database, model, "champion", who, why, figures)
        return challenger, answer
    promote(catalog.database, model, "challenger", who, why, figures, action="challenge")
    return old_reference, answer


def compare_models(
    catalog: Catalog, champion: Model, challenger: Model, progress: Progress = silent
) -> tuple[tuple[Bundle, Bundle], Comparison]:
    """Judge two models on the present test split of the challenger's data set, without consequences.

    Raises:
        InputError: the data set has no splits yet.
    """
    dataset = challenger.dataset
    manifest = catalog.require("image_manifest", dataset)
    labels = catalog.require("labels", dataset)
    splits = catalog.require("dataset_splits", dataset)
    old = evaluate(catalog, champion.reference, manifest, labels, splits, progress).bundle
    new = evaluate(catalog, challenger.reference, manifest, labels, splits, progress).bundle
    return (old, new), compare(old.facts, new.facts, _answers(old), _answers(new))


def newest_figures(catalog: Catalog, model: Model) -> dict[str, Any]:
    """A model's newest evaluation, in short; empty where there is none."""
    newest = catalog.newest("model_evaluation", f"{model.version}-")
    facts = catalog.open(newest).facts if newest else {}
    return {name: facts[name] for name in _FIGURES if name in facts}


def _answers(evaluation: Bundle) -> Any:
    return evaluation.table("answers", ["image_id", "label", "predicted"]).to_pandas()


def _summary(evaluation: Bundle, answer: Comparison) -> dict[str, Any]:
    return {**{name: evaluation.facts[name] for name in _FIGURES}, "comparison": asdict(answer)}
