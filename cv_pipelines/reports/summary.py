"""A data set's loop in figures, read from the catalog alone."""

from dataclasses import dataclass
from typing import Any

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.storage.bundles import Bundle

CHECKED = (
    "image_manifest",
    "labels",
    "dataset_splits",
    "model_evaluation",
    "predictions",
    "prediction_drift",
)


@dataclass(frozen=True)
class Loop:
    """The current artefacts of a data set by asset; None where there is none yet."""

    dataset: str
    bundles: dict[str, Bundle | None]

    def facts(self, asset: str) -> dict[str, Any]:
        """Facts of an artefact, empty where there is none."""
        bundle = self.bundles[asset]
        return bundle.facts if bundle else {}


def read_loop(catalog: Catalog, dataset: str) -> Loop:
    """Read what a data set's assets stand for.

    Raises:
        InputError: there is no such data set.
    """
    find_dataset(catalog.database, dataset)
    checks = [f"{asset}/checks" for asset in CHECKED]
    assets = ["labels", "image_manifest", "dataset_splits", "trained_model", "model_evaluation"]
    found: dict[str, Bundle | None] = {}
    for asset in [*assets, "champion_model", "predictions", "prediction_drift", *checks]:
        reference = catalog.current(asset, dataset)
        found[asset] = catalog.open(reference) if reference else None
    return Loop(dataset, found)


def summarise(loop: Loop) -> dict[str, Any]:
    """The figures of the report; None for what has not been made yet."""
    manifest, evaluation = loop.facts("image_manifest"), loop.facts("model_evaluation")
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
            "training": loop.facts("trained_model").get("images_per_second"),
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
