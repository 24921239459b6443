"""What a run has made of a training: the model, how good it is, and what the gate said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import reading
from cv_pipelines.database.tables import promotions, publications
from cv_pipelines.execution.run_progress import Curve, curve_of
from cv_pipelines.models.names import names_of
from cv_pipelines.models.registry import standing
from cv_pipelines.storage.bundles import Reference

MOST_CLASSES = 25
"""Of a confusion matrix that can be read."""
_SHADES = 9
_ASSETS = ("trained_model", "model_evaluation")


@dataclass(frozen=True)
class Cell:
    """Images of one class (its row) that the model takes for one class (its column).

    Attributes:
        count: of images.
        shade: from 0 to _SHADES, by the share of the row.
    """

    count: int
    shade: int


@dataclass(frozen=True)
class Evaluation:
    """How good a model is on the test images of its time.

    Attributes:
        accuracy, low, high: from 0 to 1, with the ends of the 95 % interval.
        images: in the test.
        classes: rows of `name`, `precision`, `recall`, `f1`, `images`, the smallest recall first.
        names: of the rows and columns of the confusion matrix; empty where there are too many to look at.
        confusion: rows by true class.
    """

    accuracy: float
    low: float
    high: float
    images: int
    classes: list[dict[str, Any]]
    names: list[str]
    confusion: list[list[Cell]]


@dataclass(frozen=True)
class Gate:
    """What the gate said: `promote`, `keep` or `ask`, and why."""

    decision: str
    reasons: list[str]


@dataclass(frozen=True)
class Outcome:
    """What there is of a training.

    Attributes:
        model: its version.
        names: what it is called.
        is_champion: whether it is the champion now.
        architecture: of it.
        worse: architectures that were tried as well, and validated worse.
        curve: of all epochs.
        evaluation, gate: None where the run did not get so far.
    """

    model: str
    names: list[str]
    is_champion: bool
    architecture: str
    worse: list[str]
    curve: Curve
    evaluation: Evaluation | None
    gate: Gate | None


def outcome_of(
    catalog: Catalog, dataset: str, run_id: str | None, facts: Mapping[str, Mapping[str, Any]]
) -> Outcome | None:
    """What a run has left; None where it has left no model.

    Args:
        catalog: where it is.
        dataset: its name.
        run_id: of the run; None: it never was.
        facts: of what the run has materialized, by the names of assets.
    """
    made = _published(catalog, dataset, run_id) if run_id else {}
    model, judged = (made.get(asset) for asset in _ASSETS)
    if model is None:
        return None
    card = catalog.open(model).facts
    return Outcome(
        model=model.version,
        names=list(names_of(catalog.database, dataset).get(model.version, ())),
        is_champion=standing(catalog.database, dataset, "champion") == model.version,
        architecture=card["architecture"],
        worse=[name for one in card.get("tried", ()) if (name := one["architecture"]) != card["architecture"]],
        curve=curve_of(card["history"]),
        evaluation=_evaluation(catalog.open(judged).facts) if judged else None,
        gate=_gate(catalog, dataset, model.version, run_id or "", facts.get("champion_model", {})),
    )


def _published(catalog: Catalog, dataset: str, run_id: str) -> dict[str, Reference]:
    newest = (
        select(func.max(publications.c.id))
        .where(publications.c.dataset == dataset, publications.c.asset.in_(_ASSETS))
        .where(publications.c.run_id == run_id)
        .group_by(publications.c.asset)
    )
    with reading(catalog.database) as connection:
        rows = connection.execute(select(publications).where(publications.c.id.in_(newest))).all()
    return {row.asset: Reference(row.kind, row.version, row.key) for row in rows}


def _evaluation(facts: Mapping[str, Any]) -> Evaluation:
    rows = [{"name": name, **figures} for name, figures in facts["per_class"].items()]
    names, counts = facts["confusion"]["classes"], facts["confusion"]["counts"]
    few = len(names) <= MOST_CLASSES
    return Evaluation(
        accuracy=facts["accuracy"],
        low=facts["accuracy_low"],
        high=facts["accuracy_high"],
        images=facts["images"],
        classes=sorted(rows, key=lambda row: (row["recall"], row["name"])),
        names=names if few else [],
        confusion=[_shaded(row) for row in counts] if few else [],
    )


def _shaded(counts: list[int]) -> list[Cell]:
    total = max(sum(counts), 1)
    return [Cell(count, -(-count * _SHADES // total)) for count in counts]


def _gate(catalog: Catalog, dataset: str, model: str, run_id: str, facts: Mapping[str, Any]) -> Gate | None:
    """As the ledger of promotions has it; where nothing was to be written, as the run says."""
    query = (
        select(promotions.c.metrics)
        .where(promotions.c.dataset == dataset, promotions.c.model == model, promotions.c.who == f"run {run_id}")
        .order_by(promotions.c.id.desc())
    )
    with reading(catalog.database) as connection:
        metrics = connection.scalar(query.limit(1))
    if metrics:
        return Gate(metrics["comparison"]["decision"], metrics["comparison"]["reasons"])
    if "decision" not in facts:
        return None
    return Gate(str(facts["decision"]), [str(facts.get("verdict", "It was the champion already."))])
