"""Who learns from what: every labelled image is in one of training, validation and test, for good."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.hashing import VERSION_LENGTH, hash_rows
from cv_pipelines.storage.bundles import Reference, put_bundle, put_table

CODE_VERSION = "2"
SPLITS = ("train", "validation", "test")
ASSIGNMENTS = pa.schema(
    [("image_id", pa.string()), ("split", pa.string()), ("reason", pa.string()), ("present", pa.bool_())]
)
"""One row per image that ever had a split or is left out now, ordered by `image_id`.

`split` is null for an image left out (`reason` says why); `present`: it is labelled in this version.
"""


class SplitParameters(BaseModel):
    """How new images are shared out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(0, description="Another seed gives other splits to images not yet in one.")
    validation: float = Field(0.15, gt=0, lt=0.5, description="Share of each class that steers training.")
    test: float = Field(0.15, gt=0, lt=0.5, description="Share of each class that judges models.")

    def shares(self, given: Collection[str] = ()) -> dict[str, float]:
        """Share of each split that images without a wish go to, in the order in which ties are broken.

        Args:
            given: the splits that the source has of its own; a held-out one is not added to.
        """
        train = 1 - self.validation - self.test
        if {"validation", "test"} <= set(given):
            return {"train": 1.0}
        if {"validation", "test"} & set(given):
            return {"train": train, "validation": self.validation}
        return {"train": train, "test": self.test, "validation": self.validation}


@dataclass(frozen=True)
class Candidate:
    """A labelled image; `wanted` is the split that its source asks for."""

    image_id: str
    label: str
    wanted: str | None


def make_splits(
    catalog: Catalog,
    manifest: Reference,
    labels: Reference,
    previous: Reference | None,
    parameters: SplitParameters,
) -> Outcome:
    """Assign every labelled image; whatever the previous version says stands.

    Returns:
        An artefact with the part `assignments` (ASSIGNMENTS) and the facts `counts`, `left_out`.
    """

    def make(_: str) -> Reference:
        before = catalog.open(previous).table("assignments").to_pylist() if previous else []
        standing = {row["image_id"]: row["split"] for row in before if row["split"]}
        bundle = catalog.open(manifest)
        pairs = bundle.table("near_duplicates", ["image_id", "other_id"])
        images = bundle.table("images", ["image_id", "source_split"])
        candidates = _candidates(catalog.open(labels).table("labels"), images)
        neighbours = _neighbours(pairs["image_id"].to_pylist(), pairs["other_id"].to_pylist())
        shares = parameters.shares(set(images["source_split"].to_pylist()) - {None})
        assigned, left_out = assign(candidates, standing, neighbours, shares, parameters.seed)
        table = _table(candidates, assigned, left_out)
        counts = Counter(row["split"] for row in table.to_pylist() if row["present"] and row["split"])
        facts = {"counts": {name: counts[name] for name in SPLITS}, "left_out": len(left_out)}
        parts = {"assignments": put_table(catalog.store, table)}
        return put_bundle(catalog.store, "dataset_splits", hash_rows(table)[:VERSION_LENGTH], facts, parts)

    inputs = {
        "manifest": manifest.version,
        "labels": labels.version,
        "previous": previous.version if previous else None,
        "parameters": parameters.model_dump(),
        "code": CODE_VERSION,
    }
    return catalog.once("dataset_splits", inputs, make)


def assign(
    candidates: Sequence[Candidate],
    standing: Mapping[str, str],
    neighbours: Mapping[str, Sequence[str]],
    shares: Mapping[str, float],
    seed: int,
) -> tuple[dict[str, str], dict[str, str]]:
    """Give each new image the split of its near duplicates, else its source's, else its class's emptiest.

    Images with many near duplicates come first, so that those follow them: of the pages that all show
    the same, none is torn between two splits. Nothing follows a chain: a new image that links two
    splits is left out.

    Args:
        candidates: all labelled images of this version.
        standing: split of every image that ever had one.
        neighbours: near duplicates of an image.
        shares: of each class, by split; for images whose source asks for nothing.
        seed: decides the order of new images that have equally many near duplicates.

    Returns:
        The split of each image ever assigned, and why the others were left out.
    """
    assigned = dict(standing)
    left_out: dict[str, str] = {}
    taken: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in candidates:
        if one.image_id in assigned:
            taken[one.label][assigned[one.image_id]] += 1
    new = [one for one in candidates if one.image_id not in assigned]
    crowd = {one.image_id: len(neighbours.get(one.image_id, ())) for one in new}
    for one in sorted(new, key=lambda one: (-crowd[one.image_id], _lot(seed, one.image_id))):
        linked = {assigned[other] for other in neighbours.get(one.image_id, ()) if other in assigned}
        if len(linked) > 1:
            left_out[one.image_id] = f"shows the same as images in {' and '.join(sorted(linked))}"
            continue
        split = linked.pop() if linked else one.wanted or _emptiest(taken[one.label], shares)
        assigned[one.image_id] = split
        taken[one.label][split] += 1
    return assigned, left_out


def _emptiest(taken: Counter[str], shares: Mapping[str, float]) -> str:
    """The split that falls furthest short of its share once one more image is in."""
    total, whole = sum(taken[split] for split in shares) + 1, sum(shares.values())
    return max(shares, key=lambda split: shares[split] / whole * total - taken[split])


def _lot(seed: int, image_id: str) -> str:
    """An order that depends on seed and image alone, not on who else is there."""
    return hashlib.sha256(f"{seed}:{image_id}".encode()).hexdigest()


def _candidates(labels: pa.Table, images: pa.Table) -> list[Candidate]:
    wishes = dict(zip(images["image_id"].to_pylist(), images["source_split"].to_pylist(), strict=True))
    given = {wish for wish in wishes.values() if wish}
    rows = zip(labels["image_id"].to_pylist(), labels["label"].to_pylist(), strict=True)
    return [Candidate(image, label, _wish(wishes[image], given)) for image, label in rows]


def _wish(split: str | None, given: Collection[str]) -> str | None:
    """What the source's split means here.

    A source with training and one held-out split: the held-out one is the test, and validation is
    taken from training, since every model here is judged on images that did not steer it.
    """
    if {"validation", "test"} <= set(given):
        return split
    return "test" if split in ("validation", "test") else None


def _neighbours(first: Iterable[str], second: Iterable[str]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for one, other in zip(first, second, strict=True):
        found[one].append(other)
        found[other].append(one)
    return found


def _table(candidates: Sequence[Candidate], assigned: Mapping[str, str], left_out: Mapping[str, str]) -> pa.Table:
    present = {one.image_id for one in candidates}
    everyone = sorted(assigned.keys() | left_out.keys())
    columns = [
        everyone,
        [assigned.get(image) for image in everyone],
        [left_out.get(image, "") for image in everyone],
        [image in present for image in everyone],
    ]
    return pa.table(columns, schema=ASSIGNMENTS)
