"""`cv-pipelines motion regions`: what the camera does when, from a motion file."""

from pathlib import Path

import click

from cv_pipelines.cli.output import console, json_option, print_json, print_table
from cv_pipelines.errors import InputError

_COLUMNS = {
    "kind": "kind",
    "start_frame": "from#",
    "end_frame": "to#",
    "start": "from s#",
    "seconds": "seconds#",
    "tx_mean": "x#",
    "ty_mean": "y#",
    "scale_mean": "scale#",
    "confidence": "confidence#",
    "invalid_share": "unknown#",
}


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--published", is_flag=True, help="By exactly the rule of the published CamHD regions.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write them in the published format, too."
)
@click.option(
    "--timeline", type=click.Path(dir_okay=False, path_type=Path), help="Draw the motion over time as PNG."
)
@json_option
def regions(path: Path, published: bool, out: Path | None, timeline: Path | None, as_json: bool) -> None:
    """Show when the camera of a video stands still, pans, zooms or shakes.

    FILE is what 'motion analyse' writes, or a published motion file. Means are pixels in ten frames.

    \b
    Examples:
      cv-pipelines motion regions film.motion.parquet
      cv-pipelines motion regions film.json --published --out regions.json
    """
    from cv_pipelines.motion.files import load_motion
    from cv_pipelines.motion.published.region_files import regions_json
    from cv_pipelines.motion.published.rule import published_regions
    from cv_pipelines.motion.regions import find_regions, region_rows

    if out is not None and out.suffix.lower() != ".json":
        raise InputError("regions_format", f"'{out}' names no format of regions: end it in .json.")
    motion = load_motion(path)
    found = published_regions(motion) if published else find_regions(motion)
    if out is not None:
        out.write_bytes(regions_json(found))
    if timeline is not None:
        from cv_pipelines.reports.motion_timeline import timeline as draw

        timeline.write_bytes(draw(motion, found))
    rows = region_rows(found)
    if as_json:
        print_json(rows)
        return
    print_table(list(_COLUMNS.values()), [[row[name] for name in _COLUMNS] for row in rows], title=path.name)
    for written in (out, timeline):
        if written is not None:
            console.print(str(written), markup=False, soft_wrap=True)
