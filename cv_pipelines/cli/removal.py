"""`cv-pipelines dataset remove`: a data set with everything that was made of it."""

from typing import TYPE_CHECKING, Any

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, fail, json_option, print_json, print_table
from cv_pipelines.cli.waiting import shown_when_slow
from cv_pipelines.settings import load_settings

if TYPE_CHECKING:
    from cv_pipelines.catalog import Catalog
    from cv_pipelines.images.datasets import Dataset
    from cv_pipelines.retention.removal import Removal


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def remove(name: str, yes: bool, as_json: bool) -> None:
    """Delete a data set: images, versions, models, runs. The files of its source stay where they are.

    What other data sets need as well stays.

    \b
    Example:
      cv-pipelines dataset remove flowers --yes
    """
    from cv_pipelines.images.datasets import find_dataset
    from cv_pipelines.orchestration.dataset_deletion import remove_everywhere
    from cv_pipelines.orchestration.instance import open_instance
    from cv_pipelines.orchestration.run_deletion import runs_of
    from cv_pipelines.retention.removal import plan_removal

    catalog = open_catalog()
    dataset = find_dataset(catalog.database, name)
    with shown_when_slow() as progress:
        planned = plan_removal(catalog, dataset, progress)
    with open_instance() as instance:
        going = _summary(catalog, dataset, planned, runs=len(runs_of(instance, name)))
        if not (yes or as_json):
            print_table(["", name], list(going.items()))
        if not yes:
            click.confirm(f"Delete '{name}'? Its source ({dataset.source}) stays.", abort=True, err=True)
        removal, left = remove_everywhere(instance, catalog, load_settings(), dataset)
    if as_json:
        print_json({"dataset": name, **going, "left": left})
    else:
        size = f"{removal.bytes / 1e6:,.1f} MB"
        console.print(f"Deleted {name}: {len(removal.objects):,} objects, {size}. Looked again: {left} are left.")
    if left:
        fail("Objects of it are still in the store: 'cv-pipelines store gc --days 0' deletes them.")


def _summary(catalog: "Catalog", dataset: "Dataset", removal: "Removal", runs: int) -> dict[str, Any]:
    """What goes, for people and programs."""
    from cv_pipelines.images.versions import list_versions
    from cv_pipelines.models.registry import list_models, standing

    versions = list_versions(catalog, dataset.name)
    return {
        "images": versions[0].facts["images"] if versions else 0,
        "versions": len(versions),
        "models": len(list_models(catalog.database, dataset.name)),
        "champion": standing(catalog.database, dataset.name, "champion"),
        "runs": runs,
        "objects": len(removal.objects),
        "bytes": removal.bytes,
        "erased_in_shared_packs": len(removal.places),
    }
