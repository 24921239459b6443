"""`cv-pipelines dataset versions|diff|restore`: what a data set was before."""

from typing import TYPE_CHECKING, Any

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, json_option, print_json, print_table
from cv_pipelines.cli.version_list import print_versions
from cv_pipelines.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

_COUNTS = ("files", "images", "duplicates", "quarantined")
_SHOWN = 20


@click.command()
@click.argument("name")
@json_option
def versions(name: str, as_json: bool) -> None:
    """List the versions of a data set's images, newest first.

    \b
    Example:
      cv-pipelines dataset versions flowers
    """
    from cv_pipelines.images.datasets import find_dataset
    from cv_pipelines.images.versions import list_versions

    catalog = open_catalog()
    found = find_dataset(catalog.database, name)
    rows: list[dict[str, Any]] = [
        {
            "version": one.version,
            "current": one.current,
            "restored": one.version == found.restored,
            "made_at": one.made_at,
            **{count: one.facts[count] for count in _COUNTS},
        }
        for one in list_versions(catalog, name)
    ]
    print_versions(rows, as_json, f"There is no version yet: cv-pipelines dataset sync {name}")


@click.command()
@click.argument("name")
@click.argument("before")
@click.argument("after", required=False)
@json_option
def diff(name: str, before: str, after: str | None, as_json: bool) -> None:
    """Compare two versions, or one with the present one.

    \b
    Example:
      cv-pipelines dataset diff flowers 3657c5 9a01be
    """
    from cv_pipelines.images.datasets import find_dataset
    from cv_pipelines.images.versions import diff_versions, find_version

    catalog = open_catalog()
    find_dataset(catalog.database, name)
    old = find_version(catalog, name, before).reference
    new = find_version(catalog, name, after).reference if after else catalog.require("image_manifest", name)
    tables = vars(diff_versions(catalog, old, new))
    if as_json:
        print_json(
            {
                "before": old.version,
                "after": new.version,
                "counts": {what: table.num_rows for what, table in tables.items()},
                **{what: table.to_pylist() for what, table in tables.items()},
            }
        )
        return
    console.print(f"From {old.version} to {new.version}:")
    print_table(["", "number#"], [(what, table.num_rows) for what, table in tables.items()])
    for what, table in tables.items():
        _print_rows(what, table)


@click.command()
@click.argument("name")
@click.argument("version")
def restore(name: str, version: str) -> None:
    """Go back to a version: it is what everything is made from, until 'dataset sync' follows the source again.

    \b
    Example:
      cv-pipelines dataset restore flowers 3657c5
    """
    from cv_pipelines.images.datasets import find_dataset
    from cv_pipelines.images.versions import find_version, restore_version
    from cv_pipelines.orchestration.instance import add_partition, open_instance
    from cv_pipelines.orchestration.local_runs import run_in_progress
    from cv_pipelines.orchestration.lost_runs import end_lost_runs
    from cv_pipelines.orchestration.materializations import report_version

    catalog = open_catalog()
    find_dataset(catalog.database, name)
    found = find_version(catalog, name, version)
    with open_instance() as instance:
        end_lost_runs(instance)
        busy = run_in_progress(instance, name)
        if busy is not None:
            raise InputError("busy", f"'{name}' is being worked on by run {busy}: wait until it has ended.")
        restored = restore_version(catalog, name, found)
        add_partition(instance, name)
        why = f"A person has gone back to version {found.version}."
        report_version(instance, "image_manifest", name, restored.version, why)
    images = catalog.open(restored).facts["images"]
    console.print(
        f"{name} stands at {restored.version} now: {images:,} images. Next: cv-pipelines run {name}\n"
        f"'cv-pipelines dataset sync {name}' follows the source again."
    )


def _print_rows(what: str, table: "pa.Table") -> None:
    if not table.num_rows:
        return
    rows = table.slice(0, _SHOWN).to_pylist()
    for row in rows:
        if "sources" in row:
            row["sources"] = ", ".join(row["sources"])
    columns = [name for name in table.column_names if name != "image_id"]
    more = f" (the first {_SHOWN})" if table.num_rows > _SHOWN else ""
    print_table(columns, [[row[name] for name in columns] for row in rows], title=f"{what}{more}")
