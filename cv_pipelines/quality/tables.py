"""The tables that rules look at, by asset: a few columns each, made from artefacts."""

import numpy as np
import pandas as pd

from cv_pipelines.annotations.splits import SPLITS
from cv_pipelines.catalog import Catalog
from cv_pipelines.detections.evaluation import class_rows
from cv_pipelines.quality.label_tables import label_tables
from cv_pipelines.quality.motion_tables import MOTION_TABLES, Tables


def manifest_tables(catalog: Catalog, dataset: str) -> Tables:
    """`images`; `sides`, the shorter one of each image; `totals`, one row."""
    bundle = catalog.open(catalog.require("image_manifest", dataset))
    images = bundle.table("images").to_pandas()
    facts = bundle.facts
    totals = pd.DataFrame([{name: facts[name] for name in ("files", "quarantined")}])
    totals["quarantined_share"] = totals["quarantined"] / totals["files"].clip(lower=1)
    sides = images[["image_id"]].assign(short_side=images[["width", "height"]].min(axis=1))
    return {"images": images, "sides": sides, "totals": totals}


def split_tables(catalog: Catalog, dataset: str) -> Tables:
    """`assignments`; `pairs` of near duplicates with their splits; `cells` of class and split; `present`."""
    splits = catalog.open(catalog.require("dataset_splits", dataset))
    manifest = catalog.open(catalog.require("image_manifest", dataset))
    labels = catalog.open(catalog.require("labels", dataset))
    assignments = splits.table("assignments").to_pandas()
    present = assignments[assignments["present"]]
    placed = present[present["split"].notna()]
    split_of = placed.drop_duplicates("image_id").set_index("image_id")["split"]
    pairs = manifest.table("near_duplicates").to_pandas()
    pairs = pairs.assign(split=pairs["image_id"].map(split_of), other_split=pairs["other_id"].map(split_of))
    joined = placed.merge(labels.table("labels").to_pandas(), on="image_id")
    every = pd.MultiIndex.from_product([labels.facts["classes"], SPLITS], names=["label", "split"])
    cells = joined.groupby(["label", "split"]).size().reindex(every, fill_value=0)
    return {
        "assignments": assignments,
        "pairs": pairs.dropna(subset=["split", "other_split"]),
        "cells": cells.rename("images").reset_index(),
        "present": present.assign(in_a_split=present["split"].notna()),
    }


def evaluation_tables(catalog: Catalog, dataset: str) -> Tables:
    """`totals`, one row."""
    facts = catalog.open(catalog.require("model_evaluation", dataset)).facts
    row = {name: facts[name] for name in ("accuracy_low", "majority_share")}
    totals = pd.DataFrame([{**row, "calibration_error": facts["calibration"]["error"]}])
    return {"totals": totals.fillna(np.inf)}  # nothing is known of it: an expectation would skip a null


def prediction_tables(catalog: Catalog, dataset: str) -> Tables:
    """`images`, one row per image of the manifest or the predictions: whether it has just one prediction."""
    predictions = catalog.open(catalog.require("predictions", dataset)).table("predictions", ["image_id"])
    manifest = catalog.open(catalog.require("image_manifest", dataset)).table("images", ["image_id"])
    counts = predictions.to_pandas().groupby("image_id").size().rename("predictions")
    images = manifest.to_pandas().merge(counts, how="outer", on="image_id", indicator=True)
    images["just_one"] = (images["_merge"] == "both") & (images["predictions"] == 1)
    images["predictions"] = images["predictions"].fillna(0).astype(int)
    return {"images": images[["image_id", "predictions", "just_one"]]}


def drift_tables(catalog: Catalog, dataset: str) -> Tables:
    """`indices`, one row per quantity; none while there are too few images to say anything."""
    facts = catalog.open(catalog.require("prediction_drift", dataset)).facts
    indices = facts["indices"] if facts["images"] >= facts["enough"] else {}
    rows = pd.DataFrame({"quantity": list(indices), "index": list(indices.values())})
    return {"indices": rows.fillna({"index": np.inf})}


def detection_tables(catalog: Catalog, dataset: str) -> Tables:
    """`totals`, one row: all detections, and shares of those left out; `classes`, a row per class with objects."""
    facts = catalog.open(catalog.require("detection_evaluation", dataset)).facts
    elsewhere, unknown = facts["detections_on_unlabelled_images"], facts["detections_of_unknown_classes"]
    every = facts["detections"] + elsewhere + unknown
    shares = {"on_unlabelled_images": elsewhere / max(1, every), "of_unknown_classes": unknown / max(1, every)}
    classes = pd.DataFrame(class_rows(facts))
    return {"totals": pd.DataFrame([{"detections": every, **shares}]), "classes": classes[classes["objects"] > 0]}


TABLES = {
    "image_manifest": manifest_tables,
    "labels": label_tables,
    "dataset_splits": split_tables,
    "model_evaluation": evaluation_tables,
    "predictions": prediction_tables,
    "prediction_drift": drift_tables,
    "detection_evaluation": detection_tables,
    **MOTION_TABLES,
}
"""How to make the tables of each asset that has checks."""
