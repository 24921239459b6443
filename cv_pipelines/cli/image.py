"""`cv-pipelines image`: one image, wherever it is."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, fail, json_option, print_json, print_table
from cv_pipelines.cli.waiting import shown_when_slow
from cv_pipelines.settings import load_settings

if TYPE_CHECKING:
    from cv_pipelines.orchestration.image_deletion import Deletion
    from cv_pipelines.retention.tracing import Trace


@click.group()
def image() -> None:
    """Find an image, or forget it."""


@image.command()
@click.argument("image_id", metavar="ID")
@json_option
def show(image_id: str, as_json: bool) -> None:
    """Show where an image is: data sets, versions, files, packs, the models that have learned from it.

    ID is the SHA-256 of its file, or the first 8 digits of it or more.

    \b
    Example:
      cv-pipelines image show 5f3a09c2
    """
    found = _trace(image_id)
    if as_json:
        print_json(_summary(found))
    else:
        _show(found)


@image.command()
@click.argument("image_id", metavar="ID")
@click.option("--why", required=True, help="For the record; name nobody.")
@click.option("--delete-runs", is_flag=True, help="Delete the runs whose previews may show it, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def forget(image_id: str, why: str, delete_runs: bool, yes: bool, as_json: bool) -> None:
    """Delete every copy of an image for good, and never take it in again.

    Data sets that have it get a new version without it. Ends with status 1 if a copy may be left.

    \b
    Example:
      cv-pipelines image forget 5f3a09c2 --why "request of 3 May"
    """
    from cv_pipelines.orchestration.image_deletion import forget_image
    from cv_pipelines.orchestration.instance import open_instance

    found = _trace(image_id)
    if not (yes or as_json):
        _show(found)
    if not yes:
        click.confirm("Delete every copy of it, for good?", abort=True, err=True)
    with open_instance() as instance, shown_when_slow() as progress:
        done = forget_image(instance, open_catalog(), load_settings(), found.image_id, why, delete_runs, progress)
    if as_json:
        print_json(_result(done))
    else:
        _tell(done)
    if not done.left.gone:
        damaged = ", ".join(done.left.unsearchable)
        fail(f"A copy may be left: run the command again. Packs that cannot be searched: {damaged or 'none'}.")


def _trace(image_id: str) -> "Trace":
    from cv_pipelines.retention.tracing import trace

    with shown_when_slow() as progress:
        return trace(open_catalog(), image_id.lower(), progress)


def _summary(found: "Trace") -> dict[str, Any]:
    return {
        "image_id": found.image_id,
        "forgotten": found.forgotten,
        "copies": found.copies.number,
        "places": [*map(str, found.copies.places), *found.copies.objects],
        "versions": [asdict(one) for one in found.mentions],
        "models": found.models,
        "alike": found.alike,
        "runs": found.runs,
    }


def _show(found: "Trace") -> None:
    summary = _summary(found)
    console.print(f"Image {found.image_id}" + (", forgotten" if found.forgotten else ""))
    print_table(["where", ""], [("store", place) for place in summary["places"]])
    rows = [
        (one.dataset, one.version, one.current, one.quarantined, ", ".join(one.paths)) for one in found.mentions
    ]
    print_table(["data set", "version", "current", "in quarantine", "files"], rows)
    _list("Models that have learned from it", found.models)
    _list("Images that show the same", found.alike)


def _result(done: "Deletion") -> dict[str, Any]:
    found = done.found
    return {
        "image_id": found.image_id,
        "copies_found": found.copies.number,
        "bytes_erased": done.bytes,
        "copies_left": done.left.number,
        "packs_searched": done.left.packs,
        "packs_not_searched": done.left.unsearchable,
        "new_versions": done.new_versions,
        "mentioned_in": [{"dataset": one.dataset, "version": one.version} for one in found.mentions],
        "models": found.models,
        "alike": found.alike,
        "runs": done.runs,
        "runs_deleted": done.runs_deleted,
    }


def _tell(done: "Deletion") -> None:
    found = done.found
    console.print(
        f"Forgotten: {found.image_id}\n"
        f"{found.copies.number} copies found, {done.bytes:,} bytes erased. Searched again, all "
        f"{done.left.packs:,} packs: {done.left.number} copies left.",
        soft_wrap=True,
    )
    for dataset, version in done.new_versions.items():
        console.print(f"{dataset} stands at {version} now, without it. Next: cv-pipelines run {dataset}")
    _list(
        "Earlier versions still have its id and paths, not its bytes",
        [f"{one.dataset}/{one.version}" for one in found.mentions],
    )
    _list("These models have learned from it, and stay: train others", found.models)
    _list("These images show the same, and stay", found.alike)
    if done.runs and not done.runs_deleted:
        _list("Small previews of these runs may show it (--delete-runs deletes them)", done.runs)


def _list(title: str, items: list[str]) -> None:
    if items:
        console.print(f"{title}: {', '.join(items)}", soft_wrap=True, markup=False)
