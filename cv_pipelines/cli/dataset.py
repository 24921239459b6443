"""`cv-pipelines dataset`: name data sets and look at them."""

import click

from cv_pipelines.cli.add import add
from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, json_option, print_json, print_table
from cv_pipelines.cli.quarantine import quarantine
from cv_pipelines.cli.removal import remove
from cv_pipelines.cli.sync import sync
from cv_pipelines.cli.versions import diff, restore, versions


@click.group()
def dataset() -> None:
    """Name data sets, look at them, delete them."""


for command in (add, sync, quarantine, versions, diff, restore, remove):
    dataset.add_command(command)


@dataset.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List data sets.

    \b
    Example:
      cv-pipelines dataset list --json
    """
    from cv_pipelines.images.datasets import list_datasets

    catalog = open_catalog()
    rows = []
    for one in list_datasets(catalog.database):
        reference = catalog.current("image_manifest", one.name)
        facts = catalog.open(reference).facts if reference else {}
        rows.append(
            {
                "name": one.name,
                "images": facts.get("images"),
                "version": reference.version if reference else None,
                "source": one.source,
            }
        )
    if as_json:
        print_json(rows)
    elif rows:
        print_table(["name", "images#", "version", "source"], [list(row.values()) for row in rows])
    else:
        console.print("There is no data set yet: cv-pipelines dataset add NAME FOLDER")


@dataset.command()
@click.argument("name")
@click.option("--version", "wanted", help="An earlier version, by the beginning of its name.")
@json_option
def show(name: str, wanted: str | None, as_json: bool) -> None:
    """Show a data set: its source, what is in it, what is in quarantine.

    \b
    Examples:
      cv-pipelines dataset show digits
      cv-pipelines dataset show flowers --version 3657c5
    """
    from cv_pipelines.images.datasets import find_dataset
    from cv_pipelines.images.quarantine import files_of
    from cv_pipelines.images.versions import find_version, list_versions

    catalog = open_catalog()
    found = find_dataset(catalog.database, name)
    shown: dict[str, object] = {"name": name, "source": found.source, "created_at": found.created_at}
    shown["versions"] = len(list_versions(catalog, name))
    reference, labels = catalog.current("image_manifest", name), catalog.current("labels", name)
    if wanted:
        reference, labels = find_version(catalog, name, wanted).reference, None
    manifest = catalog.open(reference) if reference else None
    if manifest:
        shown |= {key: manifest.facts[key] for key in ("files", "images", "duplicates", "quarantined")}
        shown |= {"version": manifest.version, "restored": found.restored == manifest.version}
    classes = catalog.open(labels).facts["counts"] if labels else {}
    refused = files_of(manifest, limit=1000) if manifest else []
    if as_json:
        print_json({**shown, "classes": classes, "quarantine": [vars(one) for one in refused]})
        return
    print_table(["", ""], list(shown.items()))
    if classes:
        print_table(["class", "images#"], list(classes.items()))
    if refused:
        rows = [(one.id, one.path, one.reason, one.advice) for one in refused[:50]]
        print_table(["id", "file", "reason", "what to do"], rows, title="Quarantine")
