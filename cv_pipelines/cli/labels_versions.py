"""`cv-pipelines labels commit|versions|show|diff|restore|history`: what labels were before, and who said so."""

import getpass
import sys
from typing import Any

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, json_option, print_json, print_table
from cv_pipelines.cli.version_list import print_versions

LIST = "cv-pipelines labels versions"
_SHOWN = 20


@click.command()
@click.argument("dataset")
@json_option
def versions(dataset: str, as_json: bool) -> None:
    """List the versions of a data set's labels, newest first.

    \b
    Example:
      cv-pipelines labels versions flowers
    """
    from cv_pipelines.images.datasets import find_dataset
    from cv_pipelines.versions import versions_of

    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    rows = [
        {
            "version": one.version,
            "current": one.current,
            "made_at": one.made_at,
            "labelled": sum(one.facts.get("origins", {}).values()),
            "unlabelled": one.facts["unlabelled"],
            "classes": len(one.facts["classes"]),
        }
        for one in versions_of(catalog, "labels", dataset)
    ]
    print_versions(rows, as_json, f"There is no version yet: cv-pipelines labels commit {dataset}")


@click.command()
@click.argument("dataset")
@json_option
def commit(dataset: str, as_json: bool) -> None:
    """Make a version of the labels as they stand now, and check it. Nothing is trained.

    With a daemon running ('make dev') this is queued there, else it happens in this process.

    
    Example:
      cv-pipelines labels commit flowers
    """
    from cv_pipelines.cli.execution import run_job
    from cv_pipelines.images.datasets import find_dataset

    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    catalog.require("image_manifest", dataset)
    before = catalog.current("labels", dataset)
    run = run_job("label", dataset, {}, quiet=as_json)
    after = catalog.current("labels", dataset)
    version = after.version if after else None
    changed = after is not None and (before is None or before.version != version)
    if as_json:
        print_json({"dataset": dataset, **run, "version": version, "changed": changed})
    else:
        console.print(f"The new version is {version}." if changed else f"Unchanged: it is still {version}.")
        if not run["succeeded"]:
            console.print(f"[red]Failed[/], see above: run {run['run_id']}.", soft_wrap=True)
    sys.exit(0 if run["succeeded"] else 1)


@click.command()
@click.argument("dataset")
@click.argument("version", required=False)
@json_option
def show(dataset: str, version: str | None, as_json: bool) -> None:
    """Show a version of the labels, else the present one: its classes, and where its labels are from.

    \b
    Example:
      cv-pipelines labels show flowers
    """
    from cv_pipelines.annotations.labels import state_in
    from cv_pipelines.annotations.store.versions import state_of
    from cv_pipelines.images.datasets import find_dataset
    from cv_pipelines.versions import version_like

    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    prefix = version or catalog.require("labels", dataset).version
    found = version_like(catalog, "labels", dataset, prefix, LIST)
    with catalog.database.connect() as connection:
        now = state_of(connection, dataset, state_in(found.facts)).version
    left_out = ("manifest", "state", "numbers")
    facts = {name: value for name, value in found.facts.items() if name not in left_out}
    if as_json:
        made = {"version": found.version, "made_at": found.made_at, "current": found.current}
        print_json({**made, "store": now, **facts})
        return
    counts, objects = facts["counts"], facts.get("objects", {})
    console.print(f"Version {found.version} of the labels of {dataset}, made at {found.made_at:%Y-%m-%d %H:%M}:")
    plain = ("unlabelled", "several", "absent")
    print_table(["", "images#"], [*facts.get("origins", {}).items(), *((name, facts.get(name)) for name in plain)])
    print_table(["class", "images#", "objects#"], [[name, counts[name], objects.get(name, 0)] for name in counts])
    if found.current and now != found.version:
        console.print(f"The labels have changed since. Next: cv-pipelines labels commit {dataset}")


@click.command()
@click.argument("dataset")
@click.argument("before")
@click.argument("after", required=False)
@json_option
def diff(dataset: str, before: str, after: str | None, as_json: bool) -> None:
    """Compare two versions of the labels, or one with what stands now.

    \b
    Example:
      cv-pipelines labels diff flowers 3657c5 9a01be
    """
    from cv_pipelines.annotations.comparison import compare
    from cv_pipelines.images.datasets import find_dataset

    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    found = compare(catalog, dataset, before, after)
    if as_json:
        print_json(found.as_dict())
        return
    console.print(f"From {found.before} to {found.after}:")
    print_table(["", "images#"], found.counts.items())
    if found.classes:
        print_table(["class before", "class after"], found.classes)
    if found.images:
        more = f" (the first {_SHOWN})" if found.total > _SHOWN else ""
        rows = [[one.image, one.before, one.after, one.who] for one in found.images[:_SHOWN]]
        print_table(["image", "before", "after", "by"], rows, title=f"labels{more}")


@click.command()
@click.argument("dataset")
@click.argument("version")
def restore(dataset: str, version: str) -> None:
    """Let labels and classes be again what they were in a version; nothing is lost, it is said once more.

    \b
    Example:
      cv-pipelines labels restore flowers 3657c5
    """
    from cv_pipelines.annotations.comparison import restore_version
    from cv_pipelines.images.datasets import find_dataset

    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    changed = restore_version(catalog, dataset, version, getpass.getuser())
    done = f"Labels and classes are what they were in {version}; {changed:,} labels were other ones."
    console.print(f"{done} Next: cv-pipelines labels commit {dataset}")


@click.command()
@click.argument("dataset")
@click.argument("image")
@json_option
def history(dataset: str, image: str, as_json: bool) -> None:
    """Show who has said what of an image, newest first; an image is its path, or the beginning of its id.

    \b
    Example:
      cv-pipelines labels history flowers daisy/001.png
    """
    from cv_pipelines.annotations.comparison import history_of
    from cv_pipelines.images.datasets import find_dataset

    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    rows: list[dict[str, Any]] = history_of(catalog, dataset, image)
    if as_json:
        print_json(rows)
        return
    columns = ["version#", "at", "label", "from", "by", "note"]
    names = ("version", "at", "label", "origin", "who", "note")
    print_table(columns, [[row[name] for name in names] for row in rows])
    if not rows:
        console.print("Nobody has said anything of this image yet.")
