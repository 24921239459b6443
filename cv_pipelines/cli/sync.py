"""`cv-pipelines dataset sync`: look at a source again."""

import sys
from typing import Any

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.execution import run_job
from cv_pipelines.cli.output import console, errors, json_option, print_json, print_table

_COUNTS = ("files", "images", "duplicates", "quarantined")


@click.command()
@click.argument("name")
@json_option
def sync(name: str, as_json: bool) -> None:
    """Look at a data set's source again, and say what has changed. Nothing is trained.

    With a daemon running ('make dev') this is queued there, else it happens in this process.

    \b
    Example:
      cv-pipelines dataset sync flowers
    """
    sys.exit(show_sync(name, {}, as_json))


def show_sync(name: str, wishes: dict[str, Any], as_json: bool) -> int:
    """Run the job `sync` and show what has changed; once that has worked, no version is gone back to any more.

    Args:
        name: of the data set.
        wishes: settings of the ingest.
        as_json: for programs.

    Returns:
        The exit status.
    """
    before = _state(name)
    config = {"ops": {"image_manifest": {"config": {"follow_source": True, **wishes}}}}
    try:
        run = run_job("sync", name, config, quiet=as_json)
    except KeyboardInterrupt:
        errors.print("Stopped. The same command goes on from where it was.")
        sys.exit(130)
    result = {"dataset": name, **run, **compare(before, _state(name))}
    if as_json:
        print_json(result)
    else:
        _tell(result)
    return 0 if run["succeeded"] else 1


def compare(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What a data set holds now, and by how much that differs.

    Args:
        before: `files`, `images`, `duplicates`, `quarantined` and `version`; empty before the first ingest.
        after: the same, now.

    Returns:
        The counts now, `difference` of each, `version`, `previous_version` and `changed`.
    """
    now = {count: after.get(count, 0) for count in _COUNTS}
    return {
        **now,
        "difference": {count: now[count] - before.get(count, 0) for count in _COUNTS},
        "version": after.get("version"),
        "previous_version": before.get("version"),
        "changed": after.get("version") != before.get("version"),
    }


def _state(name: str) -> dict[str, Any]:
    """Counts and version of the current manifest; nothing before the first."""
    catalog = open_catalog()
    reference = catalog.current("image_manifest", name)
    return {**catalog.open(reference).facts, "version": reference.version} if reference else {}


def _tell(result: dict[str, Any]) -> None:
    rows = [(count, result[count], f"{result['difference'][count]:+,}") for count in _COUNTS]
    print_table(["", "now#", "change#"], rows)
    if not result["succeeded"]:
        console.print(f"[red]Failed[/]: run {result['run_id']}.", soft_wrap=True)
    elif result["changed"]:
        console.print(f"The new version is {result['version']}. Next: cv-pipelines run {result['dataset']}")
    else:
        console.print(f"Unchanged: the version is still {result['version']}.")
