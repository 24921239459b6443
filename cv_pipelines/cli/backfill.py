"""`cv-pipelines backfill`: assets made again, for many data sets at once."""

import getpass
from typing import TYPE_CHECKING, Any

import click

from cv_pipelines.cli.backfill_view import duration_of, tell_backfill
from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, json_option, print_json, print_table

if TYPE_CHECKING:
    from dagster import AssetKey, DagsterInstance
    from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

    from cv_pipelines.orchestration.backfills import Submission, Targets
    from cv_pipelines.orchestration.durations import Estimate

_NAMED = 20


@click.command()
@click.argument("assets", nargs=-1, required=True, metavar="ASSET...")
@click.option("--partitions", metavar="A,B", help="For these data sets.")
@click.option("--missing", is_flag=True, help="For the data sets that never had the asset.")
@click.option("--failed", is_flag=True, help="For the data sets whose latest run failed to make it.")
@click.option("--stale", is_flag=True, help="For the data sets where its inputs or its code have changed.")
@click.option("--dry-run", is_flag=True, help="Only say what would be made, and how long it may take.")
@json_option
def backfill(assets: tuple[str, ...], partitions: str | None, dry_run: bool, as_json: bool, **lacks: bool) -> None:
    """Let the daemon make assets again, for many data sets at once.

    The UI shows its progress under Runs > Backfills, and can cancel it. Each asset is made for the data sets
    that need it. Asking again while it goes on changes nothing.

    \b
    Examples:
      cv-pipelines backfill labels dataset_splits --partitions flowers,parts
      cv-pipelines backfill predictions --missing --dry-run
    """
    lack = next((name for name, given in lacks.items() if given), None)
    if sum(lacks.values()) + (partitions is not None) != 1:
        raise click.UsageError("Give exactly one of --partitions, --missing, --failed and --stale.")
    from cv_pipelines.definitions import defs
    from cv_pipelines.orchestration.asset_partitions import find_assets
    from cv_pipelines.orchestration.durations import estimate
    from cv_pipelines.orchestration.instance import daemon_is_running, open_instance

    graph = defs.resolve_asset_graph()
    with open_instance() as instance:
        keys = find_assets(graph, assets)
        targets = _targets(instance, graph, keys, partitions, lack)
        expected = estimate(instance, targets)
        submission = None if dry_run or not targets else _submit(instance, graph, targets, lack)
        daemon = daemon_is_running(instance)
    if as_json:
        print_json(_summary([key.to_user_string() for key in keys], targets, expected, submission))
    elif submission:
        tell_backfill(submission, sum(map(len, targets.values())), duration_of(expected), daemon)
    elif targets:
        _show(targets, expected)
    else:
        console.print(f"Nothing to do: no partition of {', '.join(assets)} is {lack}.")


def _targets(
    instance: "DagsterInstance",
    graph: "AssetGraph",
    assets: "list[AssetKey]",
    partitions: str | None,
    lack: str | None,
) -> "Targets":
    """The data sets of each asset; assets that need none are left out."""
    from cv_pipelines.images.datasets import list_datasets
    from cv_pipelines.orchestration.asset_partitions import failed, find_partitions, missing, stale

    datasets = list_datasets(open_catalog().database)
    match lack:
        case "missing":
            found = {asset: missing(instance, asset, datasets) for asset in assets}
        case "failed":
            found = {asset: failed(instance, asset, datasets) for asset in assets}
        case "stale":
            found = {asset: stale(instance, graph, asset, datasets) for asset in assets}
        case _:
            found = dict.fromkeys(assets, find_partitions(datasets, partitions or ""))
    return {asset: names for asset, names in found.items() if names}


def _submit(
    instance: "DagsterInstance", graph: "AssetGraph", targets: "Targets", lack: str | None
) -> "Submission":
    from dagster._core.storage.tags import USER_TAG

    from cv_pipelines.orchestration.backfills import submit_backfill

    assets = [asset.to_user_string() for asset in targets]
    title = f"{lack or 'chosen'}: {', '.join(assets)}"
    description = f"cv-pipelines backfill {' '.join(assets)} {f'--{lack}' if lack else '--partitions …'}"
    tags = {USER_TAG: getpass.getuser()}
    return submit_backfill(instance, graph, targets, title[:100], description, tags)


def _summary(
    assets: list[str], targets: "Targets", expected: "Estimate", submission: "Submission | None"
) -> dict[str, Any]:
    return {
        "id": submission.id if submission else None,
        "assets": assets,
        "partitions": sorted(set().union(*targets.values())),
        "by_asset": {asset.to_user_string(): names for asset, names in targets.items()},
        "estimate_seconds": None if expected.unknown else round(expected.seconds, 1),
        "submitted": submission is not None and not submission.existing,
        "existing": submission is not None and submission.existing,
    }


def _show(targets: "Targets", expected: "Estimate") -> None:
    rows = [
        (asset.to_user_string(), len(names), ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else ""))
        for asset, names in targets.items()
    ]
    print_table(["asset", "partitions#", "data sets"], rows)
    console.print(duration_of(expected))
