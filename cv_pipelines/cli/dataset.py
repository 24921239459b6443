"""`cv-pipelines dataset`: name data sets and look at them."""

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, json_option, print_json, print_table, printable
from cv_pipelines.errors import InputError


@click.group()
def dataset() -> None:
    """Name data sets, look at them, forget them."""


@dataset.command()
@click.argument("name")
@click.argument("source", type=click.Path())
@click.option("--classes", default="", help="The label set, separated by commas; default: the classes found.")
@json_option
def add(name: str, source: str, classes: str, as_json: bool) -> None:
    """Name a data set: a folder with class subfolders, or a CSV of path, label, split.

    \b
    Examples:
      cv-pipelines dataset add flowers ~/photos/flowers
      cv-pipelines dataset add parts ~/parts/labels.csv --classes good,scratched
    """
    from cv_pipelines.images.datasets import add_dataset
    from cv_pipelines.images.sources.factory import open_source, probe_source
    from cv_pipelines.orchestration.instance import add_partition, open_instance

    probe = probe_source(open_source(source))
    if not probe.files:
        raise InputError("no_files", f"There are no files in '{source}'.")
    wanted = tuple(part.strip() for part in classes.split(",") if part.strip())
    added = add_dataset(open_catalog().database, name, source, wanted)
    with open_instance() as instance:
        add_partition(instance, name)
    found = {"name": name, "source": added.source, "files": probe.files, "classes": probe.classes}
    found |= {"splits": probe.splits, "unlabelled": probe.unlabelled, "problems": probe.problems}
    if as_json:
        print_json(found)
        return
    line = f"{name}: {probe.files:,} files in {len(probe.classes):,} classes, at {printable(added.source)}"
    console.print(line, markup=False, soft_wrap=True)
    print_table(["class", "files#"], list(probe.classes.items())[:50])
    if probe.unlabelled:
        console.print(f"{probe.unlabelled:,} of them without a class: images are predicted, and not learned from.")
    if probe.problems:
        console.print(f"{len(probe.problems):,} of them cannot be used:", style="yellow")
        print_table(["file", "reason"], list(probe.problems.items())[:10])
    if len(probe.classes) < 2:
        hint = "A model needs two classes: give one subfolder per class, or a labels.csv."
        console.print(hint, style="yellow")
    console.print(f"Next: cv-pipelines run {name}")


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
@json_option
def show(name: str, as_json: bool) -> None:
    """Show a data set: its source, what is in it, what is in quarantine.

    \b
    Example:
      cv-pipelines dataset show digits
    """
    from cv_pipelines.images.datasets import find_dataset

    catalog = open_catalog()
    found = find_dataset(catalog.database, name)
    shown: dict[str, object] = {"name": name, "source": found.source, "created_at": found.created_at}
    reference, labels = catalog.current("image_manifest", name), catalog.current("labels", name)
    quarantine: list[dict[str, str]] = []
    if reference:
        bundle = catalog.open(reference)
        shown |= {key: bundle.facts[key] for key in ("files", "images", "duplicates", "quarantined")}
        shown["version"] = reference.version
        quarantine = bundle.table("quarantine").slice(0, 1000).to_pylist()
    if labels:
        shown["classes"] = catalog.open(labels).facts["counts"]
    if as_json:
        print_json({**shown, "quarantine": quarantine})
        return
    print_table(["", ""], [(key, value) for key, value in shown.items() if key != "classes"])
    if labels:
        print_table(["class", "images#"], list(catalog.open(labels).facts["counts"].items()))
    if quarantine:
        rows = [(row["path"], row["reason"]) for row in quarantine[:50]]
        print_table(["file", "reason"], rows, title="Quarantine")


@dataset.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, yes: bool) -> None:
    """Forget a data set's name and source. Its artefacts and the files of its source stay.

    \b
    Example:
      cv-pipelines dataset remove flowers --yes
    """
    from cv_pipelines.images.datasets import find_dataset, remove_dataset
    from cv_pipelines.orchestration.instance import delete_partition, open_instance
    from cv_pipelines.orchestration.local_runs import end_lost_runs, run_in_progress

    database = open_catalog().database
    found = find_dataset(database, name)
    if not yes:
        click.confirm(f"Forget '{name}' ({found.source})? The files stay where they are.", abort=True)
    with open_instance() as instance:
        end_lost_runs(instance)
        busy = run_in_progress(instance, name)
        if busy is not None:
            raise InputError("busy", f"'{name}' is being worked on by run {busy}: wait until it has ended.")
        delete_partition(instance, name)
    remove_dataset(database, name)
    console.print(f"Forgotten: {name}. What was made of it stays in the record.")
