"""`cv-pipelines model`: the registry."""

import getpass
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, json_option, print_json, print_table

if TYPE_CHECKING:
    from cv_pipelines.catalog import Catalog
    from cv_pipelines.models.registry import Model


@click.group()
def model() -> None:
    """List, compare, promote and roll back models."""


@model.command("list")
@click.option("--dataset", default=None, help="Only models of this data set.")
@json_option
def list_(dataset: str | None, as_json: bool) -> None:
    """List models, newest first.

    \b
    Example:
      cv-pipelines model list --dataset digits
    """
    from cv_pipelines.models.registry import list_models

    catalog = open_catalog()
    rows = [_row(catalog, one) for one in list_models(catalog.database, dataset)]
    if as_json:
        print_json(rows)
    elif rows:
        columns = ["version", "name", "dataset", "alias", "architecture", "accuracy#", "created"]
        names = ("version", "name", "dataset", "alias", "architecture", "accuracy", "created_at")
        print_table(columns, [[row[name] for name in names] for row in rows])
    else:
        console.print("There is no model yet: cv-pipelines run DATASET trains one.")


@model.command()
@click.argument("version")
@json_option
def show(version: str, as_json: bool) -> None:
    """Show a model's card, its metrics and its promotions.

    \b
    Example:
      cv-pipelines model show 3657c5
      cv-pipelines model show flowers/first-try
    """
    from cv_pipelines.models.registry import find_model, ledger

    catalog = open_catalog()
    found = find_model(catalog.database, version)
    card = catalog.open(found.reference).facts
    entries = [vars(one) for one in ledger(catalog.database, found.dataset) if one.model == found.version]
    row = _row(catalog, found)
    if as_json:
        print_json({**row, "card": card, "promotions": entries})
        return
    print_table(["", ""], list(row.items()))
    decided = {name: card[name] for name in ("architecture", "image_size", "batch_size")}  # by the data, if unset
    print_table(["parameter", "value"], list((card["parameters"] | decided).items()))
    if len(tried := card.get("tried", ())) > 1:  # models of before say nothing of it
        _print_rows(
            ("architecture", "val_loss", "val_accuracy", "epoch"), tried, "Tried: the lowest val_loss stays"
        )
    _print_rows(("action", "who", "why", "created_at"), entries, "Promotions")


@model.command()
@click.argument("champion")
@click.argument("challenger")
@json_option
def compare(champion: str, challenger: str, as_json: bool) -> None:
    """Compare two models on the present test split, as the gate does.

    \b
    Example:
      cv-pipelines model compare 3657c5 9a01be
    """
    from dataclasses import asdict

    from cv_pipelines.models.registry import find_model

    catalog = open_catalog()
    models = [find_model(catalog.database, version) for version in (champion, challenger)]
    evaluations, answer = _compare(catalog, *models)
    if as_json:
        facts = {one.version: evaluation.facts for one, evaluation in zip(models, evaluations, strict=True)}
        print_json({"models": facts, "comparison": asdict(answer)})
        return
    names = ("accuracy", "accuracy_low", "accuracy_high", "images")
    rows = [(name, *(evaluation.facts[name] for evaluation in evaluations)) for name in names]
    print_table(["", f"{models[0].version}#", f"{models[1].version}#"], rows)
    words = {
        "promote": "would be promoted",
        "keep": "would not be promoted",
        "ask": "needs a person's decision",
    }
    console.print(f"{models[1].version} {words[answer.decision]}:")
    for reason in answer.reasons:
        console.print(f"  {reason}", markup=False)


@model.command()
@click.argument("version")
@click.option("--why", required=True, help="For the ledger.")
def promote(version: str, why: str) -> None:
    """Make a model the champion of its data set, whatever the gate says.

    \b
    Example:
      cv-pipelines model promote 9a01be --why "new class list agreed with the lab"
    """
    from cv_pipelines.models import registry
    from cv_pipelines.orchestration.champions import name_champion
    from cv_pipelines.orchestration.instance import open_instance

    catalog = open_catalog()
    found = registry.find_model(catalog.database, version)
    with open_instance() as instance:
        before = name_champion(catalog, instance, found, _who(), why)
    if before == found.version:
        console.print(f"{found.version} is the champion of {found.dataset} already.")
        return
    console.print(f"{found.version} is the champion of {found.dataset} now; before it: {before or 'none'}.")


@model.command()
@click.argument("dataset")
@click.option("--why", required=True, help="For the ledger.")
def rollback(dataset: str, why: str) -> None:
    """Go back to the champion before.

    \b
    Example:
      cv-pipelines model rollback digits --why "misreads sevens in production"
    """
    from cv_pipelines.models import registry
    from cv_pipelines.orchestration.champions import publish_champion
    from cv_pipelines.orchestration.instance import open_instance

    catalog = open_catalog()
    found = registry.rollback(catalog.database, dataset, _who(), why)
    with open_instance() as instance:
        publish_champion(catalog, instance, found)
    console.print(f"{found.version} is the champion of {dataset} again.")


def _print_rows(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], title: str) -> None:
    print_table(columns, [[row[name] for name in columns] for row in rows], title=title)


def _row(catalog: "Catalog", found: "Model") -> dict[str, Any]:
    from cv_pipelines.models import registry
    from cv_pipelines.models.names import names_of
    from cv_pipelines.models.promotion import newest_figures

    card, metrics = catalog.open(found.reference).facts, newest_figures(catalog, found)
    aliases = [
        alias
        for alias in registry.ALIASES
        if registry.standing(catalog.database, found.dataset, alias) == found.version
    ]
    return {
        "version": found.version,
        "name": ", ".join(names_of(catalog.database, found.dataset).get(found.version, ())) or None,
        "dataset": found.dataset,
        "alias": ", ".join(aliases) or None,
        "architecture": card["architecture"],
        "accuracy": metrics.get("accuracy"),
        "accuracy_low": metrics.get("accuracy_low"),
        "accuracy_high": metrics.get("accuracy_high"),
        "images_per_second": card["images_per_second"],
        "created_at": found.created_at,
    }


def _compare(catalog: "Catalog", champion: "Model", challenger: "Model") -> Any:
    from cv_pipelines.models.promotion import compare_models

    return compare_models(catalog, champion, challenger)


def _who() -> str:
    return getpass.getuser()
