"""`cv-pipelines motion show`: what is known of one video, with its pictures as files."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, json_option, print_json, print_table
from cv_pipelines.errors import InputError

if TYPE_CHECKING:
    from cv_pipelines.storage.bundles import Bundle

_SHOWN = 50
_COLUMNS = ("start_frame", "end_frame", "seconds", "kind", "scale_mean", "tx_mean", "ty_mean", "confidence")
_PICTURES = {"timeline": (".png",), "contacts": (".jpg", ".jpeg")}


@click.command()
@click.argument("video")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Save the motion over time, a .png.")
@click.option(
    "--contacts", type=click.Path(dir_okay=False, path_type=Path), help="Save the static stretches, a .jpg."
)
@json_option
def show(video: str, out: Path | None, contacts: Path | None, as_json: bool) -> None:
    """Show the regions of a video: when its camera rests, pans, zooms.

    VIDEO is an address, or a key as the archive lists it.

    \b
    Examples:
      cv-pipelines motion show films/reef.mp4
      cv-pipelines motion show films/reef.mp4 --out timeline.png --contacts static.jpg
    """
    from cv_pipelines.motion.regions import region_rows
    from cv_pipelines.motion.results import made_of
    from cv_pipelines.videos.archive import named_video

    _require_suffix("timeline", out)
    _require_suffix("contacts", contacts)
    catalog = open_catalog()
    found = named_video(catalog.database, video)
    regions = made_of(catalog, "motion_regions", found)
    table = regions.table("regions")
    if out:
        out.write_bytes(_timeline(made_of(catalog, "camera_motion", found), regions))
    if contacts:
        contacts.write_bytes(_contacts(made_of(catalog, "static_thumbnails", found)))
    rows = region_rows(table)
    if as_json:
        facts = {name: value for name, value in regions.facts.items() if name != "regions"}
        print_json({"key": found.key, "address": found.address, **facts, "regions": rows})
        return
    count = f"{len(rows):,} region{'' if len(rows) == 1 else 's'}"
    title = f"{found.name}: {count}, {regions.facts['static_share']:.0%} of the frames static"
    shown = [[row[name] for name in _COLUMNS] for row in rows[:_SHOWN]]
    print_table([name if name == "kind" else f"{name}#" for name in _COLUMNS], shown, title=title)
    for path in filter(None, (out, contacts)):
        console.print(str(path), markup=False, soft_wrap=True)


def _require_suffix(what: str, path: Path | None) -> None:
    if path and path.suffix.lower() not in _PICTURES[what]:
        raise InputError("bad_picture", f"'{path}' must end in {' or '.join(_PICTURES[what])}.")


def _timeline(motion: "Bundle", regions: "Bundle") -> bytes:
    from cv_pipelines.reports.motion_timeline import timeline

    return timeline(motion.table("intervals"), regions.table("regions"))


def _contacts(thumbnails: "Bundle") -> bytes:
    from cv_pipelines.reports.motion_pictures import FILE_BYTES, contact_sheet_of

    return contact_sheet_of(thumbnails, FILE_BYTES)
