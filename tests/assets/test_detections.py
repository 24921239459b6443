"""The asset `detection_evaluation`, run as its job does."""

import json
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance, Definitions, ExecuteInProcessResult, in_process_executor

from assets.annotations import labels
from assets.checks import make_checks
from assets.datasets import image_manifest
from assets.detections import detection_evaluation
from cv_pipelines.catalog import Catalog
from cv_pipelines.detections.importing import import_detections
from cv_pipelines.jobs import evaluate_detections
from cv_pipelines.partitions import DATASETS
from cv_pipelines.storage.local import LocalStore
from resources.catalog import CatalogResource
from resources.database import DatabaseResource
from resources.machine import MachineResource
from resources.manifest_io import ManifestIOManager
from resources.store import StoreResource
from tests.assets.motion_runs import checks, failure, materialized
from tests.detections.street import BOXES, STREET, label_street, make_street

ASSET = "detection_evaluation"


@pytest.fixture
def street(catalog: Catalog) -> Catalog:
    """The data set `street`, with labels."""
    make_street(catalog)
    label_street(catalog)
    return catalog


def evaluate(catalog: Catalog) -> ExecuteInProcessResult:
    """Run the job."""
    assert isinstance(catalog.store, LocalStore)
    url = catalog.database.url.render_as_string(hide_password=False)
    resource = CatalogResource(
        database=DatabaseResource(url=url), store=StoreResource(url=catalog.store.root.as_uri())
    )
    definitions = Definitions(
        assets=[image_manifest, labels, detection_evaluation],
        asset_checks=[make_checks(ASSET, DATASETS)],
        jobs=[evaluate_detections],
        resources={
            "catalog": resource,
            "io_manager": ManifestIOManager(catalog=resource),
            "machine": MachineResource(workers=1, cache=""),
        },
        executor=in_process_executor,
    )
    with DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("dataset", [STREET])
        job = definitions.resolve_job_def("evaluate_detections")
        return job.execute_in_process(instance=instance, partition_key=STREET, raise_on_error=False)


def take_in(catalog: Catalog, folder: Path, results: list[dict[str, Any]]) -> None:
    """Import detections."""
    file = folder / "yolo.json"
    file.write_text(json.dumps(results))
    assert import_detections(catalog, STREET, file).reference


def results(*left_out: str) -> list[dict[str, Any]]:
    """All that is labelled but some classes, a pixel beside its place."""
    names = {"i1": "north/0001", "i3": "0002"}
    return [
        {
            "image_id": names[image],
            "category_id": box.label,
            "bbox": [box.left + 1, *box[2:5]],
            "score": 0.5,
        }
        for image, boxes in BOXES.items()
        for box in boxes
        if box.label not in left_out
    ]


def test_what_the_ui_shows(street: Catalog, tmp_path: Path) -> None:
    take_in(street, tmp_path, results())

    run = evaluate(street)

    assert run.success
    told = materialized(run)[ASSET].metadata
    assert str(told["preview"].value).startswith("![preview](data:image/png;base64,")
    assert (told["AP50"].value, told["voc_ap_all_points"].value, told["objects"].value) == (1, 1, 4)
    assert 0.5 < float(told["AP"].value) < 1  # type: ignore[arg-type]
    assert "AP_large" in told
    first = told["classes"].value.records[0].data  # type: ignore[union-attr]
    assert (first["class"], first["objects"], first["AP50"]) == ("car", 3, 1)
    assert checks(run) == {
        "detections_of_labelled_images": True,
        "detections_of_known_classes": True,
        "every_class_is_detected": True,
    }
    assert evaluate(street).success
    assert len(street.history(ASSET, STREET)) == 2
    assert len({one.reference for one in street.history(ASSET, STREET)}) == 1, "judged once"


def test_checks_warn_and_stop_nothing(street: Catalog, tmp_path: Path) -> None:
    elsewhere = {"image_id": "south/0001", "category_id": "car", "bbox": [1, 2, 3, 4], "score": 0.1}
    take_in(street, tmp_path, [*results("traffic_light"), elsewhere])

    run = evaluate(street)

    assert run.success
    assert {name for name, passed in checks(run).items() if not passed} == {
        "detections_of_labelled_images",
        "every_class_is_detected",
    }


def test_without_detections_it_says_what_to_do(street: Catalog) -> None:
    assert f"cv-pipelines detections import {STREET} FILE" in failure(evaluate(street), ASSET)


def test_labels_without_boxes_are_refused(street: Catalog, tmp_path: Path) -> None:
    take_in(street, tmp_path, results())
    label_street(street, {image: [] for image in BOXES})

    assert "no boxes" in failure(evaluate(street), ASSET)
