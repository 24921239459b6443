"""What each round has gained: models in their order, all judged on the present test split."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from statistics import mean
from typing import Any

from cv_pipelines.active_learning.queue import ASSET
from cv_pipelines.catalog import Catalog, Publication
from cv_pipelines.models.evaluation import evaluate, find_evaluation
from cv_pipelines.models.registry import Model, ledger, list_models
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.bundles import Reference

_EVERY = 1_000_000


@dataclass(frozen=True)
class Round:
    """A model, and what came before it.

    Attributes:
        model: its version.
        made_at: when it was entered.
        labels: the version of the labels that it has learned from.
        labelled: images by what their labels in this version are from.
        learned: images that it was trained on.
        asked: images of the queue before it, by strategy; empty: there was none.
        accuracy: on the present test split, None: not judged on it yet.
        macro_f1: the mean of the F1 of all classes, likewise.
        gain: accuracy more than that of the model before it.
        promoted: whether it has become champion at any time.
    """

    model: str
    made_at: datetime
    labels: str
    labelled: Mapping[str, int]
    learned: int
    asked: Mapping[str, int]
    accuracy: float | None
    macro_f1: float | None
    gain: float | None
    promoted: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def read_rounds(
    catalog: Catalog, dataset: str, last: int = 20, judge: bool = True, progress: Progress = silent
) -> list[Round]:
    """The newest models of a data set, oldest first.

    Args:
        catalog: where artefacts are.
        dataset: its name.
        last: how many of them.
        judge: those that nobody has judged on the present test split; else nothing is said of them.
        progress: told of models.

    Raises:
        InputError: see evaluate.
    """
    models = list(reversed(list_models(catalog.database, dataset)[: last + 1]))
    if not models:
        return []
    inputs = [catalog.require(asset, dataset) for asset in ("image_manifest", "labels", "dataset_splits")]
    figures = []
    for done, model in enumerate(models, start=1):
        figures.append(_judged(catalog, model.reference, inputs, judge))
        progress("judging models", done, len(models))
    histories = {
        asset: catalog.history(asset, dataset, limit=_EVERY) for asset in ("trained_model", "labels", ASSET)
    }
    promoted = {one.model for one in ledger(catalog.database, dataset) if one.action == "promote"}
    rounds = []
    for place, model in enumerate(models):
        accuracy, before = figures[place].get("accuracy"), figures[place - 1].get("accuracy") if place else None
        known = _before(catalog, model, histories)
        rounds.append(
            Round(
                model=model.version,
                made_at=model.created_at,
                **known,
                accuracy=accuracy,
                macro_f1=figures[place].get("macro_f1"),
                gain=accuracy - before if accuracy is not None and before is not None else None,
                promoted=model.version in promoted,
            )
        )
    return rounds[-last:]


def _judged(catalog: Catalog, model: Reference, inputs: Sequence[Reference], judge: bool) -> dict[str, float]:
    """Accuracy and macro F1; nothing where it was not judged."""
    manifest, labels, splits = inputs
    if judge:
        facts = evaluate(catalog, model, manifest, labels, splits).bundle.facts
    else:
        found = find_evaluation(catalog, model, manifest, labels, splits)
        if found is None:
            return {}
        facts = catalog.open(found).facts
    return {"accuracy": facts["accuracy"], "macro_f1": mean(one["f1"] for one in facts["per_class"].values())}


def _before(catalog: Catalog, model: Model, histories: Mapping[str, Sequence[Publication]]) -> dict[str, Any]:
    """What a model has learned from, and what people had been asked before."""
    bundle = catalog.open(model.reference)
    version = bundle.facts["data"]["labels"]
    made = [one.id for one in histories["trained_model"] if one.reference.version == model.version]
    labels = next((one.reference for one in histories["labels"] if one.reference.version == version), None)
    queue = next((one.reference for one in histories[ASSET] if made and one.id < made[-1]), None)
    return {
        "labels": version,
        "labelled": catalog.open(labels).facts.get("origins", {}) if labels else {},
        "learned": bundle.table("learned").num_rows,
        "asked": catalog.open(queue).facts["counts"] if queue else {},
    }
