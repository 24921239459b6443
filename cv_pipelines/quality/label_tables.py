"""The tables that the rules of labels look at."""

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from cv_pipelines.annotations.checks import Finding, Rules, check_one
from cv_pipelines.annotations.consensus import Consensus, consensus_of
from cv_pipelines.annotations.labels import read_annotations
from cv_pipelines.annotations.opinions import in_short
from cv_pipelines.annotations.store.opinions import read_opinions
from cv_pipelines.catalog import Catalog
from cv_pipelines.images.names import ImageNames
from cv_pipelines.quality.motion_tables import Tables
from cv_pipelines.quality.results import MOST_FINDINGS
from cv_pipelines.settings import load_settings
from cv_pipelines.storage.bundles import Bundle


def label_tables(catalog: Catalog, dataset: str) -> Tables:
    """What rules of labels look at.

    Returns:
        `labels`, one row per image with just one class; `labelled`, one row per labelled image; `vocabulary`, one
        row per class of the label set; `findings`, the first ones of each kind of what is wrong with objects, and
        of images in dispute, with the `total` of their kind; `agreement`, one row.
    """
    bundle = catalog.open(catalog.require("labels", dataset))
    manifest = catalog.open(catalog.require("image_manifest", dataset))
    known = manifest.table("images", ["image_id"])["image_id"].to_pylist()
    labels = bundle.table("labels").to_pandas()
    labels["known_class"] = labels["label"].isin(bundle.facts["classes"])
    labelled = _labelled(bundle)
    labelled["known_image"] = labelled["image_id"].isin(known)
    # as people see it now: a verdict may leave the labels, and with them their version, as they were
    consensus = consensus_of(read_opinions(catalog.database, dataset, frozenset(known)))
    findings = _Findings()
    for one in _wrong_objects(bundle, manifest):
        findings.add(one)
    for one in _disputes(consensus, catalog, dataset):
        findings.add(one)
    findings.counts["dispute"] = consensus.disputed  # of which not all are kept
    return {
        "labels": labels,
        "labelled": labelled,
        "vocabulary": _vocabulary(bundle),
        "findings": findings.table(),
        "agreement": _agreement(consensus),
    }


class _Findings:
    """All counted, the first ones of each kind kept."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._kept: list[Finding] = []

    def add(self, one: Finding) -> None:
        self.counts[one.code] += 1
        if self.counts[one.code] <= MOST_FINDINGS:
            self._kept.append(one)

    def table(self) -> pd.DataFrame:
        rows = [(one.code, one.image, one.message, self.counts[one.code]) for one in self._kept]
        return pd.DataFrame(rows, columns=["code", "image", "problem", "total"])


def _labelled(bundle: Bundle) -> pd.DataFrame:
    part = "annotations" if "annotations" in bundle.parts else "labels"
    return pd.DataFrame({"image_id": bundle.table(part, ["image_id"])["image_id"].to_pylist()})


def _vocabulary(bundle: Bundle) -> pd.DataFrame:
    classes, counts = bundle.facts["classes"], bundle.facts["counts"]
    vocabulary = pd.DataFrame({"label": classes, "images": [counts[name] for name in classes]})
    vocabulary["share_of_largest"] = vocabulary["images"] / max(1, vocabulary["images"].max() if classes else 1)
    vocabulary["folded"] = ["".join(name.casefold().split()) for name in classes]
    return vocabulary


def _wrong_objects(bundle: Bundle, manifest: Bundle) -> Iterator[Finding]:
    """What is wrong with boxes, and with images of several classes; those with one are in `labels`."""
    facts = bundle.facts
    strange = facts.get("several") and set(facts["counts"]) - set(facts["classes"])
    if not facts.get("objects") and not strange:
        return  # nothing but images with one class: they need not be read one by one
    rules = Rules(classes=frozenset(facts["classes"]))
    for one in read_annotations(bundle, manifest):
        if one.boxes or len(one.classes) > 1:
            yield from check_one(one, rules)


def _disputes(consensus: Consensus, catalog: Catalog, dataset: str) -> Iterator[Finding]:
    if not consensus.disputes:
        return
    names = ImageNames(catalog, dataset)
    for one in consensus.disputes:
        said = "; ".join(f"{who}: {in_short(label)}" for who, label in one.open.items())
        yield Finding("dispute", names.name_of(one.image), said)


def _agreement(consensus: Consensus) -> pd.DataFrame:
    allowed = load_settings().most_disputed
    row = {"images": consensus.images, "in_dispute": consensus.disputed, "allowed_share": allowed}
    return pd.DataFrame([{**row, "few": consensus.share <= allowed}])
