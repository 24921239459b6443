"""A data set's loop in figures, read from the catalog alone."""

from dataclasses import dataclass
from typing import Any

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.models.registry import ledger
from cv_pipelines.storage.bundles import Bundle

CHECKED = (
    "image_manifest",
    "labels",
    "dataset_splits",
    "model_evaluation",
    "predictions",
    "prediction_drift",
    "detection_evaluation",
)
"""Assets of a data set whose checks are told."""


@dataclass(frozen=True)
class Loop:
    """The current artefacts of a data set by asset; None where there is none yet.

    `champion_evaluation` is the champion's, while `trained_model` and `model_evaluation` are about
    the newest model; `refusal` says why that one is not the champion.
    """

    dataset: str
    bundles: dict[str, Bundle | None]
    refusal: str | None

    def facts(self, asset: str) -> dict[str, Any]:
        """Facts of an artefact, empty where there is none."""
        bundle = self.bundles[asset]
        return bundle.facts if bundle else {}


def read_loop(catalog: Catalog, dataset: str) -> Loop:
    """Read what a data set's assets stand for.

    Raises:
        InputError: there is no such data set, or nothing has been made of it yet.
    """
    find_dataset(catalog.database, dataset)
    checks = [f"{asset}/checks" for asset in CHECKED]
    found: dict[str, Bundle | None] = {}
    for asset in [*CHECKED, "trained_model", "champion_model", *checks]:
        reference = catalog.current(asset, dataset)
        found[asset] = catalog.open(reference) if reference else None
    if found["image_manifest"] is None:
        raise InputError("not_run", f"'{dataset}' has not run yet: cv-pipelines run {dataset}")
    champion = found["champion_model"]
    judged = catalog.newest("model_evaluation", f"{champion.version}-") if champion else None
    found["champion_evaluation"] = catalog.open(judged) if judged else None
    return Loop(dataset, found, _refusal(catalog, dataset, found["trained_model"], champion))


def _refusal(catalog: Catalog, dataset: str, trained: Bundle | None, champion: Bundle | None) -> str | None:
    """Why the newest model is not the champion, None where it is, or where there is none."""
    if trained is None or (champion is not None and champion.version == trained.version):
        return None
    entries = [one for one in ledger(catalog.database, dataset, "challenger") if one.model == trained.version]
    why = entries[0].why if entries else "it has not been judged yet."
    return f"The newest model, {trained.version}, is not the champion: {why}"


def summarise(loop: Loop) -> dict[str, Any]:
    """The figures of the report, all of them the champion's; None for what has not been made yet."""
    manifest, evaluation = loop.facts("image_manifest"), loop.facts("champion_evaluation")
    champion, images = loop.bundles["champion_model"], loop.bundles["image_manifest"]
    return {
        "dataset": loop.dataset,
        "images": manifest.get("images"),
        "quarantined": manifest.get("quarantined"),
        "duplicates": manifest.get("duplicates"),
        "accuracy": evaluation.get("accuracy"),
        "accuracy_low": evaluation.get("accuracy_low"),
        "accuracy_high": evaluation.get("accuracy_high"),
        "images_per_second": {
            "ingest": manifest.get("images_per_second"),
            "training": loop.facts("champion_model").get("images_per_second"),
            "prediction": loop.facts("predictions").get("images_per_second"),
        },
        "model_version": champion.version if champion else None,
        "dataset_version": images.version if images else None,
        "checks": checks_of(loop),
    }


def checks_of(loop: Loop) -> list[dict[str, Any]]:
    """Results of the checks of what is there now: the fields of CheckResult, and `asset`."""
    return [
        {"asset": asset, **result}
        for asset in CHECKED
        if _is_about(loop.bundles[f"{asset}/checks"], loop.bundles[asset])
        for result in loop.facts(f"{asset}/checks")["results"]
    ]


def _is_about(checks: Bundle | None, subject: Bundle | None) -> bool:
    return checks is not None and subject is not None and checks.version == subject.version
