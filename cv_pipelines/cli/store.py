"""`cv-pipelines store`: the object store."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.garbage import gc
from cv_pipelines.cli.output import console, errors, json_option, print_json, print_table
from cv_pipelines.cli.waiting import shown_when_slow
from cv_pipelines.errors import InputError
from cv_pipelines.settings import load_settings

if TYPE_CHECKING:
    from cv_pipelines.storage.copying import Copied
    from cv_pipelines.storage.protocol import ObjectStore


@click.group()
def store() -> None:
    """Check the object store, back it up, restore it, delete what is garbage."""


store.add_command(gc)


@store.command()
def create() -> None:
    """Make the bucket that CV_STORE_URL names, if it is not there; a folder makes itself."""
    from cv_pipelines.storage.s3 import create_bucket

    url = load_settings().store
    made = url.startswith("s3:") and create_bucket(url)
    console.print(f"The store {url} {'was made' if made else 'is there'}.", markup=False)


@store.command()
@click.option("--content", is_flag=True, help="Also read all artefacts and compare them with their names.")
@json_option
def check(content: bool, as_json: bool) -> None:
    """Look for every object that the database refers to; ends with status 1 when one is missing.

    \b
    Examples:
      cv-pipelines store check
      cv-pipelines store check --content --json
    """
    from cv_pipelines.retention.check import check_contents, check_references

    catalog = open_catalog()
    references = catalog.references()
    with shown_when_slow() as progress:
        objects, faults = check_references(catalog.store, references, progress)
        known = {fault.key for fault in faults}
        if content:
            faults += [fault for fault in check_contents(catalog.store, progress) if fault.key not in known]
    if as_json:
        found = [asdict(fault) for fault in faults]
        print_json({"artefacts": len(references), "objects": objects, "faults": found})
    elif faults:
        print_table(["object", "problem", "needed by"], [tuple(asdict(fault).values()) for fault in faults])
        line = f"Of {objects:,} objects {len(faults):,} are missing or damaged. Delete what is damaged, then:"
        errors.print(f"{line} cv-pipelines store restore FOLDER", soft_wrap=True)
    else:
        console.print(f"{len(references):,} artefacts need {objects:,} objects, and all of them are there.")
    sys.exit(1 if faults else 0)


@store.command()
@click.argument("folder")
def backup(folder: str) -> None:
    """Copy the store to a folder (or the URL of another store); later on only what is new.

    Back up the databases first: what they refer to is in the store by then.

    \b
    Example:
      cv-pipelines store backup /backup/store
    """
    from cv_pipelines.storage.copying import back_up

    with shown_when_slow() as progress:
        _tell(back_up(_own_store(), _other_store(folder), progress))


@store.command()
@click.argument("folder")
def restore(folder: str) -> None:
    """Copy what the store lacks from a backup (or the URL of another store); what is there stays.

    \b
    Example:
      cv-pipelines store restore /backup/store
    """
    from cv_pipelines.storage import copying

    backup = _other_store(folder)
    if next(iter(backup.objects("")), None) is None:
        raise InputError("no_backup", f"There is no backup in '{folder}'.")
    with shown_when_slow() as progress:
        _tell(copying.restore(backup, _own_store(), progress))


def _tell(done: "Copied") -> None:
    size = f"{done.bytes / 1e6:,.1f} MB"
    console.print(f"Copied {done.copied:,} of {done.objects:,} objects, {size}; the others were there already.")


def _own_store() -> "ObjectStore":
    from cv_pipelines.storage.factory import open_store

    return open_store(load_settings().store)


def _other_store(place: str) -> "ObjectStore":
    from cv_pipelines.storage.factory import open_store

    return open_store(place if "://" in place else Path(place).expanduser().absolute().as_uri())
